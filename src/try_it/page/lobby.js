// Step 4: the connection, who is seen, and what they show.

import * as view from "./view.js";
import { Refused, Socket } from "./wire.js";

const RETRY_MS = [1_000, 2_000, 5_000, 10_000, 15_000];

export class Lobby {
  #home;
  #me = null;
  #socket = null;
  #tries = 0;
  #timer = 0;
  /** Presences by session id. */
  #seen = new Map();

  /** `home`: what the page keeps: follows(), status(), keep(), session(), over(message). */
  constructor(home) {
    this.#home = home;
    view.at("status-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#show(view.at("status").value);
    });
    view.at("hide").addEventListener("click", () => this.#show(undefined));
    view.at("follow-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#follow(view.at("follow").value.trim());
    });
    view.at("reconnect").addEventListener("click", () => {
      this.#tries = 0;
      this.#connect();
    });
  }

  enter(me) {
    this.#me = me;
    this.#tries = 0;
    view.at("status").value = this.#home.status() || "";
    this.#connect();
  }

  leave() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#me = null;
    socket?.close();
  }

  async #connect() {
    clearTimeout(this.#timer);
    this.#seen.clear();
    this.#draw();
    this.#usable(false);
    view.at("reconnect").hidden = true;
    view.note("online", "Connecting.", "wait");
    let session;
    try {
      session = await this.#home.session();
    } catch (error) {
      if (error instanceof Refused) return this.#home.over("The session has ended. Join the line again.");
      return this.#lost({ opened: false, code: 0, reason: "" });
    }
    if (!this.#me) return;
    // Events of a socket we have let go of are nobody's business any more.
    const own = (then) => (argument) => this.#socket === socket && then(argument);
    const socket = new Socket(session.token, {
      open: own(() => this.#arrived()),
      event: own((message) => this.#event(message)),
      closed: own((end) => this.#lost(end)),
    });
    this.#socket = socket;
  }

  async #arrived() {
    this.#tries = 0;
    this.#usable(true);
    view.note("online", "You are online. Open this page in a second tab, play as somebody else, and follow each other.", "good");
    view.say("You are online.");
    view.at("status").focus();
    const status = this.#home.status();
    if (status) await this.#show(status);
    if (this.#home.follows().length) await this.#look(this.#home.follows());
  }

  #lost({ opened, code, reason }) {
    this.#socket = null;
    this.#seen.clear();
    this.#draw();
    this.#usable(false);
    const why = reason ? `: ${reason}` : code ? ` (${code})` : "";
    const text = opened ? `The connection ended${why}.` : "The server did not take the connection.";
    if (this.#tries < RETRY_MS.length) {
      const ms = RETRY_MS[this.#tries];
      this.#tries += 1;
      view.note("online", `${text} Trying again in ${view.span(ms)}.`, "bad");
      this.#timer = setTimeout(() => this.#connect(), ms);
    } else {
      const hint = "The world may be full, or the session over: sign out and join the line again.";
      view.note("online", `${text} ${hint}`, "bad");
      view.at("reconnect").hidden = false;
    }
    view.say(text);
  }

  #usable(yes) {
    for (const id of ["status-form", "follow-form"]) {
      for (const element of view.at(id).elements) element.disabled = !yes;
    }
  }

  async #show(status) {
    try {
      await this.#socket?.show(status);
      this.#home.keep({ status });
      view.say(status === undefined ? "You appear offline." : "Status shown.");
    } catch (error) {
      view.note("online", error.message, "bad");
    }
  }

  async #follow(name) {
    if (!name) return;
    const follows = [...new Set([...this.#home.follows(), name])];
    this.#home.keep({ follows });
    view.at("follow").value = "";
    const presences = await this.#look([name]);
    if (presences) view.say(presences.length ? `${name} is online.` : `${name} is not online.`);
  }

  async #look(names) {
    try {
      const presences = await this.#socket.follow(names);
      for (const presence of presences) this.#seen.set(presence.session_id, presence);
      this.#draw();
      return presences;
    } catch (error) {
      view.note("online", error.message, "bad");
      return null;
    }
  }

  #event({ status_presence_event: event, notifications }) {
    if (notifications) {
      for (const { subject } of notifications.notifications) view.say(subject);
    }
    if (!event) return;
    // Leaves first: one event with both for a session is a change of status.
    for (const presence of event.leaves || []) this.#seen.delete(presence.session_id);
    for (const presence of event.joins || []) this.#seen.set(presence.session_id, presence);
    this.#draw();
  }

  #draw() {
    if (!this.#me) return view.who([]);
    const names = [this.#me.usn, ...this.#home.follows().filter((name) => name !== this.#me.usn)];
    const seen = [...this.#seen.values()];
    view.who(
      names.map((name) => {
        const theirs = seen.filter(({ username }) => username === name);
        const status = theirs.map((presence) => presence.status).find(Boolean);
        return { name, online: theirs.length > 0, status, you: name === this.#me.usn };
      }),
    );
  }
}
