// The server: what runs, since when, where, and how much of it.
import { html } from "../html.js";
import { Loaded, Table, count, lasts, useLoad, when } from "../parts.js";

const bytes = (n) => {
  if (n === null) return "–";
  const unit = ["B", "kB", "MB", "GB", "TB"];
  const at = Math.min(unit.length - 1, Math.max(0, Math.floor(Math.log10(n || 1) / 3)));
  return `${count(n / 1000 ** at)} ${unit[at]}`;
};

const Counts = ({ title, of }) => html`<section><h2>${title}</h2><${Table} label=${title} head=${["Kind", "Now"]}>
  ${of.map((it) => html`<tr><th scope="row">${it.kind.replaceAll("_", " ")}</th><td class="number">${count(it.count)}</td></tr>`)}<//></section>`;

export default function Status() {
  const status = useLoad("/status", 5_000);
  return html`<h1>Status</h1>
    <${Loaded} of=${status} what="the server's state">${(it) => html`
      <p><strong class=${it.state === "ready" ? "good" : "warn"}>${it.state}</strong>, version ${it.version}${it.commit && html` (<code>${it.commit}</code>)`}, up ${lasts((it.now_ms - it.started_ms) / 1000)} since ${when(it.started_ms)}</p>
      <dl class="figures">
        ${[["Accounts", count(it.accounts)], ["In line", count(it.line.waiting)], ["Memory", bytes(it.memory_bytes)], ["Threads", count(it.threads ?? NaN)],
          ["Files open", html`${count(it.files_open ?? NaN)} <small class="soft">of ${count(it.files_max ?? NaN)}</small>`], ["Streams", html`${count(it.streams.queue)} <small class="soft">players', ${count(it.streams.operators)} ours</small>`],
        ].map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
      </dl>
      <div class="columns">
        <${Counts} title="Sockets" of=${it.sockets} />
        <${Counts} title="HTTP connections" of=${it.connections} />
        <section><h2>Listeners</h2><${Table} label="Listeners" head=${["For", "Where"]}>${it.listeners.map((one) => html`<tr><th scope="row">${one.name}</th><td><code>${one.address}</code></td></tr>`)}<//></section>
        <section><h2>On disk</h2><dl class="facts">
          <dt>Accounts</dt><dd>${bytes(it.store.accounts_bytes)}</dd><dt>The line</dt><dd>${bytes(it.store.queue_bytes)} <span class="soft">journal ${bytes(it.line.journal_bytes)}</span></dd>
          <dt>Audit chain</dt><dd>${bytes(it.store.audit_bytes)}</dd><dt>Last flush</dt><dd>${when(it.store.flushed_ms)}</dd>
          <dt>Flushes</dt><dd>${count(it.store.commits)} of ${count(it.store.writes)} changes, ${count(it.store.flush_max_us / 1000)} ms at most</dd>
          <dt>On record</dt><dd>${count(it.audit.written)} ${it.audit.unrecorded > 0 && html`<span class="bad">${count(it.audit.unrecorded)} not taken</span>`}</dd>
          <dt>Epoch</dt><dd>${it.line.epoch}</dd><dt>Mode</dt><dd>${it.line.mode}</dd><dt>Workers</dt><dd>${it.workers}</dd></dl></section>
      </div>`}<//>`;
}
