// What must hold of the page for those who do not see it, or have no mouse: returns what does not.
const faults = [];
const shown = (one) => one.checkVisibility({ visibilityProperty: true });
const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);
const called = (one) => `${one.tagName.toLowerCase()}#${one.id}.${one.className}: ${(one.innerText ?? "").slice(0, 40)}`;
const named = (one) =>
  one.getAttribute("aria-label") || one.labels?.length || (one.textContent ?? "").trim() ||
  (one.getAttribute("aria-labelledby") ?? "").split(" ").some((id) => document.getElementById(id)?.textContent.trim());

if (all("h1").length !== 1) faults.push(`${all("h1").length} h1`);
if (!["en", "de"].includes(document.documentElement.lang)) faults.push("no language");
if (!document.title) faults.push("no title");
if (all("main").length !== 1) faults.push("not one main");
for (const one of all("input, select, textarea, button, a, summary, dialog, nav, section")) if (!named(one)) faults.push(`no name: ${called(one)}`);
for (const one of all("input, select, textarea")) {
  if (!one.labels.length && !one.getAttribute("aria-label")) faults.push(`no label: ${called(one)}`);
}
for (const one of all("img")) if (!one.hasAttribute("alt")) faults.push(`no alt: ${called(one)}`);
for (const one of all("[tabindex]")) if (one.tabIndex > 0) faults.push(`order of tabs: ${called(one)}`);
for (const name of ["aria-labelledby", "aria-describedby", "for", "list"]) {
  for (const one of all(`[${name}]`)) {
    for (const id of one.getAttribute(name).split(" ")) if (!document.getElementById(id)) faults.push(`${name} leads nowhere: ${called(one)}`);
  }
}
const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`two of #${id}`);
let level = 0;
for (const one of all("h1, h2, h3, h4")) {
  const next = Number(one.tagName[1]);
  if (next > level + 1) faults.push(`a heading is left out before ${called(one)}`);
  level = next;
}

// Contrast, as WCAG 2.2 has it: 4.5 to 1 for text, whatever lies below it.
const rgba = (text) => {
  const numbers = text.match(/[\d.]+/g).map(Number);
  const scale = text.startsWith("color(") ? 255 : 1;
  return [...numbers.slice(0, 3).map((n) => n * scale), numbers[3] ?? 1];
};
const over = ([r, g, b, a], below) => [r, g, b].map((n, i) => n * a + below[i] * (1 - a)).concat(1);
const ground = (one) => {
  if (!one) return [255, 255, 255, 1];
  const own = rgba(getComputedStyle(one).backgroundColor);
  return own[3] === 1 ? own : over(own, ground(one.parentElement));
};
const light = (color) => {
  const [r, g, b] = color.slice(0, 3).map((n) => n / 255).map((n) => (n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const open = document.querySelector("dialog[open]");
for (const one of (open ?? document.body).querySelectorAll("*")) {
  const written = [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!written || !shown(one) || one.disabled || one.closest(".unseen, .skip, .toast, option")) continue;
  const below = ground(one);
  const [a, b] = [light(over(rgba(getComputedStyle(one).color), below)), light(below)].sort((a, b) => b - a);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${called(one)}`);
}
return faults;
