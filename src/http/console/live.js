// What changes elsewhere is shown without a reload: the page asks every few seconds, as long as somebody sees it.
const EVERY = 5_000;

/** Calls `changed` every few seconds, and at once when the page is looked at again. Returns what ends it. */
export function follow(changed) {
  const ask = () => document.visibilityState === "visible" && changed();
  const asking = setInterval(ask, EVERY);
  document.addEventListener("visibilitychange", ask);
  return () => {
    clearInterval(asking);
    document.removeEventListener("visibilitychange", ask);
  };
}
