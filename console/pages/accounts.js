// Who there is: looked for by id, name, link or address.
import { post, query as path } from "../api.js";
import { html, useState } from "../html.js";
import { Deed, Field, Loaded, Pager, Table, dialogue, may, useList, when } from "../parts.js";
import Account from "./account.js";

// All that an account can be made for, but for addresses and the studio's own: a test compares.
const KINDS = "custom device steam epic discord apple google googleworkspace okta auth0 facebook facebookinstantgame gamecenter xbox psn nintendo twitch unsafe".split(" ");

const go = (search) => {
  location.hash = path("#/accounts", { search });
};

function Create({ done }) {
  const act = async ({ kind, id, display_name }) => done(await post("/accounts", { kind, id, display_name }));
  return html`
    <h2 id="dialogue-title">New account</h2>
    <p class="soft">For an identifier on your word: nobody proves it now. If it is somebody's already, that account is shown.</p>
    <${Deed} act=${act} action="Create">
      <label>Kind <select name="kind">${KINDS.map((kind) => html`<option>${kind}</option>`)}</select></label>
      <${Field} label="Identifier" name="id" required maxlength="128" autocomplete="off" autofocus />
      <${Field} label="Shown name" name="display_name" maxlength="128" autocomplete="off" />
    <//>
    <button type="button" class="quiet" onClick=${() => done(false)}>Cancel</button>`;
}

function List({ query, session }) {
  const search = query.get("search") ?? "";
  const [typed, setTyped] = useState(search);
  const list = useList("/accounts", { search });
  const create = async () => {
    const made = await dialogue(Create);
    if (made) location.hash = `#/accounts/${made.id}`;
  };
  return html`
    <div class="row spread"><h1>Accounts</h1>
      ${may(session, "account.accounts.create") && html`<button type="button" class="quiet" onClick=${create}>New account</button>`}</div>
    <form class="row" role="search" onSubmit=${(event) => { event.preventDefault(); go(typed.trim()); }}>
      <label>Search <input type="search" name="search" value=${typed} onInput=${(event) => setTyped(event.target.value)}
        placeholder="id, name, Name#1234, steam:7656…, address" maxlength="320" spellcheck="false" autocapitalize="none" /></label>
      <button type="submit">Search</button>
      ${search && html`<button type="button" class="quiet" onClick=${() => { setTyped(""); go(""); }}>All</button>`}
    </form>
    <${Loaded} of=${list} what="accounts" empty=${({ items, next }) => !items.length && !next}
      nothing=${search ? `Nobody is found by “${search}”.` : "There are no accounts yet."}>${({ items }) => html`
      ${items.length > 0 && html`<${Table} label="Accounts" head=${["User name", "Shown name", "Signs in by", "Since", ""]}>
        ${items.map((it) => html`<tr key=${it.id}>
          <th scope="row"><a href=${`#/accounts/${it.id}`}>${it.username}</a></th>
          <td>${it.pragma_name ?? it.display_name}</td><td>${it.links.join(", ")}</td><td>${when(it.created_ms)}</td>
          <td>${it.online && html`<span class="tag good">online</span> `}${it.banned && html`<span class="tag bad">banned</span>`}</td></tr>`)}
      <//>`}
      ${!items.length && html`<p class="state">Nobody on this page; there is more to look through.</p>`}`}<//>
    <${Pager} pager=${list.pager} />`;
}

export default function Accounts(props) {
  const [id] = props.rest;
  return id ? html`<${Account} key=${id} id=${id} session=${props.session} />` : html`<${List} key=${props.query.get("search")} ...${props} />`;
}
