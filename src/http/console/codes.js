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

// Attributes whose options are words of Personio's own, the same everywhere: they are said in the page's language.
const OURS = ["gender", "status"];

/** How a value is typed, `choice`, `suggest`, `date`, `number`, `lines` or `text`, and the options that are known. */
export function shape(catalog, key) {
  const known = attribute(catalog, key);
  const said = (value) => (OURS.includes(key) && has(`${key}.${value}`) ? t(`${key}.${value}`) : value);
  const options = (known?.options ?? []).map((value) => ({ value, label: said(value) }));
  return { kind: kind(known, options.length > 0), options };
}

function kind(known, some) {
  if (known?.closed && known.shape !== "tags") return "choice";
  if (some) return "suggest";
  if (["integer", "number"].includes(known?.shape)) return "number";
  return ["date", "lines"].includes(known?.shape) ? known.shape : "text";
}
