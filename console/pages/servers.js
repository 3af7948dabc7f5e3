// Game servers: shards and who may enter them, events, groups, tags; partner tokens.
import { call, patch, post, remove } from "../api.js";
import { html, useState } from "../html.js";
import { Deed, Field, Loaded, Pager, Table, confirm, dialogue, may, showOnce, useList, useLoad, when } from "../parts.js";

const PAGE = { limit: 20 };
/** A moment for `<input type="datetime-local">`, and back. */
const local = (ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
const moment = (text) => new Date(text).getTime();

/** A part of the page: its list, what makes a new entry, and what happened last. */
function Part({ title, list, allowed, add, nothing, head, children }) {
  const [notice, setNotice] = useState(null);
  const act = async (deed, said) => {
    try {
      if ((await deed()) === false) return;
      setNotice({ text: said });
    } catch (error) {
      setNotice({ error });
    }
    list.reload();
  };
  return html`<section aria-label=${title}>
    <div class="row spread"><h2>${title}</h2>${allowed && add && html`<button type="button" class="quiet" onClick=${() => act(add, "Done.")}>New</button>`}</div>
    ${notice && html`<p class=${notice.error ? "bad" : "good"} role="status">${notice.error?.message ?? notice.text}</p>`}
    <${Loaded} of=${list} what=${title.toLowerCase()} empty=${({ items }) => !items.length} nothing=${nothing}>${({ items }) => html`
      <${Table} label=${title} head=${head}>${items.map((it) => children(it, act))}<//>`}<//>
    <${Pager} pager=${list.pager} />
  </section>`;
}

const Buttons = ({ allowed, edit, drop }) => html`<td class="deeds">${allowed && html`
  ${edit && html`<button type="button" class="quiet" onClick=${edit}>Change</button>`} ${drop && html`<button type="button" class="quiet danger" onClick=${drop}>Delete</button>`}`}</td>`;

/** A dialogue of one form. `fields(values)` draws it, `act(values)` does it. */
const form = (title, action, Fields, act) => dialogue(({ done }) => html`
  <h2 id="dialogue-title">${title}</h2>
  <${Deed} action=${action} act=${async (values, element) => { await act(values, element); done(true); }}><${Fields} /><//>
  <button type="button" class="quiet" onClick=${() => done(false)}>Cancel</button>`);

/** Groups to choose from, as boxes named `groups`. */
const Groups = ({ chosen = [] }) => {
  const list = useLoad("/groups?limit=100");
  return html`<fieldset><legend>Groups</legend><${Loaded} of=${list} empty=${({ items }) => !items.length} nothing="There are no groups yet.">${({ items }) =>
    items.map((it) => html`<label><input type="checkbox" name="groups" value=${it.id} defaultChecked=${chosen.includes(it.id)} /> ${it.name}</label>`)}<//></fieldset>`;
};
const chosen = (element) => new FormData(element).getAll("groups");

function Shards({ allowed, name }) {
  const list = useList("/shards", PAGE);
  const edit = (it) => form("Who may enter", "Set", () => html`
    <label>Access <select name="access" autofocus><option value="everyone" selected=${it.access === "everyone"}>everybody</option><option value="limited" selected=${it.access === "limited"}>only these groups, and events</option></select></label>
    <${Groups} chosen=${it.groups} />`, ({ access }, element) => call("PUT", `/shards/${it.id}`, { access, groups: chosen(element) }));
  return html`<${Part} title="Shards" list=${list} head=${["Shard", "Who may enter", "Groups", ""]}>${(it, act) => html`<tr key=${it.id}>
    <td><code>${it.id}</code> ${it.own && html`<span class="tag">this server's</span>`}</td><td>${it.access === "limited" ? html`<span class="warn">limited</span>` : "everybody"}</td>
    <td>${it.groups.map(name).join(", ")}</td><${Buttons} allowed=${allowed} edit=${() => act(() => edit(it), "Set.")} /></tr>`}<//>`;
}

function Events({ allowed, name, shard }) {
  const list = useList("/events", PAGE);
  const edit = (it) => form(it.id ? "Change the event" : "New event", it.id ? "Change" : "Create", () => html`
    <${Field} label="Name" name="name" defaultValue=${it.name} required maxlength="128" autofocus />
    <${Field} label="What it is" name="description" defaultValue=${it.description} maxlength="1024" />
    <${Field} label="Shard" name="shard" defaultValue=${it.shard} required />
    <${Field} label="From" name="start" type="datetime-local" defaultValue=${local(it.start_ms)} required />
    <${Field} label="Until" name="end" type="datetime-local" defaultValue=${local(it.end_ms)} required />
    <${Groups} chosen=${it.groups} />`, ({ start, end, groups, ...rest }, element) => {
    const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const body = { ...rest, groups: chosen(element), start_ms: moment(start), end_ms: moment(end), time_zone };
    return it.id ? call("PUT", `/events/${it.id}`, body) : post("/events", body);
  });
  const fresh = () => edit({ name: "", description: "", shard, groups: [], start_ms: Date.now(), end_ms: Date.now() + 86_400_000 });
  return html`<${Part} title="Limited access events" list=${list} allowed=${allowed} add=${fresh} nothing="No event is planned." head=${["Event", "From", "Until", "Groups", ""]}>${(it, act) => html`<tr key=${it.id}>
    <td>${it.name} <span class="soft">${it.description}</span></td><td>${when(it.start_ms)}</td><td>${when(it.end_ms)}</td><td>${it.groups.map(name).join(", ")}</td>
    <${Buttons} allowed=${allowed} edit=${() => act(() => edit(it), "Changed.")} drop=${() => act(async () => (await confirm({ title: "Delete the event", text: it.name, action: "Delete" })) && remove(`/events/${it.id}`), "Deleted.")} /></tr>`}<//>`;
}

function GroupList({ allowed, list }) {
  const edit = (it) => form(it.id ? "Change the group" : "New group", it.id ? "Change" : "Create", () => html`
    <${Field} label="Name" name="name" defaultValue=${it.name} required maxlength="128" autofocus /><${Field} label="What for" name="description" defaultValue=${it.description} maxlength="1024" />`,
    (body) => (it.id ? call("PUT", `/groups/${it.id}`, body) : post("/groups", body)));
  return html`<${Part} title="Player groups" list=${list} allowed=${allowed} add=${() => edit({})} nothing="There are no groups yet." head=${["Group", "What for", ""]}>${(it, act) => html`<tr key=${it.id}>
    <td>${it.name}</td><td>${it.description}</td><${Buttons} allowed=${allowed} edit=${() => act(() => edit(it), "Changed.")}
      drop=${() => act(async () => (await confirm({ title: "Delete the group", text: `${it.name} goes from every account.`, action: "Delete" })) && remove(`/groups/${it.id}`), "Deleted.")} /></tr>`}<//>`;
}

function Tags({ allowed }) {
  const list = useList("/tags", PAGE);
  const edit = (it) => form(it.id ? "Rename the tag" : "New tag", it.id ? "Rename" : "Create", () => html`<${Field} label="Tag" name="name" defaultValue=${it.name} required maxlength="128" autofocus />`,
    (body) => (it.id ? call("PUT", `/tags/${it.id}`, body) : post("/tags", body)));
  return html`<${Part} title="Tags" list=${list} allowed=${allowed} add=${() => edit({})} nothing="There are no tags yet." head=${["Tag", ""]}>${(it, act) => html`<tr key=${it.id}>
    <td>${it.name}</td><${Buttons} allowed=${allowed} edit=${() => act(() => edit(it), "Renamed.")}
      drop=${() => act(async () => (await confirm({ title: "Delete the tag", text: `${it.name} goes from every account.`, action: "Delete" })) && remove(`/tags/${it.id}`), "Deleted.")} /></tr>`}<//>`;
}

function Tokens({ session, shard }) {
  const list = useList("/partner-tokens", PAGE);
  const allows = (deed) => may(session, `account.partner_tokens.${deed}`);
  const create = async () => {
    let made;
    const wanted = await form("New partner token", "Create", () => html`
      <${Field} label="Label" hint="Which fleet it is for" name="label" maxlength="128" autofocus />
      <${Field} label="Shard" name="shard" defaultValue=${shard} required />
      <${Field} label="Permissions" hint="Separated by blanks; empty: everything a game server may" name="permissions" spellcheck="false" />`,
      async ({ label, shard: of, permissions }) => {
        const some = permissions.split(/[\s,]+/).filter(Boolean);
        made = await post("/partner-tokens", { label, shard: of, ...(some.length ? { permissions: some } : {}) });
      });
    if (!wanted) return false;
    const text = "It is shown this once and kept nowhere.";
    await showOnce({ title: "The game token", text, label: "For the game backend", value: made.game_token });
    await showOnce({ title: "The social token", text, label: "For the social backend", value: made.social_token });
    return true;
  };
  const relabel = (it) => form("Label", "Set", () => html`<${Field} label="Label" name="label" defaultValue=${it.label} maxlength="128" autofocus />`, (body) => patch(`/partner-tokens/${it.id}`, body));
  const revoke = async (it) => (await confirm({ title: "Revoke the token", text: "Game servers that show it are refused at once, and their sockets close.", word: it.label || "revoke", action: "Revoke" })) && remove(`/partner-tokens/${it.id}`);
  return html`<${Part} title="Partner tokens" list=${list} allowed=${allows("create")} add=${create} nothing="No game server has a token yet." head=${["Label", "Shard", "Made", "Last used", "May", ""]}>${(it, act) => html`<tr key=${it.id}>
    <td>${it.label || html`<span class="soft">none</span>`} ${it.revoked_ms && html`<span class="tag bad">revoked</span>`}</td><td><code>${it.shard.slice(-12)}</code></td><td>${when(it.created_ms)}</td><td>${when(it.last_used_ms)}</td>
    <td>${it.permissions.join(" ") || "everything"}</td>
    <td class="deeds">${!it.revoked_ms && allows("update") && html`<button type="button" class="quiet" onClick=${() => act(() => relabel(it), "Set.")}>Label</button>`}
      ${" "}${!it.revoked_ms && allows("revoke") && html`<button type="button" class="quiet danger" onClick=${() => act(() => revoke(it), "Revoked.")}>Revoke</button>`}</td></tr>`}<//>`;
}

export default function Servers({ session }) {
  const allows = (permission) => may(session, permission);
  const shards = useLoad(allows("game_management.shards.get") ? "/shards?limit=1" : null);
  const groups = useList("/groups", { limit: 100 });
  const name = (id) => groups.data?.items.find((it) => it.id === id)?.name ?? id.slice(-6);
  const shard = shards.data?.items[0]?.id ?? "";
  return html`<h1>Game servers</h1>
    ${allows("game_management.shards.get") && html`<${Shards} allowed=${allows("game_management.shards.update")} name=${name} />
      <${Events} allowed=${allows("game_management.events.update")} name=${name} shard=${shard} />`}
    ${allows("account.partner_tokens.get") && html`<${Tokens} session=${session} shard=${shard} />`}
    ${allows("account.groups.get") && html`<${GroupList} allowed=${allows("account.groups.update")} list=${groups} />`}
    ${allows("account.tags.get") && html`<${Tags} allowed=${allows("account.tags.update")} />`}`;
}
