// A hire's history: who did what, when, and which fields changed.
import { Desk, html, useContext } from "./lib.js";
import { Card, Said, show } from "./parts.js";
import { has, moment, t } from "./words.js";
import { label, meaning } from "./codes.js";

export function Timeline({ hire }) {
  const entries = [...(hire.history ?? [])].reverse();
  return html`<${Card} id="history" title=${t("history")}>
    <ol class="timeline">${entries.map((entry) => html`<${Entry} entry=${entry} />`)}</ol>
  <//>`;
}

/** Who did it: a person, the ATS, or hirebridge by itself. */
export function actor(text) {
  const [kind, ...rest] = text.split(":");
  if (kind === "operator") return html`<${Said} text=${rest.join(":")} />`;
  return kind === "source" ? t("source_did", { source: html`<${Said} text=${rest.join(":")} />` }) : "hirebridge";
}

/** A state of the history, `name` or `name(reason)`, in a word. */
const stateName = (text) => t(`state.${text.replace(/\(.*$/, "")}`);

function Entry({ entry }) {
  const { codes } = useContext(Desk);
  const moved = entry.from !== entry.to && has(`state.${entry.to.replace(/\(.*$/, "")}`);
  return html`<li class=${entry.actor.startsWith("operator:") ? "person" : ""}>
    <p>${meaning(codes, "history", entry.cause)?.says ?? entry.cause}
      ${moved && html` <span class="badge small">${stateName(entry.to)}</span>`}</p>
    <${Fields} fields=${entry.fields} />
    ${entry.note && html`<p class="quote"><${Said} text=${entry.note} /></p>`}
    <small>${actor(entry.actor)}, <time datetime=${entry.at}>${moment(entry.at)}</time></small>
  </li>`;
}

function Fields({ fields }) {
  const { catalog } = useContext(Desk);
  if (!fields?.length) return null;
  return html`<ul class="changes">${fields.map(({ field, before, after }) => html`<li>
    ${label(catalog, field)}:${" "}<del><span class="unseen">${t("before")} </span><${Said} text=${show(before)} /></del>${" → "}<ins><span class="unseen">${t("after")} </span><${Said} text=${show(after)} /></ins></li>`)}</ul>`;
}
