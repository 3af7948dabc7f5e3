// The launch: how the line is, what turns it, and how it has been.
import { post, remove } from "../api.js";
import { html, useState } from "../html.js";
import { useLive } from "../live.js";
import { Deed, Empty, Failed, Field, Loaded, Loading, Table, confirm, count, dialogue, lasts, may, useLoad, when } from "../parts.js";
import { Plot } from "../plot.js";

const TURN = "queue.dials.update";
const LANES = ["standard", "paying", "grace", "staff", "low"];
const MODES = { open: "Open", paused: "Pause", held: "Hold", draining: "Drain", maintenance: "Maintenance" };
const MODE_TEXT = {
  open: "Players come in.",
  paused: "Nobody comes in; everybody keeps the place.",
  draining: "Who waits comes in; nobody new is taken.",
  maintenance: "Nobody comes in and nobody new is taken; places are kept.",
  held: "Nobody comes in, for sign-ins fail; everybody keeps the place. The line holds itself for a while when too many do.",
  prequeue: "The doors open later; who comes now gathers.",
  drawing: "Places are being drawn.",
};

const total = (queue) => Object.values(queue.lanes).reduce((sum, lane) => sum + lane.waiting, 0);
const KINDS = ["live", "reserved", "passes", "grace"];
/** Slots in use, of one moment: as measured last, or else as the line said. */
const used = (queue, now) =>
  now["slots.live"] === undefined
    ? queue.live + queue.reserved + queue.passes_out + queue.grace
    : KINDS.reduce((sum, kind) => sum + now[`slots.${kind}`], 0);

/** A change in words. */
function words({ rate, cap, lanes, announce }) {
  const said = announce && [MODES[announce.mode] ?? announce.mode, announce.message && `“${announce.message}”`, announce.until_ms && `until ${new Date(announce.until_ms).toLocaleTimeString("en-GB")}`];
  return [
    rate !== undefined && `rate ${count(rate)} a second`,
    cap !== undefined && `cap ${count(cap)}`,
    lanes && `lanes ${lanes.weights.join(" : ")}, grace ${lanes.grace_share}`,
    said && said.filter(Boolean).join(" "),
  ].filter(Boolean).join("; ");
}

function Preview({ staged, done }) {
  const lanes = Object.entries(staged.lanes);
  return html`
    <h2 id="dialogue-title">What it would do</h2>
    <p>${words(staged.change)}</p>
    ${lanes.length
      ? html`<${Table} label="Before and after" head=${["Lane", "Waiting", "Last comes in", "Then"]}>
          ${lanes.map(([name, lane]) => html`<tr><th scope="row">${name}</th><td class="number">${count(lane.waiting)}</td>
            <td>${lane.last_waits_s === null ? "nobody can say" : lasts(lane.last_waits_s)}</td>
            <td><strong>${lane.last_would_wait_s === null ? "nobody can say" : lasts(lane.last_would_wait_s)}</strong></td></tr>`)}
        <//>`
      : html`<p class="soft">Nobody waits.</p>`}
    <div class="row">
      <button type="button" autofocus onClick=${() => done(true)}>Make it</button>
      <button type="button" class="quiet" onClick=${() => done(false)}>Leave it</button>
    </div>`;
}

/** Stages, shows what would come of it, and makes it if that is wanted. Resolves to what was made. */
async function change(ask, queue) {
  const staged = await post("/queue/changes", ask);
  const closes = ["draining", "maintenance"].includes(ask.announce?.mode) || ask.rate === 0 || ask.cap === 0;
  const people = total(queue);
  const wanted =
    (await dialogue(Preview, { staged })) &&
    (!closes || !people || (await confirm({ title: "Sure?", text: `${count(people)} people wait in line.`, word: people, action: "Make it" })));
  if (wanted) return post(`/queue/changes/${staged.id}/apply`);
  await remove(`/queue/changes/${staged.id}`);
  return null;
}

function Dials({ queue, made, reload }) {
  const { dials } = queue;
  const turn = async (ask) => {
    made(await change(ask, queue));
    reload();
  };
  const numbers = ({ rate, cap }) => {
    const ask = {};
    if (+rate !== dials.rate) ask.rate = +rate;
    if (+cap !== dials.cap) ask.cap = +cap;
    return turn(ask);
  };
  const lanes = ({ paying, standard, low, grace }) =>
    turn({ lanes: { weights: [+paying, +standard, +low], grace_share: +grace } });
  const announce = ({ mode, message, minutes }) =>
    turn({ announce: { mode, message, ...(minutes ? { until_ms: Date.now() + minutes * 60_000 } : {}) } });
  const [paying, standard, low] = dials.lanes.weights;
  return html`<section aria-labelledby="dials">
    <h2 id="dials">Dials</h2>
    <div class="columns">
      <${Deed} id="rate-and-cap" act=${numbers} action="Preview">
        <div class="row">
          <${Field} key=${`r${dials.rate}`} label="Rate, a second" name="rate" type="number" step="any" min="0" max="100000" required defaultValue=${dials.rate} />
          <${Field} key=${`c${dials.cap}`} label="Cap, slots" name="cap" type="number" min="0" max="100000000" required defaultValue=${dials.cap} />
        </div>
      <//>
      <${Deed} id="mode" act=${announce} action="Preview">
        <div class="row">
          <label>Line <select name="mode" key=${dials.announce.mode}>
            ${Object.entries(MODES).map(([mode, name]) => html`<option value=${mode} selected=${mode === dials.announce.mode}>${name}</option>`)}
          </select></label>
          <${Field} label="For minutes" name="minutes" type="number" min="1" max="100000" placeholder="until I say so" />
        </div>
        <${Field} label="What players read" name="message" maxlength="200" placeholder="nothing" />
      <//>
      <${Deed} id="lanes" act=${lanes} action="Preview">
        <div class="row" key=${JSON.stringify(dials.lanes)}>
          <${Field} label="Paying" name="paying" type="number" min="1" max="1000" required defaultValue=${paying} />
          <${Field} label="Standard" name="standard" type="number" min="1" max="1000" required defaultValue=${standard} />
          <${Field} label="Low" name="low" type="number" min="1" max="1000" required defaultValue=${low} />
          <${Field} label="Grace share" name="grace" type="number" min="0" max="1" step="any" required defaultValue=${dials.lanes.grace_share} />
        </div>
      <//>
    </div>
  </section>`;
}

function Changes({ queue, undo, drop, apply, allowed }) {
  const { staged, made } = queue;
  if (!staged.length && !made.length) return html`<${Empty}>Nothing was changed since the server started.<//>`;
  return html`<${Table} label="Changes" head=${["When", "Change", ""]}>
    ${staged.map((it) => html`<tr key=${it.id}><td>staged, until ${when(it.expires_ms)}</td><td>${words(it.change)}</td><td class="deeds">
      ${allowed && html`<button type="button" class="quiet" onClick=${() => apply(it.id)}>Make it</button> <button type="button" class="quiet" onClick=${() => drop(it.id)}>Drop</button>`}</td></tr>`)}
    ${[...made].reverse().map((it) => html`<tr key=${it.id}><td>${when(it.at_ms)}</td><td>${words(it.change)} <span class="soft">before: ${words(it.before)}</span></td><td class="deeds">
      ${it.undone ? html`<span class="soft">taken back</span>` : allowed && html`<button type="button" class="quiet" onClick=${() => undo(it.id)}>Undo</button>`}</td></tr>`)}
  <//>`;
}

const RANGES = { 15: "15 minutes", 60: "1 hour", 360: "6 hours" };

/** The columns of these names that were ever more than nought. */
const busy = (series, prefix, but = []) =>
  Object.keys(series).filter((name) => name.startsWith(prefix) && !but.includes(name) && series[name].some((value) => value > 0));

function Plots({ live }) {
  const { at, series, step } = live;
  const of = (name, title = name.split(".").at(-1), dash) => ({ name: title.replaceAll("_", " "), values: series[name] ?? [], dash });
  const lanes = LANES.map((lane) => `waiting.${lane}`).filter((name, place) => !place || series[name]?.some((value) => value > 0));
  const signIns = busy(series, "sign_ins.", ["sign_ins.failed", "sign_ins.waiting"]);
  const pictures = [
    { title: "In line", series: lanes.map((name) => of(name)) },
    { title: "Admitted a second", series: [of("admitted"), of("rate.in_force", "rate in force", [6, 4]), of("rate.set", "rate set", [2, 3])] },
    { title: "Slots", series: [of("slots.live", "online"), of("slots.reserved"), of("slots.passes"), of("slots.grace"), of("slots.cap", "cap", [2, 3])] },
    { title: "Wait", unit: " s", series: [of("eta.quoted_s", "told who enters now"), of("eta.waited_s", "true of who came in")] },
    { title: "Sign-ins a second", series: [...signIns.map((name) => of(name)), of("sign_ins.failed", "failed")] },
    { title: "Passwords that wait", series: [of("hash.pending", "waiting"), of("hash.size", "room", [2, 3])] },
    { title: "Loops late by", unit: " ms", series: [of("loop_lag_ms", "at most")] },
    { title: "Answers a second", series: [of("http.answers", "all"), of("http.client_errors", "4xx"), of("http.server_errors", "5xx")] },
    { title: "Open", series: [of("sockets"), of("streams"), of("http.connections")] },
  ];
  return html`<div class="plots">${pictures.map((picture) => html`<${Plot} key=${picture.title} at=${at} step=${step} ...${picture} />`)}</div>`;
}

function Figures({ queue, live }) {
  const now = live.now ?? {};
  const mode = queue.dials.announce;
  const shut = mode.mode === "open" && !(queue.dials.rate && queue.dials.cap);
  const figures = [
    ["In line", count(now["waiting.standard"] === undefined ? total(queue) : LANES.reduce((sum, lane) => sum + (now[`waiting.${lane}`] ?? 0), 0))],
    ["Admitted a second", count(now.admitted ?? NaN), `of ${count(now["rate.in_force"] ?? queue.rate_in_force)}`],
    ["Slots used", count(used(queue, now)), `of ${count(queue.dials.cap)}`],
    ["Who enters now waits", lasts(now["eta.quoted_s"] ?? NaN)],
    ["Online", count(now["slots.live"] ?? queue.live)],
  ];
  return html`
    <p class=${mode.mode === "open" && !shut ? "good" : "warn"}><strong>${MODES[mode.mode] ?? mode.mode}</strong>. ${shut ? "But nobody comes in: rate or cap is 0." : MODE_TEXT[mode.mode]}
      ${mode.until_ms && html` Until ${when(mode.until_ms)}.`} ${mode.message && html` Players read: “${mode.message}”.`}
      ${queue.measured_limit !== undefined && html` <span class="warn">Slowed down to ${count(queue.measured_limit)} a second by what is measured.</span>`}</p>
    <dl class="figures">${figures.map(([name, value, more]) => html`<div><dt>${name}</dt><dd>${value} ${more && html`<small class="soft">${more}</small>`}</dd></div>`)}</dl>`;
}

export default function Launch({ session }) {
  const [minutes, setMinutes] = useState(15);
  const [notice, setNotice] = useState(null);
  const live = useLive(minutes);
  const queue = useLoad("/queue", 3_000);
  const allowed = may(session, TURN);
  const act = (path, deed = post) => async (id) => {
    try {
      await deed(path(id));
      setNotice({ text: "Done." });
    } catch (error) {
      setNotice({ error });
    }
    queue.reload();
  };
  const undo = act((id) => `/queue/changes/${id}/undo`);
  const made = (change) => {
    if (!change) return;
    setNotice({ text: `Made: ${words(change.change)}.`, undo: change.id });
    setTimeout(() => setNotice((was) => (was?.undo === change.id ? null : was)), 30_000);
  };
  return html`
    <h1>Launch</h1>
    ${notice && html`<p class=${`notice ${notice.error ? "bad" : "good"}`} role="status">${notice.error?.message ?? notice.text}
      ${" "}${notice.undo && html`<button type="button" class="quiet" onClick=${() => undo(notice.undo)}>Undo</button>`}</p>`}
    <${Loaded} of=${queue} what="the line">${(data) => html`
      <${Figures} queue=${data} live=${live} />
      ${allowed ? html`<${Dials} queue=${data} made=${made} reload=${queue.reload} />` : html`<p class="soft">You may look at the dials, not turn them.</p>`}
      <h2>Changes</h2>
      <${Changes} queue=${data} allowed=${allowed} undo=${undo} apply=${act((id) => `/queue/changes/${id}/apply`)} drop=${act((id) => `/queue/changes/${id}`, remove)} />`}<//>
    <div class="row spread"><h2>How it has been</h2>
      <label class="inline">Range <select value=${minutes} onChange=${(event) => setMinutes(+event.target.value)}>
        ${Object.entries(RANGES).map(([value, name]) => html`<option value=${value}>${name}</option>`)}</select></label></div>
    ${live.lost && html`<p class="warn" role="status">The stream broke off; it is tried again.</p>`}
    ${live.error ? html`<${Failed} error=${live.error} />` : !live.at?.length ? (live.turn ? html`<${Empty}>Nothing was measured in this time yet.<//>` : html`<${Loading} />`) : html`<${Plots} live=${live} />`}`;
}
