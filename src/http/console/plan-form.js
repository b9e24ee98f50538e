// The plan as a form: each value that Personio would get, with its warnings, to be corrected.
import { post } from "./api.js";
import { label, meaning } from "./codes.js";
import { Field } from "./field.js";
import { Desk, html, useContext, useEffect, useRef, useState } from "./lib.js";
import { Card, Wrong, flat } from "./parts.js";
import { ordered } from "./plan.js";
import { Send } from "./send.js";
import { count, t } from "./words.js";

// Without these nothing is ever sent; whether another one is required too, the rules say.
const ALWAYS_REQUIRED = ["email", "first_name", "last_name"];

// Values that belong to one person each: "always" would make no sense of them.
const PERSONAL = ["email", "first_name", "last_name", "preferred_name", "hire_date"];

export function PlanForm({ hire, changed }) {
  const { catalog } = useContext(Desk);
  const [plan, setPlan] = useState(hire.plan);
  const [corrections, setCorrections] = useState({});
  const [always, setAlways] = useState([]);
  const [added, setAdded] = useState([]);
  const [problem, setProblem] = useState(null);
  const [sending, setSending] = useState(false);
  const newest = useRef(0);
  // What is corrected by now, also in the moment between a change and the next drawing.
  const current = useRef({});

  const preview = async (corrections) => {
    const turn = (newest.current += 1);
    try {
      const answer = await post(`/v1/hires/${hire.id}/preview`, { corrections });
      if (turn !== newest.current) return null;
      setPlan(answer.plan);
      setProblem(null);
      return answer.plan;
    } catch (problem) {
      if (turn === newest.current) setProblem(problem);
      return null;
    }
  };
  // What the catalog or the rules know by now may be more than when the plan was made; and the hire may change meanwhile.
  useEffect(() => void preview(current.current), [hire.plan?.hash]);

  const correct = (key, value) => {
    const { [key]: _, ...others } = current.current;
    const next = value === undefined ? others : { ...others, [key]: value };
    current.current = next;
    setCorrections(next);
    if (value === undefined || value === null) setAlways(always.filter((one) => one !== key));
    preview(next);
  };
  const review = async (event) => {
    event.preventDefault();
    const newer = await preview(current.current);
    if (newer?.sendable) return setSending(true);
    if (newer) document.querySelector(".field.wrong :is(input, select, textarea)")?.focus();
  };

  const original = flat(hire.plan?.employee);
  const planned = flat(plan?.employee);
  const warnings = plan?.warnings ?? [];
  const missing = plan?.missing ?? [];
  const errors = problem?.status === 422 ? (problem.body.errors ?? []) : [];
  const fields = warnings.map((one) => one.field).filter((key) => key && isAttribute(key));
  const keys = ordered(catalog, [...Object.keys(original), ...Object.keys(planned), ...missing, ...fields, ...Object.keys(corrections), ...added]);
  const basic = missing.filter((key) => ALWAYS_REQUIRED.includes(key));
  const needed = (key) => !plan?.sendable && (basic.length ? basic : missing).includes(key);
  const field = (key) => {
    const about = warnings.filter((one) => one.field === key);
    return html`<${Field} key=${key} name=${key} value=${key in corrections ? corrections[key] : planned[key]} original=${original[key]}
      corrected=${key in corrections} missing=${missing.includes(key) && !(key in corrections)} needed=${needed(key)} warnings=${about}
      errors=${errors.filter((one) => one.field === key)} correct=${(value) => correct(key, value)}
      always=${hire.source !== "manual" && !PERSONAL.includes(key) && { set: always.includes(key), from: about.find((one) => one.sent)?.sent ?? original[key],
        change: (yes) => setAlways(yes ? [...always, key] : always.filter((one) => one !== key)) }} />`;
  };
  const changes = Object.keys(corrections).length;

  return html`<${Card} id="plan" title=${t("plan")}>
    <p class="hint">${t("plan_says")}</p>
    <form onSubmit=${review} novalidate>
      <div class="fields">${keys.map(field)}</div>
      <${More} shown=${keys} add=${(key) => setAdded([...added, key])} />
      <${General} warnings=${warnings.filter((one) => !one.field || !isAttribute(one.field))} />
      ${!errors.some((one) => keys.includes(one.field)) && html`<${Wrong} problem=${problem} />`}
      ${plan && !plan.sendable && !problem && html`<p class="note bad" role="status">${t("not_sendable")}</p>`}
      <div class="submit">
        <span class="hint">${changes > 0 ? count("corrected", changes) : ""}</span>
        <button class="primary" aria-haspopup="dialog">${t("review_and_send")}</button>
      </div>
    </form>
    ${sending && html`<${Send} hire=${hire} plan=${plan} corrections=${corrections} always=${always}
      close=${() => setSending(false)} look=${() => preview(corrections)} changed=${changed} />`}
  <//>`;
}

const isAttribute = (key) => !key.includes(".");

/** A field that the plan does not have. */
function More({ shown, add }) {
  const { catalog } = useContext(Desk);
  const others = (catalog?.attributes ?? []).filter((one) => !shown.includes(one.key));
  if (!others.length) return null;
  const choose = (event) => {
    const key = event.target.value;
    event.target.value = "";
    add(key);
    requestAnimationFrame(() => document.getElementById(`field-${key}`)?.focus());
  };
  return html`<p class="add"><label class="unseen" for="add-field">${t("add_field")}</label>
    <select id="add-field" onChange=${choose}><option value="">+ ${t("add_field")}</option>
      ${others.map((one) => html`<option value=${one.key}>${label(catalog, one.key)}</option>`)}</select></p>`;
}

/** What to look at that belongs to no field. */
function General({ warnings }) {
  const { codes } = useContext(Desk);
  return warnings.map((one) => html`<p class="note">${meaning(codes, "warning", one.code)?.says ?? one.code}
    ${" "}${meaning(codes, "warning", one.code)?.remedy}</p>`);
}
