// A player's way through: name, line, sign-in, online. What is kept survives a reload of this tab.

import * as view from "./view.js";
import * as wire from "./wire.js";
import { Standing } from "./standing.js";
import { Lobby } from "./lobby.js";

const KEPT = "anteroom.try-it";
const SLOW_MS = 5_000;

let kept = read(sessionStorage, KEPT) || {};
let timer = 0;
let beat = 0;

wire.listen(view.log);

function keep(changes) {
  kept = { ...kept, ...changes };
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
}

function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key));
  } catch {
    return null;
  }
}

/** Calls later; only one thing is ever planned. */
function later(ms, what) {
  clearTimeout(timer);
  timer = setTimeout(what, Math.max(ms, 0));
}

/** Knowing a device id is enough to be that player: one id a name, made here, kept here. */
function device(name) {
  const key = `${KEPT}.device.${name}`;
  let id = localStorage.getItem(key);
  if (!id) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    id = `try-it-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    localStorage.setItem(key, id);
  }
  return id;
}

// 1. A name.

function start(message = "") {
  clearTimeout(timer);
  standing.stop();
  lobby.leave();
  const { name, key, way } = kept;
  sessionStorage.removeItem(KEPT);
  kept = {};
  keep({ name, key, way });
  view.open("name");
  view.at("join").disabled = false;
  note(message);
  view.at("name").focus();
  document.title = "Anteroom";
}

function note(message) {
  const element = view.at("name-problem");
  element.textContent = message;
  element.hidden = !message;
  if (message) view.say(message);
}

view.at("name-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  keep({ name: form.get("name"), key: form.get("key"), way: form.get("way") });
  note("");
  enter();
});

// 2. The line: poll until admitted, as often as the server says.

const standing = new Standing();

function enter() {
  view.open("line");
  view.sum("name", kept.name);
  standing.begin(kept.way === "direct");
  look();
}

async function look() {
  try {
    if (kept.way === "direct") return await tryToSignIn();
    const answer = await (kept.ticket ? wire.checkTicket(kept.ticket) : wire.takeTicket());
    keep({ ticket: answer.token });
    if (answer.isAllowedIn) return admitted();
    standing.show(answer.positionInQueue, Number(answer.eta), answer.phase, answer.reason);
    again(answer.pollNextDuration);
  } catch (error) {
    trouble(error);
  }
}

/** An unmodified Nakama client: trying again is the poll. */
async function tryToSignIn() {
  try {
    return signedIn(await wire.deviceSignIn(kept.key, device(kept.name), kept.name));
  } catch (error) {
    const queue = error instanceof wire.Refused && error.status === 429 && error.body.queue;
    if (!queue) throw error;
    keep({ waiting: true });
    standing.show(queue.position, queue.eta_ms, queue.phase, queue.reason);
    again(queue.poll_after_ms);
  }
}

function again(ms) {
  standing.next(ms);
  later(ms, look);
}

function trouble(error) {
  if (error instanceof wire.Unreachable) {
    standing.trouble("The server does not answer. Your place is kept: trying again.", SLOW_MS);
    return later(SLOW_MS, look);
  }
  if (error.status === 429) {
    const wait = error.retryAfterMs || SLOW_MS;
    standing.trouble("Asked too often. Your place is kept: trying again.", wait);
    return later(wait, look);
  }
  start(explained(error));
}

function explained(error) {
  if (error.status === 401 && /server key/i.test(error.message)) {
    return "The server key is not right: see Options. It is defaultkey only with --dev.";
  }
  if (error.status === 409) return "Somebody else plays under this name here. Choose another.";
  if (error.status === 401) return "The ticket or pass is no longer good. Join the line again.";
  return error.message;
}

function admitted() {
  const until = (wire.claims(kept.ticket).exp || 0) * 1000;
  keep({ passed: true });
  standing.passed(until, () => start("The pass ran out before it was used. Join the line again."));
  view.at("use-pass").focus();
}

view.at("leave-line").addEventListener("click", () => start());

// 3. Sign in: the pass is redeemed, the slot is ours.

view.at("use-pass").addEventListener("click", async () => {
  const button = view.at("use-pass");
  button.disabled = true;
  try {
    if (kept.way === "unsafe" && (await pragma())) return;
    signedIn(await wire.deviceSignIn(kept.key, device(kept.name), kept.name, kept.ticket));
  } catch (error) {
    if (error instanceof wire.Unreachable || error.status === 429) {
      standing.failed(`${error.message} Try again.`);
    } else {
      start(explained(error));
    }
  } finally {
    button.disabled = false;
  }
});

/** False when the server has no UNSAFE provider: the pass is still good for a Nakama sign-in. */
async function pragma() {
  try {
    const tokens = await wire.pragmaSignIn(kept.name, kept.ticket);
    standing.stop();
    keep({ ticket: undefined, passed: false, pragma: tokens });
    showPragma();
    return true;
  } catch (error) {
    if (!/IdProvider/.test(error.name_ || "")) throw error;
    view.log("note", "no UNSAFE provider here: signing in with a Nakama device id", undefined);
    return false;
  }
}

function signedIn(session) {
  standing.stop();
  keep({ ticket: undefined, passed: false, session });
  showAccount();
}

async function showAccount() {
  step3();
  try {
    const { user, devices, custom_id, email } = await wire.account(kept.session.token);
    view.sum("account", user.username);
    view.facts([
      ["Player", user.username],
      ["User id", user.id],
      ["Signs in with", [devices && "device", custom_id && "custom id", email].filter(Boolean).join(", ")],
      ["Account", kept.session.created ? "made just now" : "there already"],
      ["Since", new Date(user.create_time).toLocaleString()],
    ]);
    view.note("account", "Signed in. Your slot waits for your connection.", "good");
    view.say(`Signed in as ${user.username}.`);
  } catch (error) {
    view.note("account", error.message, "bad");
  }
}

function step3() {
  view.open("account");
  view.sum("name", kept.name);
  view.sum("line", "through");
  view.facts([]);
  view.note("account", "");
  document.title = "Anteroom: signed in";
  view.at("go-online").textContent = kept.pragma ? "Send a heartbeat" : "Go online";
  view.at("go-online").focus();
}

function showPragma() {
  step3();
  const { displayName, discriminator, pragmaPlayerId, pragmaSocialId } = wire.claims(
    kept.pragma.pragmaGameToken,
  );
  view.facts([
    ["Player", `${displayName}#${discriminator}`],
    ["Player id", pragmaPlayerId],
    ["Social id", pragmaSocialId],
  ]);
  const text =
    "Signed in with game and social tokens. A browser cannot open Pragma's socket (it must carry " +
    "the token in a header), so this page speaks /v1/rpc over HTTP.";
  view.note("account", text, "good");
}

view.at("go-online").addEventListener("click", async () => {
  if (!kept.pragma) return online();
  try {
    beat += 1;
    const answer = await wire.pragmaHeartbeat(kept.pragma.pragmaGameToken, beat);
    view.note("account", `Heartbeat ${beat}: ${answer.response?.type || "no response"}.`, "good");
  } catch (error) {
    view.note("account", error.message, "bad");
  }
});

for (const id of ["sign-out", "leave"]) {
  view.at(id).addEventListener("click", async () => {
    lobby.leave();
    try {
      if (kept.session) await wire.signOut(kept.session);
    } catch (error) {
      // The session may have ended already; leaving is leaving.
      view.log("note", error.message, undefined);
    }
    start();
  });
}

// 4. Online.

const lobby = new Lobby({
  follows: () => kept.follows || [],
  status: () => kept.status,
  keep,
  /** A session that is still good for a connection; refreshed when it soon is not. */
  async session() {
    const left = wire.claims(kept.session.token).exp * 1000 - Date.now();
    if (left < 60_000) {
      keep({ session: { ...kept.session, ...(await wire.refresh(kept.key, kept.session.refresh_token)) } });
    }
    return kept.session;
  },
  over: start,
});

function online() {
  keep({ online: true });
  view.open("online");
  const { usn, uid } = wire.claims(kept.session.token);
  view.sum("name", kept.name);
  view.sum("line", "through");
  view.sum("account", usn);
  document.title = `Anteroom: ${usn}`;
  lobby.enter({ usn, uid });
}

// Where were we?

function resume() {
  const form = view.at("name-form").elements;
  if (kept.name) form.name.value = kept.name;
  if (kept.key) form.key.value = kept.key;
  if (kept.way) form.way.value = kept.way;
  if (kept.session) return kept.online ? online() : showAccount();
  if (kept.pragma) return showPragma();
  if (kept.ticket || (kept.way === "direct" && kept.waiting)) return enter();
  start();
}

resume();
