// Signing in with a token, and out.
import { post } from "./api.js";
import { html, useEffect, useRef } from "./lib.js";
import { Wrong, useTask } from "./parts.js";
import { t } from "./words.js";

export function SignIn({ signedIn, ended }) {
  const field = useRef(null);
  useEffect(() => field.current.focus(), []);
  const task = useTask(async (token) => signedIn(await post("/v1/session", { token })));
  const submit = (event) => {
    event.preventDefault();
    task.run(field.current.value.trim());
  };
  return html`<main id="main" class="sign-in" tabindex="-1">
    <h1>${t("sign_in")}</h1>
    ${ended && html`<p class="note" role="status">${t("session_ended")}</p>`}
    <p class="lead">${t("sign_in_says")}</p>
    <form onSubmit=${submit}>
      <label for="token">${t("token")}</label>
      <input id="token" name="token" type="password" ref=${field} required autocomplete="current-password"
        autocapitalize="off" spellcheck=${false} aria-describedby="token-hint" />
      <p id="token-hint" class="hint">${t("token_hint")}</p>
      <${Wrong} problem=${task.problem} />
      <button class="primary" disabled=${task.busy}>${t("sign_in")}</button>
    </form>
  </main>`;
}
