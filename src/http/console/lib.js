// What all modules draw with: Preact, and htm in place of a build step.
import { createContext, h, render } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
export { createContext, render };
export { useCallback, useContext, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/hooks.js";

/** What every part of the page may need: who is signed in, the words of the codes, the catalog, what to announce. */
export const Desk = createContext(null);
