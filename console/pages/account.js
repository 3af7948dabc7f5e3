// Everything about one account, and what can be done to it.
import { call, get, patch, post, remove } from "../api.js";
import { html, useState } from "../html.js";
import { useStream } from "../live.js";
import { Deed, Empty, Field, Loaded, Pager, Table, confirm, count, dialogue, lasts, may, useList, useLoad, when } from "../parts.js";

const BOUND = {
  paused: "the line is paused", held: "the line holds itself", maintenance: "maintenance", prequeue: "the doors open later",
  drawing: "places are being drawn", settling: "the server has just started", no_slots: "the cap is nought", no_rate: "the rate is nought",
  full: "every slot is held", party: "a party at the head gathers slots", slow_start: "the rate grows after a standstill",
  measured: "the rate is lowered by what is measured", rate: "the rate, as set",
};
const STATE = { waiting: "Waits in line", parked: "Was silent when the turn came; the number is kept", pass: "Admitted, not signed in yet", none: "Not in line" };
const SCOPES = { account: "the whole account", all_shards: "all game shards", shard: "one game shard" };
const HOUR = 3_600_000;
const FOR = [["", "for good"], [HOUR, "1 hour"], [24 * HOUR, "1 day"], [168 * HOUR, "1 week"], [720 * HOUR, "30 days"]];

const Line = ({ line }) => html`<dl class="facts">
  <dt>In line</dt><dd>${STATE[line.state]}</dd>
  ${line.number !== undefined && html`<dt>Ticket</dt><dd>${count(line.number)}, taken ${when(line.entered_ms)}</dd>`}
  ${line.position !== undefined && html`<dt>Place</dt><dd>${count(line.position)} of the ${line.lane} lane; comes in within ${line.expected_s === undefined ? "nobody can say" : lasts(line.expected_s)}</dd>`}
  ${line.bound && html`<dt>What keeps it</dt><dd>${BOUND[line.bound]}</dd>`}
  ${line.why && html`<dt>The whole story</dt><dd><code>${line.why}</code></dd>`}
  <dt>Slot</dt><dd>${{ reserved: "reserved: signed in, no socket yet", live: "online", grace: "held: dropped a moment ago", in_world: "in a game server's world" }[line.slot] ?? "none"}</dd>
</dl>`;

function BanForm({ id, done }) {
  const act = async ({ scope, duration_ms, reason, comment, shard }) =>
    done(await post(`/accounts/${id}/bans`, { scope, reason, comment, ...(scope === "shard" ? { shard } : {}), ...(duration_ms ? { duration_ms: +duration_ms } : {}) }));
  const [scope, setScope] = useState("account");
  return html`
    <h2 id="dialogue-title">Ban</h2>
    <${Deed} act=${act} action="Ban" danger>
      <label>From <select name="scope" autofocus onChange=${(event) => setScope(event.target.value)}>${Object.entries(SCOPES).map(([value, name]) => html`<option value=${value}>${name}</option>`)}</select></label>
      ${scope === "shard" && html`<${Field} label="Game shard" name="shard" required />`}
      <label>For <select name="duration_ms">${FOR.map(([value, name]) => html`<option value=${value}>${name}</option>`)}</select></label>
      <${Field} label="Reason" hint="The studio's word; the player may be shown it" name="reason" maxlength="128" />
      <${Field} label="Comment" hint="For operators only" name="comment" maxlength="1024" />
    <//>
    <button type="button" class="quiet" onClick=${() => done(false)}>Cancel</button>`;
}

function Names({ account, done }) {
  const act = async (fields) => {
    const names = {};
    if (fields.username !== account.username) names.username = fields.username;
    if (fields.display_name !== account.display_name) names.display_name = fields.display_name;
    if (fields.pragma_name && !account.pragma_name?.startsWith(`${fields.pragma_name}#`)) names.pragma_name = fields.pragma_name;
    done(Object.keys(names).length ? await patch(`/accounts/${account.id}`, names) : false);
  };
  return html`
    <h2 id="dialogue-title">Rename</h2>
    <${Deed} act=${act} action="Rename">
      <${Field} label="User name" name="username" defaultValue=${account.username} required maxlength="128" autofocus />
      <${Field} label="Shown name" name="display_name" defaultValue=${account.display_name} maxlength="255" />
      <${Field} label="Pragma name" hint="The number behind # follows" name="pragma_name" defaultValue=${account.pragma_name?.replace(/#\d+$/, "") ?? ""} />
    <//>
    <button type="button" class="quiet" onClick=${() => done(false)}>Cancel</button>`;
}

/** Which of the realm's tags or groups an account has. */
function Choose({ what, id, has, done }) {
  const list = useList(`/${what}`, { limit: 100 });
  const [chosen, setChosen] = useState(new Set(has.map((it) => it.id)));
  const flip = (it) => {
    const next = new Set(chosen);
    if (!next.delete(it)) next.add(it);
    setChosen(next);
  };
  const act = async () => done(await call("PUT", `/accounts/${id}/${what}`, { ids: [...chosen] }));
  return html`
    <h2 id="dialogue-title">${what === "tags" ? "Tags" : "Groups"}</h2>
    <${Deed} act=${act} action="Set">
      <${Loaded} of=${list} empty=${({ items }) => !items.length} nothing=${`There are no ${what} yet: make some at Game servers.`}>${({ items }) =>
        items.map((it) => html`<label><input type="checkbox" checked=${chosen.has(it.id)} onChange=${() => flip(it.id)} /> ${it.name}</label>`)}<//>
      <${Pager} pager=${list.pager} />
    <//>
    <button type="button" class="quiet" onClick=${() => done(false)}>Cancel</button>`;
}

function Friends({ id }) {
  const list = useList(`/accounts/${id}/friends`, { limit: 20 });
  return html`<${Loaded} of=${list} what="friends" empty=${({ items }) => !items.length} nothing="No friends, invitations or blocks.">${({ items }) => html`
    <${Table} label="Friends" head=${["Who", "What"]}>${items.map((it) => html`<tr key=${it.id}><td><a href=${`#/accounts/${it.id}`}>${it.username || it.id}</a></td><td>${it.state.replaceAll("_", " ")}</td></tr>`)}<//>`}<//>
    <${Pager} pager=${list.pager} />`;
}

function Presence({ id }) {
  const { data, lost } = useStream(`/presence/${id}/stream`, "presence");
  if (!data) return html`<p class="soft" role="status">${lost ? "No answer yet; it is tried again." : "Looking…"}</p>`;
  return html`<div aria-live="polite"><p>${data.online ? html`<span class="tag good">online</span>` : html`<span class="tag">not shown online</span>`}
    ${" "}sockets: ${data.sockets.join(", ").replaceAll("_", " ") || "none"}; followed by ${count(data.followers)} ${lost && html`<span class="warn">(broke off)</span>`}</p>
    ${data.shown.map((it) => html`<p><code>${it.status || "(empty status)"}</code></p>`)}</div>`;
}

const Names_ = ({ list }) => (list.length ? list.map((it) => html`<span class="tag">${it.name}</span> `) : "none");

function Facts({ it }) {
  return html`<dl class="facts">
    <dt>Id</dt><dd><code>${it.id}</code></dd>
    <dt>Shown name</dt><dd>${it.display_name || "–"}</dd>
    <dt>Pragma name</dt><dd>${it.pragma_name ?? "–"}</dd>
    <dt>Address</dt><dd>${it.email ? html`${it.email.address} ${!it.email.verified && html`<span class="soft">not verified</span>`}` : html`<span class="soft">none, or not for you</span>`}</dd>
    <dt>Made</dt><dd>${when(it.created_ms)}, changed ${when(it.updated_ms)}</dd>
    <dt>Last sign-in</dt><dd>${when(Math.max(it.last_sign_in_ms ?? 0, it.sign_ins[0]?.at_ms ?? 0))}</dd>
    <dt>Language</dt><dd>${[it.language, it.location, it.timezone].filter(Boolean).join(", ")}</dd>
    <dt>Tags</dt><dd><${Names_} list=${it.tags} /></dd>
    <dt>Groups</dt><dd><${Names_} list=${it.groups} /></dd>
    <dt>Roles</dt><dd><${Names_} list=${it.roles} /></dd>
    ${it.players.map((one) => html`<dt>Player</dt><dd><code>${one.player}</code> on <code>${one.shard}</code></dd>`)}
    ${it.data_requests.map((one) => html`<dt>Data request</dt><dd>${one.kind.replaceAll("_", " ")}: ${one.status.replaceAll("_", " ")}, until ${when(one.target_ms)}</dd>`)}
  </dl>`;
}

function Links({ it, act, allowed }) {
  const unlink = async (link) =>
    (await confirm({ title: "Unlink", text: `${it.username} can no longer sign in by this ${link.kind}.`, action: "Unlink" })) &&
    act(() => remove(`/accounts/${it.id}/links/${link.key}`), "Unlinked.");
  return html`<${Table} label="Ways to sign in" head=${["Kind", "Identifier", ""]}>
    ${it.links.map((link) => html`<tr key=${link.key}><td>${link.kind}</td><td>${link.id === null ? html`<span class="soft">not for you</span>` : html`<code>${link.id}</code>`}</td>
      <td class="deeds">${allowed && html`<button type="button" class="quiet danger" onClick=${() => unlink(link)}>Unlink</button>`}</td></tr>`)}
  <//>`;
}

function Bans({ it, act, allowed }) {
  if (it.bans === null) return html`<p class="soft">Not for you.</p>`;
  if (!it.bans.length) return html`<${Empty}>Never banned.<//>`;
  return html`<${Table} label="Bans" head=${["From", "Until", "What", "Reason", ""]}>
    ${it.bans.map((ban) => html`<tr key=${ban.id}><td>${when(ban.start_ms)}</td><td>${ban.until_ms ? when(ban.until_ms) : "for good"}</td><td>${SCOPES[ban.scope]}</td>
      <td>${ban.reason} <span class="soft">${ban.comment}</span></td>
      <td class="deeds">${ban.active && allowed ? html`<button type="button" class="quiet" onClick=${() => act(() => remove(`/accounts/${it.id}/bans/${ban.id}`), "The ban is lifted.")}>Lift</button>` : html`<span class="soft">${ban.active ? "in force" : ban.revoked_by ? "lifted" : "over"}</span>`}</td></tr>`)}
  <//>`;
}

/** Saves what is known of a player as a file. */
async function save(id) {
  const report = await get(`/accounts/${id}/export`);
  const url = URL.createObjectURL(new Blob([JSON.stringify(report, null, 1)], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href: url, download: `account-${id}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function Deeds({ it, act, allows }) {
  const at = `/accounts/${it.id}`;
  const open = async (Component, props, said) => (await dialogue(Component, props)) && act(async () => {}, said);
  const sure = async (title, text, deed, said, word) => (await confirm({ title, text, word, action: title })) && act(deed, said);
  const deeds = [
    ["session.sessions.revoke", "Kick", () => act(async () => `${(await post(`${at}/kick`)).sockets} sockets closed.`)],
    ["session.sessions.revoke", "Log out everywhere", () => sure("Log out everywhere", "Every session ends, and the slot is free.", () => post(`${at}/sign-out`), "Every session is over.")],
    ["account.bans.create", "Ban", () => open(BanForm, { id: it.id }, "Banned.")],
    ["account.accounts.update", "Rename", () => open(Names, { account: it }, "Renamed.")],
    ["account.account_tags.update", "Tags", () => open(Choose, { what: "tags", id: it.id, has: it.tags }, "Tags are set.")],
    ["account.account_groups.update", "Groups", () => open(Choose, { what: "groups", id: it.id, has: it.groups }, "Groups are set.")],
    ["data_rights.reports.create", "Export", () => act(() => save(it.id), "Exported.")],
    ["account.accounts.delete", "Delete", async () => {
      const gone = await sure("Delete", `${it.username} and everything that hangs on the account is gone for good.`, () => remove(at), "Deleted.", it.username);
      if (gone) location.hash = "#/accounts";
    }],
  ];
  return html`<div class="row deeds" role="toolbar" aria-label="What can be done">
    ${deeds.filter(([permission]) => allows(permission)).map(([, name, deed]) => html`<button type="button" class=${name === "Delete" || name === "Ban" ? "quiet danger" : "quiet"} onClick=${deed}>${name}</button>`)}
  </div>`;
}

export default function Account({ id, session }) {
  const account = useLoad(`/accounts/${encodeURIComponent(id)}`);
  const [notice, setNotice] = useState(null);
  const allows = (permission) => may(session, permission);
  /** Does something, says what came of it, and looks again. Resolves to whether it was done. */
  const act = async (deed, said) => {
    try {
      const told = await deed();
      setNotice({ text: typeof told === "string" ? told : said });
      account.reload();
      return true;
    } catch (error) {
      setNotice({ error });
      return false;
    }
  };
  return html`
    <p><a href="#/accounts">Accounts</a></p>
    ${notice && html`<p class=${`notice ${notice.error ? "bad" : "good"}`} role="status">${notice.error?.message ?? notice.text}</p>`}
    <${Loaded} of=${account} what="the account">${(it) => html`
      <h1>${it.username} ${it.banned && html`<span class="tag bad">banned</span>`}</h1>
      <${Deeds} it=${it} act=${act} allows=${allows} />
      <div class="columns">
        <section><h2>Who</h2><${Facts} it=${it} /></section>
        <section><h2>Now</h2><${Line} line=${it.line} />
          ${allows("friend.presence.get") && html`<${Presence} id=${id} />`}</section>
      </div>
      <h2>Ways to sign in</h2><${Links} it=${it} act=${act} allowed=${allows("account.accounts.link")} />
      <h2>Bans</h2><${Bans} it=${it} act=${act} allowed=${allows("account.bans.revoke")} />
      <div class="columns">
        <section><h2>Friends <small class="soft">${count(it.friends.friends)} friends, ${count(it.friends.invites_sent)} asked, ${count(it.friends.invites_received)} asking, ${count(it.friends.blocked)} blocked</small></h2><${Friends} id=${id} /></section>
        <section><h2>Sign-ins <small class="soft">since the server started</small></h2>
          ${it.sign_ins.length ? html`<${Table} label="Sign-ins" head=${["When", "By", ""]}>${it.sign_ins.map((one) => html`<tr><td>${when(one.at_ms)}</td><td>${one.method}</td><td>${one.created && "account made"}</td></tr>`)}<//>` : html`<${Empty}>None is remembered.<//>`}</section>
      </div>`}<//>`;
}
