// How Personio and the sources are doing, what is always translated, and the self-check.
import { get } from "./api.js";
import { meaning } from "./codes.js";
import { ailing } from "./health.js";
import { Desk, html, useContext, useEffect, useState } from "./lib.js";
import { Card, Said, When, Wrong, useRole, useTask } from "./parts.js";
import { Always } from "./always.js";
import { moment, t } from "./words.js";

export function Status() {
  const { whenChanged } = useContext(Desk);
  const role = useRole();
  const [all, setAll] = useState(null);
  const task = useTask(async () => {
    const [sources, status] = await Promise.all([get("/v1/sources"), get("/v1/status").catch(() => null)]);
    setAll({ ...sources, status });
  });
  useEffect(() => {
    task.run();
    return whenChanged(() => task.run());
  }, []);
  return html`
    <div class="headline"><h1>${t("status")}</h1></div>
    <${Wrong} problem=${task.problem} />
    ${all && html`<${Personio} all=${all} /><${Sources} sources=${all.sources} since=${all.since} />`}
    <${Always} />
    ${role.administers && html`<${Check} />`}`;
}

function Personio({ all }) {
  const { state, next_try_at: next } = all.status?.personio ?? all.personio;
  const good = ["ok", "not_asked_yet"].includes(state);
  const counts = Object.entries(all.status?.hires ?? {}).filter(([, n]) => n > 0);
  return html`<${Card} id="personio" title="Personio" aside=${html`<span class="badge ${good ? "done" : "person"}">${t(`personio.${state}`)}</span>`}>
    <p>${t(`personio.${state}.says`)}</p>
    ${next && html`<p class="hint">${t("next_try", { at: moment(next) })}</p>`}
    ${counts.length > 0 && html`<ul class="counts">${counts.map(([state, n]) => html`<li>${t(`state.${state}`)}: <strong>${n}</strong></li>`)}</ul>`}
    ${all.status?.oldest_unfinished_at && html`<p class="hint">${t("oldest")} <${When} at=${all.status.oldest_unfinished_at} /></p>`}
  <//>`;
}

function Sources({ sources, since }) {
  return html`<${Card} id="sources" title=${t("sources")}>
    <p class="hint">${t("counted_since", { at: moment(since) })}</p>
    <ul class="sources">${sources.map((one) => html`<${Source} one=${one} />`)}</ul>
  <//>`;
}

const SOUND = { works: "done", silent: "ended", paused: "ended" };

function Source({ one }) {
  const { codes } = useContext(Desk);
  const health = ailing(one);
  const refusal = one.last_refusal && meaning(codes, "refusal", one.last_refusal.reason);
  const poll = one.poll?.last_error && meaning(codes, "poll", one.poll.last_error.code);
  const row = (words, value) => value && html`<tr><th scope="row">${t(words)}</th><td>${value}</td></tr>`;
  return html`<li>
    <h3><${Said} text=${one.name} /> <span class="badge small ${SOUND[health] ?? "person"}">${t(`source.${health}`)}</span></h3>
    <table class="values"><tbody>
      ${row("kind", html`<${Said} text=${one.kind} />`)}
      ${row("last_delivery", one.last_delivery_at && html`<${When} at=${one.last_delivery_at} />`)}
      ${row("last_hire", one.last_hire && html`<a href="#/hires/${one.last_hire.id}"><${When} at=${one.last_hire.at} /></a>`)}
      ${row("last_refusal", one.last_refusal && html`<${When} at=${one.last_refusal.at} />: ${refusal?.says ?? one.last_refusal.reason} ${refusal?.remedy}`)}
      ${row("last_poll", one.poll && html`${one.poll.last_success_at ? html`<${When} at=${one.poll.last_success_at} />` : "–"} ${one.poll.failures > 0 && html`${poll?.says} ${poll?.remedy}`}`)}
      ${row("address", html`<code><${Said} text=${one.url} /></code>`)}
    </tbody></table>
  </li>`;
}

const VERDICTS = { ok: "done", warning: "person", problem: "bad", not_checkable: "ended" };

function Check() {
  const [report, setReport] = useState(null);
  const task = useTask(async () => setReport(await get("/v1/check")));
  return html`<${Card} id="check" title=${t("check")}>
    <p class="hint">${t("check_says")}</p>
    <button type="button" onClick=${() => task.run()} disabled=${task.busy}>${t(task.busy ? "checking" : "check_do")}</button>
    <div role="status">${report && html`<p><strong>${t(report.healthy ? "healthy" : "not_healthy")}</strong></p>
      <ul class="sources">${report.findings.map((one) => html`<li>
        <p><span class="badge small ${VERDICTS[one.verdict]}">${t(`verdict.${one.verdict}`)}</span> <strong>${one.about}</strong>: <${Said} text=${one.found} /></p>
        ${one.verdict !== "ok" && one.remedy && html`<p class="hint"><${Said} text=${one.remedy} /></p>`}</li>`)}</ul>`}</div>
    <${Wrong} problem=${task.problem} />
  <//>`;
}
