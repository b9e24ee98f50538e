// The page's own words, in English and German, and how times and dates are written. What codes mean the API says.
import { de } from "./words-de.js";
import { en } from "./words-en.js";

const ALL = { en, de };
const KEPT = "hirebridge.language";

let spoken = kept() ?? liked();

function kept() {
  try {
    const tag = localStorage.getItem(KEPT);
    return tag in ALL ? tag : null;
  } catch {
    return null;
  }
}

/** The first of the browser's languages that we speak. */
function liked() {
  const tags = (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2).toLowerCase());
  return tags.find((tag) => tag in ALL) ?? "en";
}

export const language = () => spoken;

export function speak(tag) {
  spoken = tag;
  document.documentElement.lang = tag;
  try {
    localStorage.setItem(KEPT, tag);
  } catch {
    // Without a place to keep it, it holds until the page is closed.
  }
}

/** The words for `key`, with `{name}` replaced. Values may be elements: then the answer is a list of pieces. */
export function t(key, values = {}) {
  const text = ALL[spoken][key] ?? key;
  const pieces = text.split(/\{(\w+)\}/).map((piece, n) => (n % 2 ? values[piece] : piece));
  return pieces.some((piece) => typeof piece === "object") ? pieces : pieces.join("");
}

/** The words for so many: `key.one` or `key.other`. */
export const count = (key, n) => t(`${key}.${n === 1 ? "one" : "other"}`, { n });

export const has = (key) => key in ALL.en;

const format = (options) => new Intl.DateTimeFormat(spoken === "de" ? "de-DE" : "en-GB", options);

/** A moment: date and time. */
export function moment(text) {
  return format({ dateStyle: "medium", timeStyle: "short" }).format(new Date(text));
}

/** A calendar date as it stands, in no time zone; any other text as it is. */
export function day(text) {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text ?? "")) return text;
  return format({ dateStyle: "medium", timeZone: "UTC" }).format(new Date(`${text}T00:00:00Z`));
}

const STEPS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** How long ago. */
export function ago(text, now = Date.now()) {
  const seconds = Math.max(0, (now - new Date(text)) / 1_000);
  const [unit, length] = STEPS.find(([, length]) => seconds >= length) ?? ["minute", 60];
  if (unit === "day" && seconds > 14 * length) return day(text.slice(0, 10));
  return new Intl.RelativeTimeFormat(spoken, { numeric: "auto" }).format(-Math.floor(seconds / length), unit);
}
