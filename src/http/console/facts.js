// What the ATS said, as it said it.
import { html } from "./lib.js";
import { Card, Said, show } from "./parts.js";
import { has, t } from "./words.js";

const GROUPS = ["candidate", "job", "offer", "application", "tenant", "custom"];

export function Facts({ hire }) {
  const of = (group) => Object.entries(hire.facts?.[group] ?? {});
  const known = GROUPS.reduce((n, group) => n + of(group).length, 0);
  if (!known) return null;
  return html`<${Card} id="facts" title=${t("facts")}>
    <p class="hint">${t("facts_says", { id: html`<code><${Said} text=${hire.ats_id} /></code>` })}</p>
    <details><summary>${t("facts_show", { n: known })}</summary>
      ${GROUPS.filter((group) => of(group).length).map((group) => html`<h3>${t(`group.${group}`)}</h3>
        <table class="values"><tbody>${of(group).map(([name, value]) => html`<tr>
          <th scope="row">${called(group, name)}</th><td><${Said} text=${show(value)} /></td></tr>`)}</tbody></table>`)}
    </details>
  <//>`;
}

/** A fact as people call it; a custom field by its own title. */
function called(group, name) {
  return has(`fact.${group}.${name}`) ? t(`fact.${group}.${name}`) : html`<${Said} text=${name} />`;
}
