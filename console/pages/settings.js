// Settings: what is in force and where it came from; reading them again; new keys.
import { post, query as path } from "../api.js";
import { html, useState } from "../html.js";
import { Deed, Field, Loaded, Pager, Table, confirm, may, useList } from "../parts.js";

const SOURCES = { default: "default", file: "file", environment: "environment", flag: "command line" };
const WHICH = { sessions: "Pragma's session tokens", nakama: "Nakama's session tokens", tickets: "tickets and passes", all: "all of them" };

const text = (value) => (value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));

const Changed = ({ title, list }) => list.length > 0 && html`<h3>${title}</h3><ul>${list.map((it) => html`<li><code>${it.key}</code> ${it.from === null && it.to === null ? "(a secret)" : html`${text(it.from) || "nothing"} → <strong>${text(it.to) || "nothing"}</strong>`}</li>`)}</ul>`;

function Reload({ again }) {
  const [done, setDone] = useState(null);
  const act = async () => {
    setDone(await post("/settings/reload"));
    again();
  };
  return html`<section aria-label="Read again"><${Deed} quiet act=${act} action="Read settings again">
    ${done && html`<div role="status">${done.changed.length ? "" : html`<p class="good">Nothing changed.</p>`}
      <${Changed} title="Changed" list=${done.changed} /><${Changed} title="Needs a restart" list=${done.needs_restart} /></div>`}<//></section>`;
}

function Keys() {
  const [done, setDone] = useState(null);
  const act = async ({ which }) => {
    if (!(await confirm({ title: "New keys", text: `New keys for ${WHICH[which]}. They count from the next start on; what the old ones signed stays good until those are forgotten.`, word: "rotate", action: "Make new keys" }))) return;
    setDone(await post("/keys/rotate", { which }));
  };
  return html`<section aria-label="Keys"><h2>Keys</h2><${Deed} quiet danger act=${act} action="Make new keys">
    <label>For <select name="which">${Object.entries(WHICH).map(([value, name]) => html`<option value=${value}>${name}</option>`)}</select></label>
    ${done && html`<p class="good" role="status">New keys for ${WHICH[done.which]} are in the secrets file. Restart the server to use them.</p>`}<//></section>`;
}

export default function Settings({ query, session }) {
  const search = query.get("search") ?? "";
  const list = useList("/settings", { search, limit: 100 });
  const find = async ({ search: wanted }) => {
    location.hash = path("#/settings", { search: wanted });
  };
  return html`<h1>Settings</h1>
    ${may(session, "server.settings.reload") && html`<${Reload} again=${list.reload} />`}
    <${Deed} key=${search} act=${find} action="Search"><${Field} label="Part of a key" name="search" defaultValue=${search} placeholder="queue.rate" spellcheck="false" autocapitalize="none" /><//>
    <${Loaded} of=${list} what="settings" empty=${({ items }) => !items.length} nothing=${`No key has “${search}” in it.`}>${({ items }) => html`
      <${Table} label="Settings in force" head=${["Key", "Value", "From", ""]}>${items.map((it) => html`<tr key=${it.key}>
        <th scope="row"><code>${it.key}</code></th><td class="value">${it.secret ? html`<span class="soft">secret, set</span>` : text(it.value)}</td>
        <td>${it.source === "default" ? html`<span class="soft">default</span>` : html`<strong>${SOURCES[it.source]}</strong>`}</td><td>${it.live && html`<span class="tag">live</span>`}</td></tr>`)}<//>`}<//>
    <${Pager} pager=${list.pager} />
    ${may(session, "server.keys.rotate") && html`<${Keys} />`}`;
}
