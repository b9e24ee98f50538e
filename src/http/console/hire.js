// The page of one hire: where it stands, what would be sent, what a person can do.
import { get } from "./api.js";
import { Actions } from "./actions.js";
import { meaning, particular } from "./codes.js";
import { Documents } from "./documents.js";
import { Facts } from "./facts.js";
import { Desk, html, useContext, useEffect, useRef, useState } from "./lib.js";
import { About } from "./list.js";
import { Badge, Card, Out, Said, Wrong, name, tone, useRole } from "./parts.js";
import { Existing } from "./personio.js";
import { PlanForm } from "./plan-form.js";
import { Values } from "./plan.js";
import { Timeline, actor } from "./timeline.js";
import { moment, t } from "./words.js";

/** States in which a person may send a hire. */
export const sendable = (hire) => ["held", "cancelled", "ignored"].includes(hire.state);

export function Hire({ id }) {
  const { whenChanged, say } = useContext(Desk);
  const [hire, setHire] = useState(null);
  const [problem, setProblem] = useState(null);
  const newest = useRef(0);
  const state = useRef(null);
  const load = async () => {
    const turn = (newest.current += 1);
    try {
      const answer = await get(`/v1/hires/${id}`);
      if (turn !== newest.current) return;
      // Whoever is about to decide hears that it has moved on.
      if (state.current && state.current !== answer.state) say(t("moved_on", { state: t(`state.${answer.state}`) }));
      state.current = answer.state;
      setHire(answer);
    } catch (problem) {
      if (turn === newest.current) setProblem(problem);
    }
  };
  /** After an action: reads the hire again with all that belongs to it, and says what was done. */
  const changed = async (answer, words) => {
    await load();
    if (words) say(words);
  };
  useEffect(() => void load(), [id]);
  useEffect(() => whenChanged(load), [id]);

  return html`<p class="back"><a href="#/">← ${t("hires")}</a></p>
    ${!hire && html`<h1>${t("hire")}</h1>`}
    <${Wrong} problem=${problem} />
    ${hire && html`<${Shown} hire=${hire} changed=${changed} />`}`;
}

function Shown({ hire, changed }) {
  const { sends } = useRole();
  const editable = sends && sendable(hire);
  return html`
    <div class="headline"><div><h1><${Said} text=${name(hire)} /></h1><${About} hire=${hire} /></div><${Badge} hire=${hire} /></div>
    <${Standing} hire=${hire} />
    <div class="columns">
      <div>
        ${editable ? html`<${PlanForm} hire=${hire} changed=${changed} />` : html`<${Plan} hire=${hire} sends=${sends} />`}
        <${Existing} hire=${hire} />
        <${Facts} hire=${hire} />
      </div>
      <div>
        <${Actions} hire=${hire} changed=${changed} />
        <${Documents} hire=${hire} changed=${changed} />
        <${Timeline} hire=${hire} />
      </div>
    </div>`;
}

/** Where the hire stands and what to do, in words; once it is in Personio, since when and by whom. */
function Standing({ hire }) {
  const { codes } = useContext(Desk);
  const flags = Object.entries(hire.flags).filter(([flag, set]) => set && ["dismissed", "unhired", "double"].includes(flag));
  const done = hire.state === "created";
  return html`<section class="standing ${tone(hire)}" aria-label=${t("standing")}>
    ${done && html`<${InPersonio} hire=${hire} />`}
    ${!(done && tone(hire) === "done") && html`<p><strong>${hire.says}</strong></p>`}
    ${hire.remedy && tone(hire) === "person" && html`<p>${hire.remedy}</p>`}
    ${flags.map(([flag]) => html`<p class="flag"><strong>${meaning(codes, "flag", flag)?.says}</strong> ${meaning(codes, "flag", flag)?.remedy}</p>`)}
    ${hire.doubles.length > 0 && html`<p>${t("doubles")} ${hire.doubles.map((one) => html`<${Out} href=${one.url}>${t("employee_id", { id: one.id })}<//> `)}</p>`}
    ${done && html`<${Warnings} warnings=${hire.warnings} />`}
    <${Notes} notes=${hire.notes} />
  </section>`;
}

/** "In Personio since … by …", with the link to the profile. */
function InPersonio({ hire }) {
  const history = hire.history ?? [];
  const at = history.find((entry) => entry.to.startsWith("created"))?.at ?? hire.updated_at;
  const by = history.findLast((entry) => ["approved", "linked"].includes(entry.cause) && entry.at <= at);
  const first = by ?? history[0];
  const who = by ? actor(by.actor) : first ? t("automatically", { source: actor(first.actor) }) : "hirebridge";
  return html`<p class="in-personio" id="in-personio">
    <span><span aria-hidden="true">✓ </span>${t("in_personio", { at: html`<time datetime=${at}>${moment(at)}</time>`, who })}</span>
    ${hire.employee && html`<${Out} href=${hire.employee.url}>${hire.employee.url ? t("open_profile") : t("employee_id", { id: hire.employee.id })}<//>`}
  </p>`;
}

/** Warnings in words, as a list. */
export function Warnings({ warnings }) {
  const { codes, catalog } = useContext(Desk);
  if (!warnings.length) return null;
  return html`<${Values.Warnings} warnings=${warnings} codes=${codes} catalog=${catalog} />`;
}

function Notes({ notes }) {
  const { codes } = useContext(Desk);
  if (!notes.length) return null;
  const one = (note) => {
    const more = particular(codes, "note", note);
    return html`<li>${meaning(codes, "note", note)?.says ?? note}${more && html` (<${Said} text=${more} />)`}</li>`;
  };
  return html`<details class="notes"><summary>${t("notes", { n: notes.length })}</summary><ul>${notes.map(one)}</ul></details>`;
}

/** What was sent, or would be, to those who cannot change it. */
function Plan({ hire, sends }) {
  if (!hire.plan) return null;
  const title = ["created", "sending", "unknown"].includes(hire.state) ? "sent" : "would_send";
  return html`<${Card} id="plan" title=${t(title)}>
    ${!sends && html`<p class="hint" id="why-not">${t("viewer_says")}</p>`}
    <${Values} plan=${hire.plan} />
  <//>`;
}
