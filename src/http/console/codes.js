// What codes mean, and how attributes are called: from the API's words and from Personio's catalog.
import { has, t } from "./words.js";

/** The words of a code. What it has behind a colon is looked for as far as possible, then left out. */
export function meaning(codes, kind, code) {
  let text = code;
  while (text) {
    const found = codes?.get(`${kind} ${text}`);
    if (found) return found;
    const colon = text.lastIndexOf(":");
    if (colon < 0) return null;
    text = text.slice(0, colon);
  }
  return null;
}

/** What a code has to say of its own, behind the colon of the code that has words. */
export function particular(codes, kind, code) {
  const found = meaning(codes, kind, code);
  return found && code.length > found.code.length ? code.slice(found.code.length + 1) : "";
}

/** An attribute as the catalog has it. */
export const attribute = (catalog, key) => catalog?.attributes?.find((one) => one.key === key);

/** How people call an attribute: Personio's own in the page's language, the company's own as they are labelled there. */
export function label(catalog, key) {
  return has(`field.${key}`) ? t(`field.${key}`) : attribute(catalog, key)?.label || key;
}

const NAMED = { department: "departments", office: "offices", subcompany: "subcompanies" };
const FIXED = { gender: ["male", "female", "diverse"], status: ["onboarding", "active", "leave", "inactive"] };
const DATES = ["hire_date"];
const NUMBERS = ["weekly_working_hours", "supervisor_id"];

/** How a value is typed: `choice` from options, `suggest` with options, `date`, `number`, `lines` or `text`. */
export function shape(catalog, key) {
  const known = attribute(catalog, key);
  const names = known?.options ?? catalog?.[NAMED[key]];
  const options = (names ?? []).map((one) => (typeof one === "object" ? one : { value: one, label: one }));
  if (FIXED[key]) return { kind: "choice", options: FIXED[key].map((value) => ({ value, label: t(`${key}.${value}`) })) };
  if (key in NAMED) return { kind: "suggest", options };
  if (DATES.includes(key) || known?.type === "date") return { kind: "date", options: [] };
  if (NUMBERS.includes(key) || ["integer", "decimal"].includes(known?.type)) return { kind: "number", options: [] };
  if (known?.type === "tags") return { kind: "tags", options };
  if (options.length) return { kind: "choice", options };
  return { kind: known?.type === "multiline" ? "lines" : "text", options: [] };
}
