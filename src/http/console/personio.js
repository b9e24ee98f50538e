// What is in Personio now: asked when somebody wants to see it, and kept nowhere.
import { get } from "./api.js";
import { label } from "./codes.js";
import { Desk, html, useContext, useState } from "./lib.js";
import { Card, Out, Said, Wrong, useTask } from "./parts.js";
import { called, ordered } from "./plan.js";
import { t } from "./words.js";

export function Existing({ hire }) {
  const [found, setFound] = useState(null);
  const task = useTask(async () => setFound(await get(`/v1/hires/${hire.id}/personio`)));
  if (["received", "ready", "sending", "erased", "ignored"].includes(hire.state)) return null;
  return html`<${Card} id="existing" title=${t("in_personio_now")}>
    <p class="hint">${t("existing_says")}</p>
    <button type="button" onClick=${() => task.run()} disabled=${task.busy}>${t(found ? "look_anew" : "look")}</button>
    <div role="status">${found && html`<${Found} found=${found} />`}</div>
    <${Wrong} problem=${task.problem} />
  <//>`;
}

function Found({ found }) {
  if (!found.people.length) return html`<p>${t("nobody_there")}</p>`;
  return found.people.map((one) => html`<${Person} one=${one} />`);
}

function Person({ one }) {
  const { catalog } = useContext(Desk);
  const fields = new Map(one.fields.map((field) => [field.field, field]));
  const differs = one.fields.some(({ verdict }) => ["other", "empty"].includes(verdict));
  const there = ({ field, verdict, there }) => {
    if (verdict === "other") return html`<${Said} text=${called(catalog, field, there)} />`;
    return t(`there.${verdict}`);
  };
  return html`
    <p><${Out} href=${one.employee.url}>${t("employee_id", { id: one.employee.id })}<//>
      ${one.status && html` <span class="badge small">${t(`status.${one.status}`)}</span>`}</p>
    <p class="hint">${t(differs ? "differs" : "agrees")}</p>
    <table class="values difference">
      <thead><tr><th scope="col">${t("field")}</th><th scope="col">${t("ours")}</th><th scope="col">${t("there")}</th></tr></thead>
      <tbody>${ordered(catalog, fields.keys()).map((key) => html`<tr class=${["other", "empty"].includes(fields.get(key).verdict) ? "differs" : ""}>
        <th scope="row">${label(catalog, key)}</th><td><${Said} text=${called(catalog, key, fields.get(key).planned)} /></td><td>${there(fields.get(key))}</td></tr>`)}</tbody>
    </table>`;
}
