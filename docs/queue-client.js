// The reference client of Anteroom's queue API (queue-api.md): no dependencies, browsers and Node 20.
//   const client = new QueueClient("https://play.example", { storage: localStorage, onChange: show });
//   const { pass } = await client.wait();      // then sign in with the pass
//
// It keeps its ticket through reloads, asks as often as it is told, finds its place in the shared frame in
// between, lets itself be told once invited, solves a challenge if it is put one, and gives up when the lease
// is over. `onChange` gets { state, position, etaSeconds, hidden (no screen), reason, message, untilMs }.

const [HIDE_BELOW_S, RETRY_MIN_MS, RETRY_MAX_MS] = [5, 500, 30_000];
/** The place of `number` in a frame: { position, etaSeconds }. `null`: newer than the frame. */
export function lookUp(frame, laneName, number) {
  const lane = frame.lanes.find((one) => one.lane === laneName);
  let [before, at] = [null, [0, 0, 0]];
  for (const step of lane?.points ?? []) {
    at = at.map((sum, index) => sum + (step[index] ?? 0));
    if (at[0] >= number) {
      const from = before ?? at;
      const share = at[0] > from[0] ? (number - from[0]) / (at[0] - from[0]) : 1;
      const between = (index) => from[index] + (at[index] - from[index]) * share;
      const etaSeconds = step.length > 2 ? between(2) + frame.login_ms / 1000 : null;
      return { position: Math.max(1, Math.round(between(1))), etaSeconds };
    }
    before = at;
  }
  return null;
}

/** No, for good: `answer.why` says why. */
export class QueueRefused extends Error {
  constructor(answer) {
    super(answer.message ?? answer.why);
    this.answer = answer;
  }
}

export class QueueClient {
  #url; #storage; #onChange; #fetch; #proof; #stop; #device; #ticket; #shown;
  /** `storage`: localStorage, or anything with getItem, setItem and removeItem. `proof`: a session token. */
  constructor(url, { storage, onChange = () => {}, fetch = globalThis.fetch, proof } = {}) {
    this.#url = `${url.replace(/\/$/, "")}/v1/queue`;
    [this.#storage, this.#onChange, this.#proof] = [storage, onChange, proof];
    [this.#fetch, this.#stop] = [fetch.bind(globalThis), new AbortController()];
    this.#ticket = JSON.parse(storage?.getItem("anteroom.ticket") ?? "null");
  }
  /** Waits in line. Resolves with { pass, pass_until_ms }; without `pass` none is needed. */
  async wait() {
    if (this.#ticket) this.#show(this.#ticket);
    let answer = this.#ticket ? await this.#poll() : await this.#enter();
    while (answer.state !== "passed") {
      if (answer.state === "gone") answer = await this.#enter();
      else answer = (answer.stream?.after_ms === 0 && (await this.#listen())) || (await this.#pause(answer));
    }
    this.#keep(null);
    return answer;
  }
  /** Gives the place up; `wait` fails. */
  async leave() {
    const ticket = this.#ticket?.ticket;
    this.#stop.abort(new QueueRefused({ why: "left" }));
    this.#keep(null);
    if (ticket) await this.#fetch(`${this.#url}/ticket`, { method: "DELETE", headers: bearer(ticket) });
  }
  /** A code to take the place along to another device: { transfer_token, expires_ms }. */
  offer() {
    return this.#ask("POST", "transfer", { ticket: this.#ticket.ticket });
  }
  /** Takes the place of another device; then `wait`. */
  async accept(transferToken) {
    const body = { transfer_token: transferToken, device_key: this.#deviceKey() };
    return this.#took(await this.#ask("POST", "transfer/accept", { body }));
  }
  /** The secret of this device, made once: one device has one place. */
  #deviceKey() {
    this.#device ??= this.#storage?.getItem("anteroom.device");
    this.#device ??= crypto.getRandomValues(new Uint32Array(6)).join("-");
    this.#storage?.setItem("anteroom.device", this.#device);
    return this.#device;
  }
  async #enter(solved) {
    this.#keep(null);
    const who = this.#proof ? { proof: this.#proof } : { device_key: this.#deviceKey() };
    const answer = await this.#ask("POST", "enter?watch=1", { body: { ...who, ...solved }, patient: true });
    if (answer.state === "challenge") return this.#enter(await solve(answer, this.#stop.signal));
    return this.#took(answer);
  }
  async #poll() {
    return this.#took(await this.#ask("GET", "ticket?watch=1", { ticket: this.#ticket.ticket, patient: true }));
  }
  /** Watches the frame until it is time to ask again, or to open the stream; then does so. */
  async #pause(answer) {
    const invited = answer.stream?.after_ms > 0;
    const until = Date.now() + jittered(invited ? answer.stream.after_ms : answer.poll_after_ms);
    for (let left = until - Date.now(); left > 0; left = until - Date.now()) {
      await this.#sleep(Math.min(left, jittered(answer.frame_after_ms)));
      left = until - Date.now();
      if (left > 500 && (await this.#watch(answer, left))) break;
    }
    return (invited && (await this.#listen())) || this.#poll();
  }
  /** Finds the place in the frame. Whether to ask at once: the line restarted, or the turn comes sooner. */
  async #watch(answer, left) {
    const response = await this.#fetch(`${this.#url}/frame`, { signal: this.#stop.signal }).catch(() => null);
    const frame = response?.ok && (await response.json().catch(() => null));
    if (!frame) return false;
    if (frame.epoch !== answer.epoch || frame.started_ms > answer.now_ms) return true;
    const { position: found, etaSeconds } = lookUp(frame, answer.lane, answer.number) ?? {};
    if (!found) return false; // A place only gets better, unless the line itself says why not:
    const position = Math.min(found, this.#shown.position);
    this.#change({ ...this.#shown, position, etaSeconds, message: frame.message, untilMs: frame.until_ms });
    return etaSeconds !== null && etaSeconds * 1000 - frame.login_ms < left * 0.9 - 5_000;
  }
  /** Lets itself be told. `null`: the stream is over, and polling goes on. */
  async #listen() {
    const { signal } = this.#stop;
    const options = { headers: { ...bearer(this.#ticket.ticket), Accept: "text/event-stream" }, signal };
    try {
      const opened = await this.#fetch(`${this.#url}/stream`, options);
      for await (const [event, data] of opened.ok ? events(opened.body) : []) {
        if (event === "pass" || data.state === "gone") return data;
        if (event === "ticket") this.#took(data);
        if (event === "notice") return data.why === "renew" ? this.#ticket : null;
      }
    } catch {
      signal.throwIfAborted(); // a stream that is lost costs nothing
    }
    return null;
  }
  /** One call. `patient`: no answer, or "come back later", is asked again until the lease is over. */
  async #ask(method, path, { ticket, body, patient = false }) {
    const headers = { ...(ticket && bearer(ticket)), ...(body && { "Content-Type": "application/json" }) };
    const options = { method, headers, body: body && JSON.stringify(body), signal: this.#stop.signal };
    for (let tries = 0; ; tries += 1) {
      const response = await this.#fetch(`${this.#url}/${path}`, options).catch(() => null);
      const answer = await response?.json().catch(() => null);
      this.#stop.signal.throwIfAborted();
      if (answer && (response.ok || ["gone", "challenge"].includes(answer.state))) return answer;
      const again = patient && (!answer || response.status === 429 || response.status >= 500);
      const lease = ticket ? this.#ticket.lease_until_ms + this.#ticket.skew : Infinity;
      if (!again || Date.now() > lease) throw new QueueRefused(answer ?? { why: "unreachable" });
      if (answer && !ticket) this.#change(answer);
      const backoff = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(tries, 10));
      await this.#sleep(jittered(Math.max(answer?.retry_after_ms ?? 0, backoff)));
    }
  }
  #took(answer) {
    if (answer.ticket) (this.#keep({ ...answer, skew: Date.now() - answer.now_ms }), this.#show(answer));
    return answer;
  }
  #show({ state, position, eta, reason, message, until_ms: untilMs }) {
    this.#change({ state, position, etaSeconds: eta ? eta.mid_ms / 1000 : null, reason, message, untilMs });
  }
  #change(shown) {
    this.#shown = { ...shown, hidden: shown.etaSeconds != null && shown.etaSeconds < HIDE_BELOW_S };
    this.#onChange(this.#shown);
  }
  #keep(ticket) {
    this.#ticket = ticket;
    this.#storage?.[ticket ? "setItem" : "removeItem"]("anteroom.ticket", JSON.stringify(ticket));
  }
  #sleep(ms) {
    const { signal } = this.#stop;
    return new Promise((done, failed) => {
      const stop = () => (clearTimeout(timer), failed(signal.reason));
      const timer = setTimeout(() => (signal.removeEventListener("abort", stop), done()), ms);
      signal.addEventListener("abort", stop);
    });
  }
}

const bearer = (ticket) => ({ Authorization: `Bearer ${ticket}` });
// Who were told the same do not come at once; and nobody is late for his turn.
const jittered = (ms) => ms + Math.random() * Math.min(ms / 10, 2_000);

/** The work asked for: { challenge, nonce }. In slices, so that a page stays awake. */
async function solve({ challenge, bits }, signal) {
  const hash = (nonce) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(challenge + nonce));
  for (let first = 0; ; first += 64) {
    const nonces = Array.from({ length: 64 }, (_, at) => String(first + at));
    const hashes = await Promise.all(nonces.map(hash));
    signal.throwIfAborted();
    const nonce = nonces.find((_, at) => Math.clz32(new DataView(hashes[at]).getUint32(0)) >= bits);
    if (nonce) return { challenge, nonce };
  }
}

/** The events of a response of server-sent events: [name, data]. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let text = ""; ; ) {
      const { value, done } = await reader.read();
      if (done) return;
      const whole = (text + value).split("\n\n");
      text = whole.pop();
      for (const one of whole) {
        const [name, data] = [/^event: (.*)$/m, /^data: (.*)$/m].map((line) => one.match(line)?.[1]);
        if (name && data) yield [name, JSON.parse(data)];
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
