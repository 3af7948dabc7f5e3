// The operator API as the pages call it. What is refused is a Refused with the API's own word
// (`why`) and text; who is signed in, the proof against foreign pages and the second look at who
// is there (`step_up`) are dealt with here, so that pages need not.

const ROOT = "/v1/operator";

/** What the server refused, or could not be asked. */
export class Refused extends Error {
  constructor(status, why, message) {
    super(message);
    /** The status of HTTP; 0: no answer came. */
    this.status = status;
    /** The word of the API's tables. */
    this.why = why;
  }
}

const shell = { csrf: "", signedOut: () => {}, stepUp: async () => false };

/** Told by the shell: what to do when the session is over, and how to ask who is there. */
export const attach = (parts) => Object.assign(shell, parts);

async function ask(method, path, body, signal) {
  const headers = { accept: "application/json" };
  if (method !== "GET") headers["x-anteroom-csrf"] = shell.csrf;
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(ROOT + path, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      redirect: "error",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "offline", "The server does not answer. Is it running, and are you online?");
  }
  const text = await response.text();
  let told;
  try {
    told = text ? JSON.parse(text) : undefined;
  } catch {
    throw new Refused(response.status, "unreadable", `The answer is none of the operator API's (${response.status}).`);
  }
  if (!response.ok) {
    const refused = new Refused(response.status, told?.why ?? "unknown", told?.message ?? `Refused (${response.status}).`);
    refused.told = told;
    throw refused;
  }
  if (told?.csrf) shell.csrf = told.csrf;
  return told;
}

/** One call. `signal` ends it early. Throws Refused. */
export async function call(method, path, body, signal) {
  try {
    return await ask(method, path, body, signal);
  } catch (error) {
    if (error.why === "token") shell.signedOut(error);
    if (error.why === "csrf" && method !== "GET") {
      // Signed in anew in another tab: the same cookie, another proof.
      await ask("GET", "/session", undefined, signal);
      return ask(method, path, body, signal);
    }
    if (error.why === "step_up") {
      if (await shell.stepUp()) return ask(method, path, body, signal);
      throw new Refused(403, "step_up", "Not done: you did not confirm who you are.");
    }
    throw error;
  }
}

export const get = (path, signal) => call("GET", path, undefined, signal);
export const post = (path, body = {}) => call("POST", path, body);
export const patch = (path, body) => call("PATCH", path, body);
export const remove = (path, body) => call("DELETE", path, body);

/** A path with a query; what is empty is left out. */
export function query(path, values) {
  const kept = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return kept.length ? `${path}?${new URLSearchParams(kept)}` : path;
}
