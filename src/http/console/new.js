// A new hire: fetched by a candidate's link or id, or typed. It is kept, looked at, and sent once.
import { get, newKey, post } from "./api.js";
import { Desk, html, useContext, useEffect, useRef, useState } from "./lib.js";
import { Card, Wrong, useRole, useTask } from "./parts.js";
import { Values } from "./plan.js";
import { t } from "./words.js";

const FIELDS = [
  ["candidate", "first_name", "text"], ["candidate", "last_name", "text"], ["candidate", "email", "email"],
  ["job", "title", "text"], ["job", "department", "text"], ["job", "location", "text"], ["tenant", "name", "text"],
  ["offer", "start_date", "date"], ["offer", "weekly_hours", "number"],
];

export function New() {
  const { sends, name } = useRole();
  const [sources, setSources] = useState([]);
  const [hire, setHire] = useState({});
  const [plan, setPlan] = useState(null);
  // One key for all tries: whoever clicks twice, or again after a broken line, enters one hire.
  const key = useRef(newKey());
  useEffect(() => void get("/v1/sources").then((all) => setSources(all.sources), () => {}), []);
  const heading = html`<div class="headline"><h1>${t("new_title")}</h1></div>`;
  if (!sends) return html`${heading}<p class="note">${t("role_says", { role: t(`role.${name}`) })}</p>`;
  return html`${heading}
    <div class="columns">
      <div>
        <${Fetch} sources=${sources.filter((one) => one.can_be_asked)} />
        <${Typed} hire=${hire} sources=${sources} change=${(next) => { setHire(next); setPlan(null); }} show=${setPlan} held=${key} />
      </div>
      <div>${plan
        ? html`<${Preview} plan=${plan} />`
        : html`<${Card} id="plan" title=${t("would_send")}><p class="hint">${t("plan_later")}</p><//>`}</div>
    </div>`;
}

function Fetch({ sources }) {
  const { say } = useContext(Desk);
  const task = useTask(async (form) => {
    const hire = await post("/v1/hires/fetch", { source: form.get("source"), reference: form.get("reference").trim() });
    location.hash = `#/hires/${hire.id}`;
    say(t("fetched_says"));
  });
  const submit = (event) => {
    event.preventDefault();
    task.run(new FormData(event.target));
  };
  if (!sources.length) return null;
  return html`<${Card} id="fetch" title=${t("fetch")}>
    <p class="hint">${t("fetch_says")}</p>
    <form class="inline" onSubmit=${submit}>
      <div><label for="source">${t("source")}</label>
        <select id="source" name="source">${sources.map((one) => html`<option value=${one.name}>${one.name}</option>`)}</select></div>
      <div class="grow"><label for="reference">${t("reference")}</label>
        <input id="reference" name="reference" required autocomplete="off" spellcheck=${false} /></div>
      <button disabled=${task.busy}>${t("fetch_do")}</button>
    </form>
    <${Wrong} problem=${task.problem} />
  <//>`;
}

/** What may be asked of the API: groups without their empty fields, numbers as numbers. */
function filled(hire) {
  const { source, ...groups } = hire;
  const clean = {};
  for (const [group, fields] of Object.entries(groups)) {
    const entries = Object.entries(fields ?? {}).filter(([, value]) => value !== "" && value !== null);
    const number = ([name, value]) => [name, name === "weekly_hours" ? Number(String(value).replace(",", ".")) : value];
    if (entries.length) clean[group] = Object.fromEntries(entries.map(number));
  }
  return { ...clean, ...(source && { source }) };
}

function Typed({ hire, sources, change, show, held }) {
  const { say } = useContext(Desk);
  const preview = useTask(async () => {
    show((await post("/v1/hires/preview", filled(hire), { key: held.current })).plan);
    say(t("plan_shown"));
  });
  const keep = useTask(async () => {
    const stored = await post("/v1/hires", filled(hire), { key: held.current });
    location.hash = `#/hires/${stored.id}`;
    say(t("kept_says"));
  });
  const set = (group, name, value) => change({ ...hire, [group]: { ...hire[group], [name]: value } });
  const submit = (event) => {
    event.preventDefault();
    keep.run();
  };
  const errors = [preview.problem, keep.problem].flatMap((problem) => problem?.body.errors ?? []);
  const field = ([group, name, type]) => {
    const id = `${group}.${name}`;
    const wrong = errors.filter((one) => one.field === id);
    return html`<div class="field ${wrong.length ? "wrong" : ""}"><label for=${id}>${t(`fact.${id}`)}</label>
      <input id=${id} type=${type === "number" ? "text" : type} inputmode=${type === "number" ? "decimal" : undefined} dir="auto" autocomplete="off"
        required=${group === "candidate"} value=${hire[group]?.[name] ?? ""} onInput=${(event) => set(group, name, event.target.value)}
        aria-describedby="${id}-says" />
      <div class="says" id="${id}-says">${wrong.map((one) => html`<p class="doubt">${one.message}</p>`)}</div></div>`;
  };
  return html`<${Card} id="typed" title=${t("typed")}>
    <p class="hint">${t("typed_says")}</p>
    <form onSubmit=${submit}>
      <div class="fields">${FIELDS.map(field)}
        ${sources.length > 0 && html`<div class="field"><label for="rules">${t("rules_of")}</label>
          <select id="rules" onChange=${(event) => change({ ...hire, source: event.target.value || undefined })}>
            <option value="">${t("rules_general")}</option>
            ${sources.map((one) => html`<option value=${one.name} selected=${hire.source === one.name}>${one.name}</option>`)}
          </select></div>`}
      </div>
      <${Wrong} problem=${preview.problem ?? keep.problem} />
      <div class="submit">
        <button type="button" onClick=${() => preview.run()} disabled=${preview.busy}>${t("show_plan")}</button>
        <button class="primary" disabled=${keep.busy}>${t("keep")}</button>
      </div>
    </form>
  <//>`;
}

const Preview = ({ plan }) => html`<${Card} id="plan" title=${t("would_send")}>
  <${Values} plan=${plan} />
  <p class="note">${t(plan.sendable ? "preview_says" : "not_sendable")}</p>
<//>`;
