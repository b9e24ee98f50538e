// Sending: exactly what is shown, once. Who was second is told who was first, or what changed.
import { post } from "./api.js";
import { label } from "./codes.js";
import { Dialog } from "./dialog.js";
import { Desk, html, useContext } from "./lib.js";
import { Said, Wrong, name, show, useTask } from "./parts.js";
import { Values } from "./plan.js";
import { moment, t } from "./words.js";

export function Send({ hire, plan, corrections, always, close, look, changed }) {
  const { say } = useContext(Desk);
  const { etag: match } = hire;
  const task = useTask(async () => {
    const body = { plan_hash: plan.hash, corrections, ...(always.length ? { always } : {}) };
    const after = await post(`/v1/hires/${hire.id}/send`, body, { match });
    close();
    await changed(after);
    // The button that had the focus is gone with the form.
    document.getElementById("main")?.focus({ preventScroll: true });
    say(t(after.state === "created" ? "sent_says" : "under_way", { state: t(`state.${after.state}`) }));
  });
  const { problem } = task;
  const beaten = problem?.status === 409 || problem?.status === 412;
  const again = async () => {
    if (problem.code === "plan_changed") {
      await look();
      task.clear();
    } else {
      close();
      await changed();
    }
  };
  const send = html`<button type="button" class="primary" id="send-now" onClick=${() => task.run()} disabled=${task.busy}>${t(task.busy ? "sending" : "send_now")}</button>`;
  const retry = html`<button type="button" class="primary" onClick=${again}>${t("look_again")}</button>`;
  return html`<${Dialog} title=${t("send_title", { name: html`<${Said} text=${name({ ...hire, plan })} />` })} close=${close} busy=${task.busy} wide
      actions=${beaten ? retry : send}>
    ${beaten ? html`<${Second} problem=${problem} />` : html`
      <p>${t("send_says")}</p>
      <${Values} plan=${plan} />
      ${plan.status && html`<p class="hint">${t("begins_as", { status: t(`status.${plan.status}`) })}</p>`}
      <${Final} plan=${plan} />
      <${Wrong} problem=${problem} />`}
  <//>`;
}

/** What cannot be changed through the API once it is sent. */
function Final({ plan }) {
  const { catalog } = useContext(Desk);
  if (!plan.final.length) return null;
  return html`<p class="hint">${t("final")} ${plan.final.map((key) => label(catalog, key)).join(", ")}</p>`;
}

/** Somebody, or something, was first. */
function Second({ problem }) {
  const { catalog } = useContext(Desk);
  const { title, detail, first, difference = [], state } = problem.body;
  return html`<div class="note bad" role="alert">
    <strong>${title}</strong>
    ${first && html`<p>${t("was_first", { who: html`<${Said} text=${first.by} />`, at: moment(first.at) })}</p>`}
    ${state && html`<p>${t("now_in", { state: t(`state.${state}`) })}</p>`}
    <p>${detail}</p>
    ${difference.length > 0 && html`<table class="values difference">
      <thead><tr><th scope="col">${t("field")}</th><th scope="col">${t("yours")}</th><th scope="col">${t("now")}</th></tr></thead>
      <tbody>${difference.map((one) => html`<tr><th scope="row">${label(catalog, one.field)}</th>
        <td><${Said} text=${show(one.yours)} /></td><td><${Said} text=${show(one.now)} /></td></tr>`)}</tbody>
    </table>`}
  </div>`;
}
