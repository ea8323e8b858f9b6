// Calls to the services, as whoever is signed in; problems name their fields (RFC 9457).

import { t } from "./i18n.js";

const RENEW_EVERY_MS = 4 * 60_000; // a token lasts ten minutes
const RENEW_SOONER_MS = 60_000;
const { dataset } = document.body;
let renewedAt = Date.now();

export const me = { login: dataset.login, scopes: new Set((dataset.scopes ?? "").split(" ").filter(Boolean)) };
export const may = (scope) => me.scopes.has(scope);

// Where a service is: its pages and its API.
export const at = (service, path) => `${dataset[service] ?? ""}${path}`;

export class Problem extends Error {
  constructor(status, document) {
    super(document.detail || document.title || String(status));
    this.status = status;
    this.title = document.title ?? "";
    this.errors = document.errors ?? []; // [{ field, message }]
  }
}

// call("emission", "PUT", "/v1/stores", { … }): the answer's JSON; throws Problem. Without a session the form to sign in
// is shown; not with `stay`, for what a page that says so itself asks by itself.
export async function call(service, method, path, body, { headers = {}, signal, again = true, stay = false, keepalive = false } = {}) {
  const isText = typeof body === "string" || body instanceof Blob;
  let answer;
  try {
    answer = await fetch(at(service, path), {
      method, signal, keepalive,
      credentials: "include",
      headers: { accept: "application/json", ...(body !== undefined && !isText && { "content-type": "application/json" }), ...headers },
      body: body === undefined || isText ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { title: t("No connection"), detail: t("The service does not answer. Check the connection and try again.") });
  }
  if (answer.status === 401 && again && path !== "/v1/session") {
    if (await renew()) return call(service, method, path, body, { headers, signal, keepalive, again: false });
    if (!stay) signIn();
  }
  const type = answer.headers.get("content-type") ?? "";
  const content = type.includes("json") ? await answer.json().catch(() => ({})) : await answer.text();
  if (!answer.ok) throw new Problem(answer.status, typeof content === "object" ? content : { title: String(answer.status) });
  return content;
}

export const get = (service, path, options) => call(service, "GET", path, undefined, options);

// Another token for this session: "renewed", "over" (one has to sign in again) or "away" (emission does not answer).
export async function renewal() {
  try {
    await call("emission", "POST", "/v1/session/renew", undefined, { again: false });
    renewedAt = Date.now();
    return "renewed";
  } catch (problem) {
    return problem.status === 401 || problem.status === 403 ? "over" : "away";
  }
}

// False if there is no session any more. While emission is away, what the token allows goes on.
export const renew = async () => (await renewal()) !== "over";

// Leave for the form to sign in; what is in the address comes back.
export function signIn() {
  location.assign(at("emission", `/sign-in?return_to=${encodeURIComponent(location.href)}`));
}

export async function signOut() {
  await call("emission", "DELETE", "/v1/session", undefined, { again: false }).catch(() => null);
  location.assign(at("emission", "/sign-in"));
}

export function keepSignedIn() {
  setInterval(() => document.hidden || renew(), RENEW_EVERY_MS);
  // A tab that was asleep comes back with a token that is over.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() - renewedAt > RENEW_SOONER_MS) renew();
  });
}
