// What pages are made of: states of loading, lists by pages, dialogues, numbers and times.
import { get, query } from "./api.js";
import { html, useCallback, useEffect, useRef, useState } from "./html.js";

/** What is on its way. */
export const Loading = ({ what = "" }) => html`<p class="state" role="status" aria-busy="true">Loading ${what}…</p>`;

/** There is nothing, and that is fine. */
export const Empty = ({ children }) => html`<p class="state" role="status">${children}</p>`;

/** What did not work, in words, and a way to try again. */
export const Failed = ({ error, retry }) => html`
  <div class="state bad" role="alert">
    <p>${error.message}</p>
    ${retry && html`<button type="button" class="quiet" onClick=${retry}>Try again</button>`}
  </div>`;

/** Loads `path` when it changes, and again every `every` ms while the tab is seen. `path` null: not yet. */
export function useLoad(path, every = 0) {
  const [state, setState] = useState({ path });
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  useEffect(() => {
    if (path === null) return undefined;
    const ending = new AbortController();
    get(path, ending.signal).then(
      (data) => setState({ path, data }),
      (error) => error.name !== "AbortError" && setState((was) => ({ path, data: was.path === path ? was.data : undefined, error })),
    );
    return () => ending.abort();
  }, [path, turn]);
  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => document.hidden || reload(), every);
    return () => clearInterval(timer);
  }, [every, reload]);
  const current = state.path === path ? state : { path };
  return { ...current, reload };
}

/** Draws what was loaded by `children(data)`, or the state it is in. `empty(data)` says whether it is. */
export function Loaded({ of, what, empty, nothing, children }) {
  if (of.data === undefined) return of.error ? html`<${Failed} error=${of.error} retry=${of.reload} />` : html`<${Loading} what=${what} />`;
  return html`
    ${of.error && html`<${Failed} error=${of.error} retry=${of.reload} />`}
    ${empty?.(of.data) ? html`<${Empty}>${nothing}<//>` : children(of.data)}`;
}

/** A list the server pages: `{…, next}` where `next` is what `after` wants for the page behind it. */
export function useList(path, filter = {}) {
  const [seen, setSeen] = useState([]);
  const key = query(path, filter);
  useEffect(() => setSeen([]), [key]);
  const list = useLoad(query(path, { ...filter, after: seen.at(-1) }));
  const pager = {
    number: seen.length + 1,
    back: seen.length ? () => setSeen(seen.slice(0, -1)) : null,
    on: list.data?.next ? () => setSeen([...seen, list.data.next]) : null,
  };
  return { ...list, pager };
}

/** The way through a list of pages. */
export const Pager = ({ pager }) =>
  (pager.back || pager.on) &&
  html`<nav class="pager" aria-label="Pages of the list">
    <button type="button" class="quiet" disabled=${!pager.back} onClick=${pager.back}>Back</button>
    <span aria-live="polite">Page ${pager.number}</span>
    <button type="button" class="quiet" disabled=${!pager.on} onClick=${pager.on}>On</button>
  </nav>`;

/** A table that scrolls by itself on a narrow screen. */
export const Table = ({ label, head, children }) => html`
  <div class="scroll" role="region" aria-label=${label} tabindex="0">
    <table>
      <thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${children}</tbody>
    </table>
  </div>`;

/** A form that does one thing: `act` gets the fields by name; what is refused is shown in words. */
export function Deed({ act, action, danger, disabled, children, quiet, id }) {
  const [state, setState] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target));
    setState({ busy: true });
    try {
      await act(fields, event.target);
      setState({});
    } catch (error) {
      setState({ error });
    }
  };
  const look = [danger && "danger", quiet && "quiet"].filter(Boolean).join(" ");
  return html`<form id=${id} onSubmit=${submit}>
    ${children}
    ${state.error && html`<p class="bad" role="alert">${state.error.message}</p>`}
    <button type="submit" class=${look} aria-busy=${Boolean(state.busy)} disabled=${disabled || state.busy}>${action}</button>
  </form>`;
}

/** A labelled field with its hint. */
export const Field = ({ label, hint, name, ...rest }) => html`
  <label>${label}
    <input name=${name} aria-describedby=${hint && `hint-${name}`} ...${rest} />
    ${hint && html`<small id=${`hint-${name}`}>${hint}</small>`}
  </label>`;

// Dialogues: opened from anywhere, answered by a promise, one above the other.

let host = { stack: [], draw: () => {} };

/** Opens `Component` as a dialogue; resolves to what it calls `done(answer)` with, false when left. */
export const dialogue = (Component, props = {}) =>
  new Promise((resolve) => {
    const entry = { Component, props };
    entry.done = (answer) => {
      host.stack = host.stack.filter((other) => other !== entry);
      host.draw({});
      resolve(answer);
    };
    host.stack = [...host.stack, entry];
    host.draw({});
  });

/** Where dialogues are drawn; once, in the shell. */
export function Dialogues() {
  [, host.draw] = useState({});
  return host.stack.map((entry) => html`<${Dialogue} key=${entry} ...${entry} />`);
}

function Dialogue({ Component, props, done }) {
  const box = useRef(null);
  useEffect(() => box.current.showModal(), []);
  const left = (event) => {
    event.preventDefault();
    done(false);
  };
  return html`<dialog ref=${box} onCancel=${left} aria-labelledby="dialogue-title">
    <article><${Component} ...${props} done=${done} /></article>
  </dialog>`;
}

/** What cannot be undone: says what will happen and, with `word`, wants it typed. Resolves to whether to. */
export const confirm = (props) => dialogue(Confirm, props);

function Confirm({ title, text, word, action, danger = true, done }) {
  const [typed, setTyped] = useState("");
  return html`
    <h2 id="dialogue-title">${title}</h2>
    <p>${text}</p>
    <${Deed} act=${() => done(true)} action=${action} danger=${danger} disabled=${word && typed !== String(word)}>
      ${word && html`<${Field} name="word" label=${html`Type <strong>${word}</strong> to go on`} autocomplete="off"
        autofocus value=${typed} onInput=${(event) => setTyped(event.target.value)} />`}
    <//>
    <button type="button" class="quiet" onClick=${() => done(false)}>Cancel</button>`;
}

/** Something that is shown once. */
export function Secret({ label, value }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    setCopied(true);
  };
  return html`<div class="secret"><span>${label}</span><code tabindex="0">${value}</code>
    <button type="button" class="quiet" onClick=${copy}>${copied ? "Copied" : "Copy"}</button></div>`;
}

/** Shows what is shown once, until it is put away. */
export const showOnce = (props) => dialogue(ShownOnce, props);

const ShownOnce = ({ title, text, label, value, done }) => html`
  <h2 id="dialogue-title">${title}</h2>
  <p>${text}</p>
  <${Secret} label=${label} value=${value} />
  <button type="button" onClick=${() => done(true)}>I have it</button>`;

const GROUPS = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** A number with thin spaces between thousands, and at most one digit behind the point. */
export const count = (number) =>
  Number.isFinite(number) ? GROUPS.format(number).replaceAll(",", "\u202f") : "–";

/** A moment in milliseconds as a person reads it; the exact one on hover. */
export function when(ms) {
  if (!ms) return "–";
  const at = new Date(ms);
  const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const today = at.toDateString() === new Date().toDateString();
  const year = at.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
  const format = today ? clock : { ...year, day: "numeric", month: "short", ...clock };
  return html`<time datetime=${at.toISOString()} title=${at.toISOString()}>${at.toLocaleString("en-GB", format)}</time>`;
}

/** Seconds as a person says them. */
export function lasts(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${(seconds / 3_600).toFixed(1)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** May who is signed in do this? Only for showing: the server decides. */
export const may = (session, permission) =>
  session.permissions.some((held) => held === permission || (held.endsWith("*") && permission.startsWith(held.slice(0, -1))));
