// Small parts that many pages use. Text from elsewhere is only ever text, set apart by <bdi>.
import { Desk, html, useContext, useState } from "./lib.js";
import { ago, day, moment, t } from "./words.js";

/** Text from elsewhere: an unclosed right-to-left override ends with it. */
export const Said = ({ text }) => html`<bdi dir="auto">${show(text)}</bdi>`;

/** A value as people read it. */
export function show(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (Array.isArray(value)) return value.map(show).join(", ");
  // An e-mail address among several is told with its kind.
  if (typeof value === "object") return value.address ?? JSON.stringify(value);
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  return day(String(value));
}

/** A moment, with how long ago it was. */
export const When = ({ at }) => html`<time datetime=${at} title=${moment(at)}>${ago(at)}</time>`;

/** A link out of the page, if it leads to the web and nowhere else. */
export function Out({ href, children }) {
  if (!/^https?:\/\//i.test(href ?? "")) return html`<span>${children}</span>`;
  return html`<a class="out" href=${href} target="_blank" rel="noopener noreferrer">${children}<span class="unseen"> ${t("new_tab")}</span></a>`;
}

const TONES = { held: "person", unknown: "person", created: "done", cancelled: "ended", ignored: "ended", erased: "ended" };

/** How urgent a hire looks. */
export function tone(hire) {
  if (hire.flags.dismissed) return "ended";
  if (hire.flags.unhired || hire.flags.double || (hire.state === "created" && hire.flags.warnings)) return "person";
  return TONES[hire.state] ?? "busy";
}

export const Badge = ({ hire }) =>
  html`<span class="badge ${tone(hire)}">${t(hire.flags.dismissed ? "dismissed" : `state.${hire.state}`)}</span>`;

/** The name of a hire's person, as far as it is known; else the id at the ATS. */
export function name(hire) {
  const planned = hire.plan?.employee ?? {};
  const told = hire.facts?.candidate ?? {};
  const of = (key) => planned[key] ?? told[key];
  const parts = [of("first_name"), of("last_name")].filter(Boolean);
  return parts.length ? parts.join(" ") : (told.full_name ?? of("email") ?? hire.ats_id);
}

/** Attribute → value of a plan, the company's own attributes beside Personio's. */
export function flat(employee = {}) {
  const { custom_attributes: own = {}, ...system } = employee ?? {};
  return { ...system, ...own };
}

/** What went wrong, with what to do. */
export function Wrong({ problem }) {
  if (!problem) return null;
  const { title, detail, errors = [] } = problem.body ?? {};
  return html`<div class="note bad" role="alert">
    <strong>${title ?? t(problem.code === "unreachable" ? "unreachable" : "unexpected")}</strong>
    ${detail && html`<p><${Said} text=${detail} /></p>`}
    ${errors.length > 0 && html`<ul>${errors.map((e) => html`<li><code>${e.field}</code> <${Said} text=${e.message} /></li>`)}</ul>`}
  </div>`;
}

/** A thing that is done once at a time: what to call, whether it runs, what went wrong. */
export function useTask(work) {
  const [state, set] = useState({ busy: false, problem: null });
  const run = async (...values) => {
    set({ busy: true, problem: null });
    try {
      const result = await work(...values);
      set({ busy: false, problem: null });
      return result;
    } catch (problem) {
      set({ busy: false, problem });
      return undefined;
    }
  };
  return { ...state, run, clear: () => set({ busy: false, problem: null }) };
}

/** What a role may do, and what the page says to those who may not. */
export function useRole() {
  const { session } = useContext(Desk);
  const rank = ["viewer", "sender", "admin"].indexOf(session.role);
  return { sends: rank >= 1, administers: rank >= 2, name: session.role };
}

/** A heading with its content, as a card. */
export const Card = ({ title, id, aside, children }) => html`<section class="card" aria-labelledby=${id}>
  <header><h2 id=${id}>${title}</h2>${aside}</header>
  ${children}
</section>`;
