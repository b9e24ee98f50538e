// The files that follow a hire, and where each stands.
import { post } from "./api.js";
import { html, useState } from "./lib.js";
import { Card, Said, Wrong, useRole, useTask } from "./parts.js";
import { t } from "./words.js";

const TONES = { sent: "done", same: "ended", failed: "person", unknown: "person" };

export function Documents({ hire, changed }) {
  if (!hire.documents.length) return null;
  return html`<${Card} id="documents" title=${t("documents")}>
    <ul class="documents">${hire.documents.map((one) => html`<${Document} key=${one.n} one=${one} hire=${hire} changed=${changed} />`)}</ul>
  <//>`;
}

function Document({ one, hire, changed }) {
  const { sends } = useRole();
  const [sure, setSure] = useState(false);
  const task = useTask(async () => {
    await changed(await post(`/v1/hires/${hire.id}/documents/${one.n}/send`, undefined), t("document_says"));
    setSure(false);
  });
  const look = TONES[one.state] === "person";
  const again = look && sends && hire.state === "created";
  return html`<li>
    <p><strong><${Said} text=${one.name} /></strong> <span class="badge small ${TONES[one.state] ?? "busy"}">${t(`document.${one.state}`)}</span></p>
    <small>${t(`kind.${one.kind}`)}</small>
    ${look && html`<p>${one.says} ${one.remedy}</p>`}
    ${one.said && html`<p class="quote"><${Said} text=${one.said} /></p>`}
    ${again && !sure && html`<button type="button" onClick=${() => (one.state === "unknown" ? setSure(true) : task.run())} disabled=${task.busy}>
      ${t("send_again")}<span class="unseen"> <bdi>${one.name}</bdi></span></button>`}
    ${sure && html`<p class="note">${t("document_sure")}
      <button type="button" onClick=${() => task.run()} disabled=${task.busy}>${t("not_there")}</button></p>`}
    <${Wrong} problem=${task.problem} />
  </li>`;
}
