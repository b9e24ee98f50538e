// A dialog: the browser's own, modal, closed by Escape. What had the focus before has it again afterwards.
import { html, useLayoutEffect, useRef } from "./lib.js";
import { t } from "./words.js";

export function Dialog({ title, close, busy, wide, children, actions }) {
  const dialog = useRef(null);
  const heading = useRef(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const shown = dialog.current;
    shown.showModal();
    heading.current.focus();
    return () => {
      // As long as it is open, nothing behind it can be focused.
      shown.close();
      if (before?.isConnected) before.focus();
    };
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    if (!busy) close();
  };
  return html`<dialog ref=${dialog} class=${wide ? "wide" : ""} aria-labelledby="dialog-title" onCancel=${cancel}>
    <h2 id="dialog-title" tabindex="-1" ref=${heading}>${title}</h2>
    <div class="content">${children}</div>
    <footer>
      <button type="button" class="plain" onClick=${close} disabled=${busy}>${t("back")}</button>
      ${actions}
    </footer>
  </dialog>`;
}
