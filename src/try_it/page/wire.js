// What goes over the wire: one function for each call of the two protocols, and the socket.

/** The server answered, and the answer is no. */
export class Refused extends Error {
  constructor(status, body, retryAfterMs) {
    super(body.message || body.serviceError?.error || `The server answered ${status}.`);
    this.status = status;
    this.body = body;
    this.retryAfterMs = retryAfterMs;
    this.name_ = body.serviceError?.error || "";
  }
}

/** The server did not answer: stopped, restarting, or the network is gone. */
export class Unreachable extends Error {
  constructor() {
    super("The server does not answer.");
  }
}

const PATIENCE_MS = 15_000;
let listener = () => {};

/** Hears everything sent and received: (direction, title, data). */
export function listen(to) {
  listener = to;
}

async function call(method, path, { key, bearer, body } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key !== undefined) headers.Authorization = `Basic ${basic(key)}`;
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const shown = path.split("?")[0];
  listener("out", `${method} ${shown}`, body);
  let response, text;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    response = await fetch(path, { method, headers, body: payload, signal, cache: "no-store" });
    text = await response.text();
  } catch {
    listener("bad", `${method} ${shown}`, "no answer");
    throw new Unreachable();
  }
  const answer = parsed(text);
  listener(response.ok ? "in" : "bad", `${response.status} ${shown}`, answer);
  if (response.ok) return answer;
  // A proxy in front that lost its server is the server not answering.
  if ([502, 503, 504].includes(response.status)) throw new Unreachable();
  throw new Refused(response.status, answer, Number(response.headers.get("Retry-After") || 0) * 1000);
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}

function basic(key) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(`${key}:`)));
}

/** The claims of a token, unverified: the server is the one who checks. */
export function claims(token) {
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
  } catch {
    return {};
  }
}

// Pragma's line and sign-in.

export const takeTicket = () => call("POST", "/v1/loginqueue/getinqueuev1", { body: {} });

export const checkTicket = (token) =>
  call("POST", "/v1/loginqueue/checkticketv1", { body: { token } });

export async function pragmaSignIn(name, pass) {
  const info = await call("GET", "/v1/info");
  const body = {
    providerId: "UNSAFE",
    providerToken: JSON.stringify({ accountId: name, displayName: name }),
    gameShardId: info.gameShardId,
    loginQueuePassToken: pass,
  };
  const answer = await call("POST", "/v1/account/authenticateorcreatev2", { body });
  return answer.pragmaTokens;
}

export const pragmaHeartbeat = (bearer, requestId) =>
  call("POST", "/v1/rpc", {
    bearer,
    body: { requestId, type: "PlayerSessionRpc.HeartbeatV1Request", payload: {} },
  });

// Nakama's sign-in and account.

export function deviceSignIn(key, id, username, pass) {
  const query = `?create=true&username=${encodeURIComponent(username)}`;
  const body = pass ? { id, vars: { login_queue_pass_token: pass } } : { id };
  return call("POST", `/v2/account/authenticate/device${query}`, { key, body });
}

export const refresh = (key, token) =>
  call("POST", "/v2/account/session/refresh", { key, body: { token } });

export const account = (bearer) => call("GET", "/v2/account", { bearer });

export const signOut = (session) =>
  call("POST", "/v2/session/logout", {
    bearer: session.token,
    body: { token: session.token, refresh_token: session.refresh_token },
  });

/** A Nakama socket. `on`: open(), event(envelope), closed({opened, code, reason}). */
export class Socket {
  #socket;
  #next = 1;
  #waiting = new Map();

  constructor(token, on) {
    const base = location.origin.replace(/^http/, "ws");
    this.#socket = new WebSocket(
      `${base}/ws?lang=en&format=json&status=true&token=${encodeURIComponent(token)}`,
    );
    let opened = false;
    listener("out", "WebSocket /ws", undefined);
    this.#socket.onopen = () => {
      opened = true;
      listener("in", "WebSocket open", undefined);
      on.open();
    };
    this.#socket.onmessage = ({ data }) => this.#receive(parsed(data), on);
    this.#socket.onclose = ({ code, reason }) => {
      listener("bad", `WebSocket closed ${code}`, reason || undefined);
      for (const { reject } of this.#waiting.values()) reject(new Unreachable());
      this.#waiting.clear();
      on.closed({ opened, code, reason });
    };
  }

  #receive(envelope, on) {
    const { cid, ...message } = envelope;
    listener(message.error ? "bad" : "in", Object.keys(message)[0] || "done", envelope);
    const asker = this.#waiting.get(cid);
    if (!asker) return on.event(message);
    this.#waiting.delete(cid);
    if (message.error) asker.reject(new Refused(400, message.error, 0));
    else asker.resolve(message);
  }

  #ask(message) {
    if (this.#socket.readyState !== WebSocket.OPEN) return Promise.reject(new Unreachable());
    const cid = String(this.#next++);
    listener("out", Object.keys(message)[0], { cid, ...message });
    this.#socket.send(JSON.stringify({ cid, ...message }));
    return new Promise((resolve, reject) => this.#waiting.set(cid, { resolve, reject }));
  }

  /** Shows a status; `undefined` appears offline. */
  show(status) {
    return this.#ask({ status_update: status === undefined ? {} : { status } });
  }

  /** Follows players by name; gives the presences of those who are online. */
  async follow(usernames) {
    const reply = await this.#ask({ status_follow: { usernames } });
    return reply.status?.presences || [];
  }

  close() {
    this.#socket.close(1000);
  }
}
