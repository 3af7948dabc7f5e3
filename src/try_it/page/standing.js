// Step 2 as people see it: place, time to go, next look; and counting them down between answers.

import * as view from "./view.js";

const TICK_MS = 500;

const PHASES = {
  queued: ["The line is moving. You can reload this page: your place is kept.", "wait"],
  front: ["Nearly there: stay close.", "wait"],
  held: ["The line stands still: nobody is let in at the moment. Your place is kept.", "held"],
  paused: ["The operators have paused the line. Your place is kept.", "held"],
  full: ["The line is full. You have no place yet: this page asks again by itself.", "held"],
};

const REASONS = {
  lane_changed: "You were moved to another lane.",
  older_returned: "Players who were here before you came back.",
  settings_changed: "The operators changed how fast the line moves.",
  restarted: "The server restarted and waits for the others to come back.",
  slower_departures: "Fewer players are leaving the game than before.",
};

export class Standing {
  #ticking = 0;
  #etaAt = null;
  #nextAt = null;
  #until = null;
  #problem = "";
  #lapsed = () => {};

  /** Somebody joins or comes back. */
  begin(direct) {
    this.stop();
    view.figure("position", "…");
    view.figure("eta", "…");
    view.figure("next", "…");
    view.note("line", direct ? "Signing in." : "Joining the line.", "wait");
    view.at("figures").hidden = false;
    view.at("use-pass").hidden = true;
    view.at("leave-line").textContent = "Leave the line";
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  /** An answer: still waiting. `phase` is absent when all is well. */
  show(place, etaMs, phase = "queued", reason = undefined) {
    const still = ["held", "paused", "full"].includes(phase);
    this.#etaAt = still || !(etaMs > 0) ? null : Date.now() + etaMs;
    const shown = phase === "full" ? undefined : place;
    view.figure("position", shown ? view.number(shown) : "–");
    view.picture(shown ?? null, still ? phase : "moving");
    const [text, kind] = PHASES[phase] || PHASES.queued;
    view.note("line", [REASONS[reason], text].filter(Boolean).join(" "), kind);
    document.title = shown ? `#${view.number(shown)} in line` : "In line";
    const time = this.#etaAt ? `, about ${view.span(etaMs)} to go` : "";
    if (still || reason) view.say(view.at("line-note").textContent);
    else view.say(`You are number ${view.number(place)} in line${time}.`, true);
    this.#tick();
  }

  /** When the next look is due, in milliseconds from now. */
  next(ms) {
    this.#nextAt = Date.now() + ms;
    this.#tick();
  }

  /** No answer, or not now. The last figures stay. */
  trouble(text, ms) {
    view.note("line", text, "bad");
    view.say(text);
    this.next(ms);
  }

  /** Admitted, until a moment. */
  passed(until, lapsed) {
    this.stop();
    this.#until = until;
    this.#problem = "";
    this.#lapsed = lapsed;
    view.picture(0, "in");
    view.at("figures").hidden = true;
    view.at("use-pass").hidden = false;
    view.at("leave-line").textContent = "Give it up";
    document.title = "You are in";
    view.say("You are through the line. Sign in with the pass.");
    this.#tick();
    if (this.#until) this.#ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  /** The sign-in failed; the pass is still good. */
  failed(text) {
    this.#problem = text;
    view.say(text);
    this.#tick();
  }

  stop() {
    clearInterval(this.#ticking);
    this.#etaAt = this.#nextAt = this.#until = null;
  }

  #tick() {
    const now = Date.now();
    if (this.#until !== null) return this.#tickPass(now);
    const left = this.#etaAt === null ? null : this.#etaAt - now;
    view.figure("eta", left === null ? "–" : left > 0 ? view.span(left) : "any moment");
    if (this.#nextAt !== null) {
      view.figure("next", this.#nextAt > now ? view.span(this.#nextAt - now) : "now");
    }
  }

  #tickPass(now) {
    const left = this.#until - now;
    const text = `This pass is a slot held for you for ${view.span(left)}.`;
    const first = this.#problem || "You are through.";
    view.note("line", `${first} ${text}`, this.#problem ? "bad" : "good");
    if (left > 0) return;
    const lapsed = this.#lapsed;
    this.stop();
    lapsed();
  }
}
