// The list of hires: first what needs a person, with the reason and the next step.
import { get, post, query } from "./api.js";
import { Health } from "./health.js";
import { Desk, html, useContext, useEffect, useRef, useState } from "./lib.js";
import { Badge, Said, When, Wrong, flat, name, show, tone } from "./parts.js";
import { count, t } from "./words.js";

const STATES = ["received", "ready", "held", "waiting", "sending", "unknown", "created", "cancelled", "ignored"];
const PAGE = 25;
const MOST = 200;

// Kept while the page is open, so that whoever comes back from a hire finds the list as it was.
let kept = { view: "person", name: "", state: "", source: "" };

function filters({ view, state, source }) {
  const all = view === "all";
  const flag = state.startsWith("flag:");
  const wishes = { needs: !all && "person", source, state: all && !flag && state, flag: all && flag && state.slice(5) };
  return Object.fromEntries(Object.entries(wishes).filter(([, value]) => value));
}

/** So many hires from the cursor on. A name goes in the body: an address ends up in logs. */
async function fetched(wish, limit, cursor) {
  const hires = [];
  let next = cursor;
  do {
    const wishes = { ...filters(wish), limit, ...(next && { cursor: next }) };
    const name = wish.name.trim();
    const answer = await (name ? post("/v1/hires/search", { name, ...wishes }) : get(`/v1/hires${query(wishes)}`));
    hires.push(...answer.hires);
    next = answer.next_cursor;
    // A page may be short, or empty, although there is a next one.
  } while (next && hires.length < limit);
  return { hires, next_cursor: next };
}

export function List() {
  const { whenChanged } = useContext(Desk);
  const [wish, setWish] = useState(kept);
  const [page, setPage] = useState(null);
  const [problem, setProblem] = useState(null);
  const [status, setStatus] = useState(null);
  const newest = useRef(0);

  const change = (part) => setWish((wish) => (kept = { ...wish, ...part }));
  const load = async (limit, cursor) => {
    const turn = (newest.current += 1);
    try {
      const answer = await fetched(wish, limit, cursor);
      // Whoever types is shown the answer to what is typed last.
      if (turn !== newest.current) return;
      setPage((page) => ({ ...answer, hires: [...(cursor ? page.hires : []), ...answer.hires] }));
      setProblem(null);
    } catch (problem) {
      if (turn === newest.current) setProblem(problem);
    }
  };
  const glance = () => get("/v1/status").then(setStatus, () => setStatus(null));

  useEffect(() => {
    const soon = setTimeout(() => load(PAGE), page ? 250 : 0);
    return () => clearTimeout(soon);
  }, [wish]);
  useEffect(() => void glance(), []);
  useEffect(() => whenChanged(() => {
    load(Math.min(MOST, Math.max(PAGE, page?.hires.length ?? 0)));
    glance();
  }), [wish, page]);

  return html`
    <div class="headline"><h1>${t("hires")}</h1><${Health} status=${status} /></div>
    <${Filters} wish=${wish} change=${change} status=${status} />
    <${Wrong} problem=${problem} />
    ${page && html`<${Hires} page=${page} wish=${wish} more=${() => load(PAGE, page.next_cursor)} />`}`;
}

function Filters({ wish, change, status }) {
  const [sources, setSources] = useState([]);
  useEffect(() => void get("/v1/sources").then((all) => setSources(all.sources), () => {}), []);
  const tab = (view, words, n) => html`<button type="button" aria-pressed=${wish.view === view}
    onClick=${() => change({ view })}>${words}${n !== undefined && html` <span class="count">${n}</span>`}</button>`;
  return html`<form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
    <div class="tabs" role="group" aria-label=${t("which")}>
      ${tab("person", t("needs_person"), status?.needs_person)}${tab("all", t("all"))}
    </div>
    <input type="search" aria-label=${t("search")} placeholder=${t("search")} value=${wish.name} dir="auto"
      autocomplete="off" maxlength="100" onInput=${(event) => change({ name: event.target.value })} />
    ${wish.view === "all" && html`<select aria-label=${t("state")} onChange=${(event) => change({ state: event.target.value })}>
      <option value="">${t("any_state")}</option>
      ${STATES.map((state) => html`<option value=${state} selected=${wish.state === state}>${t(`state.${state}`)}</option>`)}
      ${["dismissed", "unhired", "double", "warnings"].map((flag) => html`<option value="flag:${flag}" selected=${wish.state === `flag:${flag}`}>${t(`flag.${flag}`)}</option>`)}
    </select>`}
    ${sources.length > 1 && html`<select aria-label=${t("source")} onChange=${(event) => change({ source: event.target.value })}>
      <option value="">${t("any_source")}</option>
      ${[...sources.map((one) => one.name), "manual"].map((name) => html`<option value=${name} selected=${wish.source === name}>${name === "manual" ? t("by_hand") : name}</option>`)}
    </select>`}
  </form>`;
}

function Hires({ page, wish, more }) {
  const { hires, next_cursor: next } = page;
  if (hires.length === 0) return html`<${Nothing} wish=${wish} />`;
  return html`
    <p class="unseen" role="status">${count("shown", hires.length)}</p>
    <ul class="hires">${hires.map((hire) => html`<${Row} key=${hire.id} hire=${hire} />`)}</ul>
    ${next && html`<p class="more"><button type="button" onClick=${more}>${t("more")}</button></p>`}`;
}

function Nothing({ wish }) {
  const searched = wish.name || wish.source || (wish.view === "all" && wish.state);
  const key = searched ? "none_found" : wish.view === "person" ? "none_waiting" : "none_yet";
  return html`<div class="empty" role="status"><strong>${t(key)}</strong><p>${t(`${key}_says`)}</p></div>`;
}

/** What a hire is about, on one line. */
export function About({ hire }) {
  const planned = flat(hire.plan?.employee);
  const what = [planned.position, planned.department, planned.hire_date && t("from_day", { day: show(planned.hire_date) })];
  const source = hire.source === "manual" ? t("by_hand") : hire.source;
  return html`<span class="about">${[...what.filter(Boolean), source].map((one, n) => html`${n > 0 && " · "}<${Said} text=${one} />`)}</span>`;
}

function Row({ hire }) {
  const urgent = tone(hire) === "person";
  return html`<li class="row ${tone(hire)}">
    <div class="who-row">
      <a href="#/hires/${hire.id}"><${Said} text=${name(hire)} /></a>
      <${About} hire=${hire} />
    </div>
    <div class="why">
      <p>${hire.says}</p>
      ${urgent && hire.remedy && html`<p class="next">${hire.remedy}</p>`}
    </div>
    <div class="when"><${Badge} hire=${hire} /><small><${When} at=${hire.updated_at} /></small></div>
  </li>`;
}
