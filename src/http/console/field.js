// One value of the plan, to be corrected.
import { label, meaning, shape } from "./codes.js";
import { Desk, html, useContext, useState } from "./lib.js";
import { Said, show } from "./parts.js";
import { called } from "./plan.js";
import { t } from "./words.js";

export function Field({ name, value, original, corrected, missing, needed, warnings, errors, correct, always }) {
  const { catalog, codes } = useContext(Desk);
  const id = `field-${name}`;
  const doubtful = warnings.length > 0 && !corrected;
  const classes = ["field", errors.length || needed || doubtful ? "wrong" : "", corrected ? "corrected" : ""];
  const options = corrected ? [] : [...new Set(warnings.flatMap((one) => one.options))].slice(0, 5);
  const change = (text) => correct(text === show(original) || text === String(original ?? "") ? undefined : text === "" ? null : text);
  const offered = (one) => html`<button type="button" class="chip" onClick=${() => correct(one)}>
    <span class="unseen">${t("use")} </span><bdi>${one}</bdi></button>`;
  return html`<div class=${classes.join(" ")}>
    <label for=${id}>${label(catalog, name)}</label>
    <${Input} id=${id} name=${name} value=${value} change=${change} described=${`${id}-says`} invalid=${errors.length > 0} />
    <div class="says" id="${id}-says">
      ${missing && html`<p class=${needed ? "doubt" : "hint"}>${t(needed ? "needed" : "missing")}</p>`}
      ${doubtful && warnings.map((one) => html`<p class="doubt">${meaning(codes, "warning", one.code)?.says ?? one.code}
        ${one.sent !== null && one.sent !== undefined && one.sent !== value && html` <q><${Said} text=${show(one.sent)} /></q>`}</p>`)}
      ${errors.map((one) => html`<p class="doubt" role="alert"><${Said} text=${one.message} /></p>`)}
      ${options.length > 0 && html`<p class="chips">${t("did_you_mean")} ${options.map(offered)}</p>`}
      ${corrected && html`<p class="undo">${t("was")} <${Said} text=${called(catalog, name, original)} />
        <button type="button" class="link" onClick=${() => correct(undefined)}>${t("undo")}<span class="unseen"> ${label(catalog, name)}</span></button></p>`}
      ${corrected && value !== null && always && always.from && html`<label class="always"><input type="checkbox" checked=${always.set}
        onChange=${(event) => always.change(event.target.checked)} />
        <span>${t("always", { from: html`<q><${Said} text=${show(always.from)} /></q>`, to: html`<q><${Said} text=${show(value)} /></q>` })}</span></label>`}
    </div>
  </div>`;
}

/** The control that fits the attribute. It tells of a change when that is complete; until then what is typed stays. */
function Input({ id, name, value, change, described, invalid }) {
  const { catalog } = useContext(Desk);
  const { kind, options } = shape(catalog, name);
  const [draft, setDraft] = useState(null);
  const stored = value === null || value === undefined ? "" : Array.isArray(value) ? value.join(", ") : String(value);
  const text = draft ?? stored;
  const common = {
    id,
    name,
    "aria-describedby": described,
    "aria-invalid": invalid ? "true" : undefined,
    onInput: (event) => setDraft(event.target.value),
    onChange: (event) => {
      setDraft(null);
      const typed = event.target.value.trim();
      if (typed !== stored) change(kind === "number" ? typed.replace(",", ".") : typed);
    },
  };
  if (kind === "choice") {
    const known = options.some((one) => one.value === text);
    return html`<select ...${common}>
      <option value="" selected=${text === ""}>${t("leave_out")}</option>
      ${text !== "" && !known && html`<option value=${text} selected>${text}</option>`}
      ${options.map((one) => html`<option value=${one.value} selected=${one.value === text}>${one.label}</option>`)}
    </select>`;
  }
  if (kind === "lines") return html`<textarea ...${common} rows="2" dir="auto" value=${text}></textarea>`;
  const date = kind === "date" && (text === "" || /^\d{4}-\d{2}-\d{2}$/.test(text));
  const type = { type: date ? "date" : name === "email" ? "email" : "text", inputmode: kind === "number" ? "decimal" : undefined };
  const list = options.length > 0 ? `${id}-options` : undefined;
  return html`<input ...${common} ...${type} list=${list} value=${text} dir="auto" autocomplete="off" spellcheck=${false} />
    ${list && html`<datalist id=${list}>${options.map((one) => html`<option value=${one.value}>${one.label}</option>`)}</datalist>`}`;
}
