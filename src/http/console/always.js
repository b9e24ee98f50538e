// Values that are always translated, once an admin has confirmed them.
import { ask, get, post } from "./api.js";
import { label } from "./codes.js";
import { Desk, html, useContext, useEffect, useState } from "./lib.js";
import { Card, Said, When, Wrong, useRole, useTask } from "./parts.js";
import { t } from "./words.js";

export function Always() {
  const [values, setValues] = useState([]);
  const load = () => get("/v1/values").then((all) => setValues(all.values), () => {});
  useEffect(() => void load(), []);
  if (!values.length) return null;
  return html`<${Card} id="always" title=${t("always_title")}>
    <p class="hint">${t("always_says")}</p>
    <ul class="sources">${values.map((one) => html`<${Value} key=${one.id} one=${one} load=${load} />`)}</ul>
  <//>`;
}

function Value({ one, load }) {
  const { catalog, say } = useContext(Desk);
  const { administers } = useRole();
  const task = useTask(async (work, words) => {
    await work();
    await load();
    say(t(words));
  });
  const confirm = () => task.run(() => post(`/v1/values/${one.id}/confirm`), "confirmed_says");
  const revoke = () => task.run(() => ask("DELETE", `/v1/values/${one.id}`), "revoked_says");
  return html`<li>
    <p><${Said} text=${one.source} />, ${label(catalog, one.attribute)}: <q><${Said} text=${one.from} /></q> → <q><${Said} text=${one.to} /></q>
      ${" "}<span class="badge small ${one.confirmed ? "done" : "person"}">${t(one.confirmed ? "confirmed" : "proposed")}</span></p>
    <small><${Said} text=${(one.confirmed ?? one.proposed).by} />, <${When} at=${(one.confirmed ?? one.proposed).at} /></small>
    ${administers && html`<p class="buttons">
      ${!one.confirmed && html`<button type="button" onClick=${confirm} disabled=${task.busy}>${t("confirm")}</button>`}
      <button type="button" class="plain" onClick=${revoke} disabled=${task.busy}>${t("revoke")}</button></p>`}
    <${Wrong} problem=${task.problem} />
  </li>`;
}
