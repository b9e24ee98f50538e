// How Personio and the sources are doing, at a glance.
import { html } from "./lib.js";
import { t } from "./words.js";

const GOOD = ["ok", "not_asked_yet"];

/** One line beside the heading: nothing to see while all is well. */
export function Health({ status }) {
  if (!status) return null;
  const { state } = status.personio;
  return html`<a class="health ${GOOD.includes(state) ? "good" : "bad"}" href="#/status">
    <span class="dot" aria-hidden="true"></span>${t(`personio.${state}`)}</a>`;
}

/** Whether a source needs a look: its newest delivery was refused, or it could not be fetched. */
export function ailing(source) {
  const { last_refusal: refusal, last_delivery_at: delivered, poll } = source;
  if (!source.enabled) return "paused";
  if (source.awaiting_secret) return "awaiting_secret";
  if (poll?.failures > 0) return "poll_fails";
  if (refusal && (!delivered || delivered < refusal.at)) return "refused";
  return delivered || poll?.last_success_at ? "works" : "silent";
}
