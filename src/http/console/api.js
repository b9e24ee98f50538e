// The REST API, and nothing else: every request of the page is made here.
import { language } from "./words.js";

/** An answer that is no success: a problem as RFC 9457 has it. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.title ?? `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? "unexpected";
    this.body = body;
  }
}

let signedOut = () => {};

/** Calls `listener` when the API says that nobody is signed in any more. */
export function whenSignedOut(listener) {
  signedOut = listener;
}

/**
 * Asks the API. `body` goes as JSON, `match` as If-Match, `key` as Idempotency-Key. The answer's body, with its
 * version as `etag`; null if it has none.
 */
export async function ask(method, path, { body, match, key, signal } = {}) {
  const headers = { "Accept-Language": language(), Accept: "application/json" };
  // A header of our own: another site's page cannot send it, so that it cannot act in the operator's name.
  if (method !== "GET") headers["X-Hirebridge-Console"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (match) headers["If-Match"] = match;
  if (key) headers["Idempotency-Key"] = key;
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { code: "unreachable" });
  }
  return read(response, path);
}

async function read(response, path) {
  const text = await response.text();
  const json = /json/.test(response.headers.get("Content-Type") ?? "") && text ? JSON.parse(text) : null;
  if (!response.ok) {
    if (response.status === 401 && path !== "/v1/session") signedOut();
    throw new Problem(response.status, json ?? {});
  }
  const etag = response.headers.get("ETag");
  return json && etag && !Array.isArray(json) ? { ...json, etag } : json;
}

export const get = (path, options) => ask("GET", path, options);
export const post = (path, body, options) => ask("POST", path, { ...options, body });

/** A query string of what is not empty. */
export function query(parameters) {
  const filled = Object.entries(parameters).filter(([, value]) => value);
  return filled.length ? `?${new URLSearchParams(filled)}` : "";
}

/** A key that makes a repeat of the same request the same hire. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
