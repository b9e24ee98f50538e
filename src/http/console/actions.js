// What else a person can do with a hire: say which employee it is, take it off the list, read it again, erase it.
import { ask, post } from "./api.js";
import { Dialog } from "./dialog.js";
import { Desk, html, useContext, useState } from "./lib.js";
import { Card, Wrong, useRole, useTask } from "./parts.js";
import { t } from "./words.js";

const DIALOGS = { link: Link, dismiss: Dismiss, replay: Replay, erase: Erase };

/** What can be done to this hire in its state; what the role does not allow is not offered. */
function possible(hire, role) {
  const held = hire.state === "held";
  const listed = held || hire.flags.unhired || hire.flags.double || hire.flags.warnings;
  return [
    role.sends && held && "link",
    role.sends && listed && (hire.flags.dismissed ? "undismiss" : "dismiss"),
    role.administers && hire.source !== "manual" && !["created", "sending", "unknown", "erased"].includes(hire.state) && "replay",
    role.administers && "export",
    role.administers && "erase",
  ].filter(Boolean);
}

export function Actions({ hire, changed }) {
  const role = useRole();
  const [open, setOpen] = useState(null);
  const undo = useTask(async () => {
    const after = await post(`/v1/hires/${hire.id}/dismiss`, { dismissed: false }, { match: hire.etag });
    await changed(after, t("undismissed_says"));
  });
  const take = useTask(async () => save(await post("/v1/people/export", { hire: hire.id }), `hirebridge-${hire.id}.json`));
  const todo = possible(hire, role);
  if (!role.sends) {
    return html`<${Card} id="actions" title=${t("actions")}><p class="hint">${t("role_says", { role: t(`role.${role.name}`) })}</p><//>`;
  }
  if (!todo.length) return null;
  const act = { undismiss: () => undo.run(), export: () => take.run() };
  const Open = DIALOGS[open];
  return html`<${Card} id="actions" title=${t("actions")}>
    <ul class="actions">${todo.map((name) => html`<li><button type="button" class=${name === "erase" ? "danger" : "plain"}
      aria-haspopup=${act[name] ? undefined : "dialog"} onClick=${act[name] ?? (() => setOpen(name))}>${t(`action.${name}`)}</button>
      <span class="hint">${t(`action.${name}.says`)}</span></li>`)}</ul>
    <${Wrong} problem=${undo.problem ?? take.problem} />
    ${Open && html`<${Open} hire=${hire} changed=${changed} close=${() => setOpen(null)} />`}
  <//>`;
}

/** Gives the browser a file to keep. */
function save(json, name) {
  const url = URL.createObjectURL(new Blob([JSON.stringify(json, null, 2)], { type: "application/json" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}

/** A dialog with one form: what it asks for, and what is done with it. */
function Form({ name, close, danger, work, children }) {
  const task = useTask(work);
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    if (await task.run(form)) close();
  };
  const action = html`<button form="form" class=${danger ? "danger" : "primary"} disabled=${task.busy}>${t(`action.${name}.do`)}</button>`;
  return html`<${Dialog} title=${t(`action.${name}`).replace(/ ?…$/, "")} close=${close} busy=${task.busy} actions=${action}>
    <p>${t(`action.${name}.long`)}</p>
    <form id="form" onSubmit=${submit}>${children}</form>
    <${Wrong} problem=${task.problem} />
  <//>`;
}

function Link({ hire, changed, close }) {
  const link = async (form) => {
    // An address of a profile is as good as its number.
    const employee_id = Number(/(\d+)\D*$/.exec(form.get("employee"))?.[1]);
    const after = await post(`/v1/hires/${hire.id}/link`, { employee_id }, { match: hire.etag });
    await changed(after, t("linked_says"));
    return true;
  };
  return html`<${Form} name="link" close=${close} work=${link}>
    <label for="employee">${t("employee_number")}</label>
    <input id="employee" name="employee" required pattern=".*\\d.*" autocomplete="off" aria-describedby="employee-hint" />
    <p id="employee-hint" class="hint">${t("employee_number_hint")}</p>
  <//>`;
}

function Dismiss({ hire, changed, close }) {
  const { say } = useContext(Desk);
  const dismiss = async (form) => {
    const note = form.get("note").trim();
    await changed(await post(`/v1/hires/${hire.id}/dismiss`, { dismissed: true, ...(note && { note }) }, { match: hire.etag }));
    say(t("dismissed_says"));
    return true;
  };
  return html`<${Form} name="dismiss" close=${close} work=${dismiss}>
    <label for="note">${t("why")}</label>
    <textarea id="note" name="note" rows="3" maxlength="500" required dir="auto" aria-describedby="note-hint"></textarea>
    <p id="note-hint" class="hint">${t("why_hint")}</p>
  <//>`;
}

function Replay({ hire, changed, close }) {
  const replay = async () => {
    const after = await post(`/v1/hires/${hire.id}/replay`);
    // A delivery that could not be read at all may turn out to be about another hire.
    if (after.id !== hire.id) location.hash = `#/hires/${after.id}`;
    await changed(after, t("replayed_says"));
    return true;
  };
  return html`<${Form} name="replay" close=${close} work=${replay} />`;
}

function Erase({ hire, close }) {
  const { say } = useContext(Desk);
  const erase = async () => {
    await ask("DELETE", `/v1/hires/${hire.id}/person`);
    location.hash = "#/";
    say(t("erased_says"));
    return true;
  };
  return html`<${Form} name="erase" close=${close} work=${erase} danger>
    <label class="always"><input type="checkbox" required /> <span>${t("erase_sure")}</span></label>
  <//>`;
}
