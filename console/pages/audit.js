// What is on record, and whether the chain holds.
import { get, query as path } from "../api.js";
import { html, useState } from "../html.js";
import { Deed, Empty, Failed, Field, Loaded, Pager, Table, count, useList, when } from "../parts.js";

const KINDS = ["rate", "cap", "lanes", "pause", "resume", "drain", "maintenance", "undo", "setting", "ban", "ban_lifted", "kick", "sign_out", "unlink", "rename", "tags", "groups", "export", "delete_account", "create_account", "admitted", "admitted_many", "not_done"];

const by = (who) => (typeof who === "string" ? who : Object.entries(who).map(([kind, name]) => html`${kind} <code title=${name}>${String(name).slice(0, 8)}</code>`));

/** What was done, in a line: the name, and what belongs to it. */
function What({ what }) {
  const { kind, name, details, ...rest } = what;
  const pairs = (details ?? Object.entries(rest)).filter(([, value]) => value !== null && value !== "");
  const text = (key, value) => {
    if (["until", "opens_at"].includes(key)) return when(value / 1_000);
    return (typeof value === "object" ? JSON.stringify(value) : String(value)).slice(0, 64);
  };
  return html`<strong>${(name ?? kind).replaceAll("_", " ")}</strong> ${pairs.map(([key, value]) => html`<span class="soft">${key}</span> ${text(key, value)} `)}`;
}

function Chain() {
  const [state, setState] = useState({});
  const look = async () => setState({ told: await get("/audit/verify") });
  const { told } = state;
  return html`<${Deed} quiet act=${look} action="Check the chain">
    ${told && html`<p class=${told.holds ? "good" : "bad"} role="status">${told.holds ? "The chain holds" : `The chain does not hold: ${count(told.broken)} breaks`}:
      ${" "}${count(told.records)} records${!told.whole && `, from number ${count(told.first)} on`}. ${told.head && html` Head <code>${told.head}</code>`}</p>
      ${told.breaks.map((one) => html`<p class="bad">${one.file}: ${one.why}</p>`)}`}
  <//>`;
}

export default function Audit({ query }) {
  const asked = Object.fromEntries(["what", "account", "by", "since", "until"].map((name) => [name, query.get(name) ?? ""]));
  const ms = (text) => (text ? new Date(text).getTime() : "");
  const filter = { what: asked.what, account: asked.account, by: asked.by, since_ms: ms(asked.since), until_ms: ms(asked.until) };
  const list = useList("/audit", filter);
  const search = async (fields) => {
    location.hash = path("#/audit", fields);
  };
  return html`<h1>Audit</h1>
    <${Chain} />
    <${Deed} key=${JSON.stringify(asked)} act=${search} action="Search">
      <div class="row">
        <${Field} label="What" name="what" defaultValue=${asked.what} list="kinds" placeholder="rate,ban" spellcheck="false" />
        <datalist id="kinds">${KINDS.map((kind) => html`<option value=${kind} />`)}</datalist>
        <${Field} label="By or about account" name="account" defaultValue=${asked.account} placeholder="id" spellcheck="false" />
        <${Field} label="By operator" name="by" defaultValue=${asked.by} placeholder="id" spellcheck="false" />
        <${Field} label="Since" name="since" type="datetime-local" defaultValue=${asked.since} />
        <${Field} label="Until" name="until" type="datetime-local" defaultValue=${asked.until} />
      </div>
    <//>
    ${list.error && !list.data
      ? html`<${Failed} error=${list.error} retry=${list.reload} />`
      : html`<${Loaded} of=${list} what="records" empty=${({ items, next }) => !items.length && !next} nothing="Nothing of that is on record.">${({ items }) => html`
        ${items.length
          ? html`<${Table} label="Records" head=${["Number", "When", "Who", "What"]}>${items.map((it) => html`<tr key=${it.seq}><td class="number">${count(it.seq)}</td><td>${when(it.at_ms)}</td><td>${by(it.who)}</td><td><${What} what=${it.what} /></td></tr>`)}<//>`
          : html`<${Empty}>Nothing in this part; there is more before it.<//>`}`}<//>`}
    <${Pager} pager=${list.pager} />`;
}
