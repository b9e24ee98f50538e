// The page: who is signed in, which part is shown, what is announced. Everything it knows it asks of the REST API.
import { ask, get, whenSignedOut } from "./api.js";
import { Hire } from "./hire.js";
import { Desk, html, render, useCallback, useEffect, useMemo, useRef, useState } from "./lib.js";
import { List } from "./list.js";
import { follow } from "./live.js";
import { New } from "./new.js";
import { SignIn } from "./sign-in.js";
import { Status } from "./status.js";
import { language, speak, t } from "./words.js";

/** The part of the page that the address names: nothing but an id is ever in it. */
function part() {
  const [, name = "", id] = location.hash.slice(1).split("/");
  if (name === "hires" && /^[0-9a-f-]{36}$/.test(id ?? "")) return { name, id };
  return { name: ["new", "status"].includes(name) ? name : "list" };
}

function App() {
  const [tag, setTag] = useState(language());
  const [session, setSession] = useState(undefined);
  const [ended, setEnded] = useState(false);
  const signOut = (why) => {
    setSession(null);
    setEnded(why);
  };
  useEffect(() => {
    speak(tag);
    document.title = t("title");
  }, [tag]);
  useEffect(() => {
    whenSignedOut(() => signOut(true));
    get("/v1/session").then(setSession, () => setSession(null));
  }, []);
  const leave = () => ask("DELETE", "/v1/session").then(() => signOut(false), () => signOut(false));
  const languages = html`<${Languages} tag=${tag} change=${(next) => { speak(next); setTag(next); }} />`;
  return html`
    <a class="skip" href="#main" onClick=${skip}>${t("skip")}</a>
    ${session
      ? html`<${Signed} key=${tag} session=${session} leave=${leave} languages=${languages} />`
      : html`<${Bar}>${languages}<//>
        ${session === null && html`<${SignIn} key=${tag} signedIn=${(session) => setSession({ ...session, fresh: true })} ended=${ended} />`}`}`;
}

const skip = (event) => {
  event.preventDefault();
  document.getElementById("main")?.focus();
};

function Bar({ children, links }) {
  return html`<header class="bar">
    <a class="brand" href="#/"><img src="icon.svg" alt="" width="24" height="24" />hirebridge</a>
    ${links}
    <div class="right">${children}</div>
  </header>`;
}

function Languages({ tag, change }) {
  const one = (name, label) =>
    html`<button type="button" lang=${name} aria-pressed=${tag === name} aria-label=${label} onClick=${() => change(name)}>${name.toUpperCase()}</button>`;
  return html`<div class="languages" role="group" aria-label=${t("language")}>${one("en", "English")}${one("de", "Deutsch")}</div>`;
}

/** The page for somebody who is signed in. */
function Signed({ session, leave, languages }) {
  const [shown, setShown] = useState(part());
  const [codes, setCodes] = useState(null);
  const [catalog, setCatalog] = useState(null);
  const [said, setSaid] = useState(null);
  const listeners = useRef(new Set());
  const main = useRef(null);

  useEffect(() => {
    const go = () => {
      setShown(part());
      scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    };
    addEventListener("hashchange", go);
    if (session.fresh) main.current.focus();
    get("/v1/codes").then((list) => setCodes(words(list.codes)), () => setCodes(new Map()));
    get("/v1/catalog").then(setCatalog, () => setCatalog({ learned: false, attributes: [] }));
    const end = follow(() => listeners.current.forEach((listener) => listener()));
    return () => {
      removeEventListener("hashchange", go);
      end();
    };
  }, []);

  const whenChanged = useCallback((listener) => {
    listeners.current.add(listener);
    return () => listeners.current.delete(listener);
  }, []);
  // A new key each time, so that the same words are announced again.
  const say = useCallback((text) => setSaid({ text, key: performance.now() }), []);
  const desk = useMemo(() => ({ session, codes, catalog, say, whenChanged }), [session, codes, catalog]);

  return html`<${Desk.Provider} value=${desk}>
    <${Bar} links=${html`<${Links} shown=${shown.name} session=${session} />`}>
      ${languages}
      <span class="who"><bdi>${session.name}</bdi> <small>${t(`role.${session.role}`)}</small></span>
      ${session.via !== "proxy" && html`<button type="button" class="plain" onClick=${leave}>${t("sign_out")}</button>`}
    <//>
    <main id="main" tabindex="-1" ref=${main}>${codes && page(shown)}</main>
    <div class="toast" role="status" aria-live="polite" aria-label=${t("announced")}>${said && html`<span key=${said.key}>${said.text}</span>`}</div>
  <//>`;
}

function page({ name, id }) {
  if (name === "hires") return html`<${Hire} id=${id} key=${id} />`;
  if (name === "new") return html`<${New} />`;
  return name === "status" ? html`<${Status} />` : html`<${List} />`;
}

function Links({ shown, session }) {
  const link = (name, path, words) =>
    html`<a href=${path} aria-current=${shown === name ? "page" : undefined}>${words}</a>`;
  return html`<nav aria-label=${t("navigation")}>
    ${link("list", "#/", t("hires"))}
    ${session.role !== "viewer" && link("new", "#/new", t("new"))}
    ${link("status", "#/status", t("status"))}
  </nav>`;
}

/** The words of each code, found by kind and code. */
const words = (list) => new Map(list.map((one) => [`${one.kind} ${one.code}`, one]));

render(html`<${App} />`, document.getElementById("app"));
