// A plan as it is read: every value that Personio gets, what is left out, what to look at.
import { label, meaning, shape } from "./codes.js";
import { Desk, html, useContext } from "./lib.js";
import { Said, flat, show } from "./parts.js";
import { t } from "./words.js";

const ORDER = [
  "first_name", "last_name", "preferred_name", "email", "gender", "position", "department", "office", "subcompany",
  "hire_date", "weekly_working_hours", "status", "supervisor_id",
];

/** Attributes in the order in which people think of them; the company's own follow by their labels. */
export function ordered(catalog, keys) {
  const rank = (key) => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length);
  return [...new Set(keys)].sort((a, b) => rank(a) - rank(b) || label(catalog, a).localeCompare(label(catalog, b)));
}

/** A value as people call it: an option by its label. */
export function called(catalog, key, value) {
  const option = shape(catalog, key).options.find((one) => one.value === value);
  return option?.label ?? show(value);
}

/** Everything that Personio gets. */
export function Values({ plan }) {
  const { catalog, codes } = useContext(Desk);
  const values = flat(plan.employee);
  const keys = ordered(catalog, Object.keys(values));
  return html`
    <table class="values">
      <thead class="unseen"><tr><th scope="col">${t("field")}</th><th scope="col">${t("value")}</th></tr></thead>
      <tbody>${keys.map((key) => html`<tr key=${key}><th scope="row">${label(catalog, key)}</th>
        <td><${Said} text=${called(catalog, key, values[key])} /></td></tr>`)}</tbody>
    </table>
    ${plan.missing.length > 0 && html`<p class="hint">${t("left_out")} ${plan.missing.map((key) => label(catalog, key)).join(", ")}</p>`}
    ${plan.documents.length > 0 && html`<h3>${t("documents")}</h3>
      <ul class="plain-list">${plan.documents.map((one) => html`<li>${t(`kind.${one.kind}`)} → <${Said} text=${one.category} /></li>`)}</ul>`}
    <${Values.Warnings} warnings=${plan.warnings} codes=${codes} catalog=${catalog} />`;
}

/** What to look at, each with its field, its value and the values that Personio knows. */
Values.Warnings = ({ warnings, codes, catalog }) => {
  if (!warnings.length) return null;
  return html`<ul class="warnings">${warnings.map((one) => html`<li>
    <strong>${one.field ? html`${label(catalog, one.field)}: ` : ""}</strong>${meaning(codes, "warning", one.code)?.says ?? one.code}
    ${one.sent !== null && one.sent !== undefined && html` <q><${Said} text=${show(one.sent)} /></q>`}
    ${one.options.length > 0 && html`<span class="hint"> ${t("personio_knows")} <${Said} text=${one.options.slice(0, 5).join(", ")} /></span>`}
  </li>`)}</ul>`;
};
