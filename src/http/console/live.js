// What changes elsewhere is shown without a reload: by the server's events or, without them, by asking.
const EVERY = 15_000;
const AGAIN = 60_000;

/** Calls `changed` with the ids of hires that changed, or with null if any may have. Returns what ends it. */
export function follow(changed) {
  let source = null;
  let asking = null;
  let retry = null;

  const listen = () => {
    source = new EventSource("/v1/events");
    source.addEventListener("open", quiet);
    source.addEventListener("hires", (event) => changed(new Set(JSON.parse(event.data).changed)));
    source.addEventListener("error", () => {
      // While the browser tries again by itself, or for good: something may be missed.
      if (!asking) asking = setInterval(() => visible() && changed(null), EVERY);
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(listen, AGAIN);
    });
  };
  const quiet = () => {
    if (asking) changed(null);
    clearInterval(asking);
    asking = null;
  };
  const back = () => visible() && changed(null);

  listen();
  document.addEventListener("visibilitychange", back);
  return () => {
    source.close();
    clearInterval(asking);
    clearTimeout(retry);
    document.removeEventListener("visibilitychange", back);
  };
}

const visible = () => document.visibilityState === "visible";
