// What is in Personio now: asked when somebody wants to see it, and kept nowhere.
import { get } from "./api.js";
import { label } from "./codes.js";
import { Desk, html, useContext, useState } from "./lib.js";
import { Card, Out, Said, Wrong, show, useTask } from "./parts.js";
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
  const { catalog } = useContext(Desk);
  const { employee, differences = [], values = {} } = found;
  if (!employee) return html`<p>${t("nobody_there")}</p>`;
  const differs = new Map(differences.map((one) => [one.field, one]));
  const keys = ordered(catalog, [...Object.keys(values), ...differs.keys()]);
  return html`
    <p><${Out} href=${employee.url}>${t("employee_id", { id: employee.id })}<//>
      ${employee.status && html` <span class="badge small">${t(`status.${employee.status}`)}</span>`}</p>
    <p class="hint">${differences.length ? t("differs") : t("agrees")}</p>
    <table class="values difference">
      <thead><tr><th scope="col">${t("field")}</th><th scope="col">${t("there")}</th><th scope="col">${t("ours")}</th></tr></thead>
      <tbody>${keys.map((key) => {
        const one = differs.get(key);
        return html`<tr class=${one ? "differs" : ""}><th scope="row">${label(catalog, key)}</th>
          <td><${Said} text=${called(catalog, key, one ? one.there : values[key])} /></td>
          <td>${one ? html`<${Said} text=${called(catalog, key, one.sent)} />` : t("same")}</td></tr>`;
      })}</tbody>
    </table>`;
}
