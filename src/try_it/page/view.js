// What is on the page: elements, words and the picture of the line. Knows no protocol.

export const at = (id) => document.getElementById(id);

const STEPS = ["name", "line", "account", "online"];
const NARROW = matchMedia("(max-width: 34rem)");
const LOG_LINES = 200;
const SPOKEN_EVERY_MS = 10_000;
const count = new Intl.NumberFormat("en");

/** Opens one step: those before it are done, those after it not yet. */
export function open(step) {
  const now = STEPS.indexOf(step);
  STEPS.forEach((name, index) => {
    const element = at(`step-${name}`);
    const state = index < now ? "done" : index === now ? "now" : "later";
    element.dataset.state = state;
    element.toggleAttribute("inert", state !== "now");
    if (state === "now") {
      element.setAttribute("aria-current", "step");
      element.querySelector("h2").focus();
    } else {
      element.removeAttribute("aria-current");
    }
    if (index >= now) at(`${name}-summary`).textContent = "";
  });
}

/** The line beside a step's heading once it is done. */
export function sum(step, text) {
  at(`${step}-summary`).textContent = text;
}

/** A sentence under a step; `kind`: "", "wait", "good" or "bad". */
export function note(step, text, kind = "") {
  const element = at(`${step}-note`);
  element.textContent = text;
  element.className = `note ${kind}`;
  element.hidden = !text;
}

let spoken = { text: "", at: 0 };

/** Says something to screen readers. What only counts down is said now and then. */
export function say(text, counting = false) {
  const now = Date.now();
  if (text === spoken.text || (counting && now - spoken.at < SPOKEN_EVERY_MS)) return;
  spoken = { text, at: now };
  at("said").textContent = text;
}

export const number = (value) => count.format(value);

/** A span of time as people say it. */
export function span(ms) {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${Math.max(seconds, 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  if (minutes < 120) return `${Math.round(seconds / 60)} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${number(Math.round(hours / 24))} days`;
}

/** A length of a figure, so that style can make room: "1,000,000" is drawn smaller than "7". */
export function figure(id, text) {
  const element = at(id);
  if (element.textContent === text) return;
  element.textContent = text;
  element.dataset.length = text.length > 9 ? "long" : text.length > 5 ? "middle" : "short";
}

/** Draws the line: those in front of a place, you, and the door. Place 0 is inside; no place is at
 * the end of a line nobody has counted. */
export function picture(place, mood) {
  at("scene").dataset.mood = mood;
  const people = at("people");
  const before = Number(people.dataset.place || 0);
  const crowd = NARROW.matches ? 7 : 12;
  if (String(place) === people.dataset.place) return;
  people.dataset.place = String(place);
  const figures = [];
  if (place === 0) {
    figures.push(person("you in"));
  } else {
    const shown = Math.min(place ?? Infinity, crowd);
    const gap = shown < (place ?? Infinity);
    for (let i = 1; i < shown; i += 1) {
      if (gap && i === shown - 2) figures.push(gapOf(place && place - shown + 1));
      else figures.push(person(""));
    }
    figures.push(person("you"));
  }
  people.replaceChildren(...figures);
  people.classList.remove("moved");
  if (before > place) {
    void people.offsetWidth; // starts the animation anew
    people.classList.add("moved");
  }
}

function person(kind) {
  const element = document.createElement("span");
  element.className = `person ${kind}`;
  return element;
}

function gapOf(many) {
  const element = document.createElement("span");
  element.className = "gap";
  element.textContent = many ? `+${number(many)}` : "…";
  return element;
}

/** A list of facts: [[term, value]]. */
export function facts(pairs) {
  at("facts").replaceChildren(
    ...pairs.map(([term, value]) => {
      const row = document.createElement("div");
      const dt = document.createElement("dt");
      const dd = document.createElement("dd");
      dt.textContent = term;
      dd.textContent = value;
      row.append(dt, dd);
      return row;
    }),
  );
}

/** Players seen: [{name, online, status, you}]. */
export function who(players) {
  at("who").replaceChildren(
    ...players.map(({ name, online, status, you }) => {
      const row = document.createElement("li");
      row.dataset.online = String(online);
      row.dataset.player = name;
      const dot = document.createElement("span");
      dot.className = "dot";
      const label = document.createElement("strong");
      label.textContent = you ? `${name} (you)` : name;
      const text = document.createElement("span");
      text.className = "status";
      text.textContent = online ? status || "online" : you ? "appearing offline" : "not online";
      row.append(dot, label, text);
      return row;
    }),
  );
}

/** One line in the log. Tokens are cut: they are long, and they are secrets. */
export function log(direction, title, data) {
  const list = at("log");
  const follows = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const row = document.createElement("li");
  row.className = direction;
  const head = document.createElement("span");
  head.className = "head";
  head.textContent = title;
  const time = document.createElement("time");
  time.textContent = new Date().toTimeString().slice(0, 8);
  row.append(time, head);
  if (data !== undefined) {
    const code = document.createElement("code");
    code.textContent = typeof data === "string" ? data : JSON.stringify(data, cut);
    row.append(code);
  }
  list.append(row);
  while (list.children.length > LOG_LINES) list.firstChild.remove();
  if (follows) list.scrollTop = list.scrollHeight;
}

function cut(key, value) {
  const secret = typeof value === "string" && value.startsWith("eyJ");
  return secret ? `${value.slice(0, 6)}… (${value.length})` : value;
}
