// Operators: who is one, who is invited, and tokens for scripts.
import { patch, post, remove } from "../api.js";
import { html, useState } from "../html.js";
import { Deed, Field, Loaded, Table, confirm, dialogue, may, showOnce, useLoad, when } from "../parts.js";

const names = (roles) => roles.map((role) => role.name).join(", ") || "–";

/** Boxes to tick, one for each; the ticked ones come from `ticked(form)`. */
const Boxes = ({ legend, of, ticked = [] }) => html`<fieldset class="boxes"><legend>${legend}</legend>
  ${of.map(({ id, name, hint }) => html`<label><input type="checkbox" name="box" value=${id} checked=${ticked.includes(id)} />
    <span>${name}${hint && html` <small>${hint}</small>`}</span></label>`)}
</fieldset>`;
const ticked = (form) => new FormData(form).getAll("box");

function Invite({ roles, reload }) {
  const act = async ({ label }, form) => {
    const { code, expires_ms } = await post("/operators", { label, roles: ticked(form) });
    form.reset();
    reload();
    await showOnce({
      title: `An invitation for ${label}`,
      text: html`Good once, until ${when(expires_ms)}. Whoever has this link becomes an operator.`,
      label: "Link",
      value: `${location.origin}/#/sign-in/invited?code=${code}`,
    });
  };
  return html`<details id="invite"><summary>Invite somebody</summary>
    <${Deed} act=${act} action="Make an invitation">
      <${Field} name="label" label="Who is meant" required maxlength="128" autocomplete="off" />
      <${Boxes} legend="Roles" of=${roles} />
    <//>
  </details>`;
}

const Roles = ({ operator, roles, done }) => html`
  <h2 id="dialogue-title">Roles of ${operator.name}</h2>
  <${Deed} action="Give these roles" act=${async (_, form) => {
    await patch(`/operators/${operator.id}`, { roles: ticked(form) });
    done(true);
  }}>
    <${Boxes} legend="Roles" of=${roles} ticked=${operator.roles.map((role) => role.id)} />
  <//>
  <button type="button" class="quiet" onClick=${() => done(false)}>Cancel</button>`;

function Staff({ all, reload, session }) {
  const gives = may(session, "account.account_roles.update");
  const dismiss = async (operator) => {
    const sure = await confirm({
      title: `Remove ${operator.name}?`,
      text: "Roles, password, authenticator and tokens go, and every session ends at once.",
      word: operator.name,
      action: "Remove",
    });
    if (sure) await remove(`/operators/${operator.id}`);
    reload();
  };
  const change = async (operator) => (await dialogue(Roles, { operator, roles: all.roles })) && reload();
  return html`
    <${Table} label="Operators" head=${["Name", "Roles", "Authenticator", "Providers", "Last seen", ""]}>
      ${all.operators.map((operator) => html`<tr key=${operator.id}>
        <th scope="row">${operator.name}${operator.is_me && html` <span class="tag soft">you</span>`}</th>
        <td>${names(operator.roles)}</td>
        <td>${operator.totp ? html`<span class="good">yes</span>` : html`<span class="warn">no</span>`}</td>
        <td>${operator.providers.join(", ") || "–"}</td>
        <td>${when(operator.last_seen_ms)}</td>
        <td class="deeds">${gives && html`
          <button type="button" class="quiet" aria-label=${`Roles of ${operator.name}`} onClick=${() => change(operator)}>Roles</button>
          <${Deed} quiet=${true} danger=${true} action="Remove" act=${() => dismiss(operator)} />`}</td>
      </tr>`)}
    <//>
    ${all.invitations.length > 0 && html`<h2>Invited</h2>
      <${Table} label="Invitations" head=${["Who", "Roles", "By", "Until", ""]}>
        ${all.invitations.map((one) => html`<tr key=${one.id}>
          <th scope="row">${one.label}</th><td>${names(one.roles)}</td><td>${one.by}</td><td>${when(one.expires_ms)}</td>
          <td class="deeds">${gives && html`<${Deed} quiet=${true} action="Take back" act=${async () => {
            await remove(`/operators/invitations/${one.id}`);
            reload();
          }} />`}</td>
        </tr>`)}
      <//>`}
    ${gives && html`<${Invite} roles=${all.roles} reload=${reload} />`}`;
}

function Tokens() {
  const list = useLoad("/tokens");
  const make = async ({ label, days }, form) => {
    const { token, expires_ms } = await post("/tokens", { label, days: Number(days), permissions: ticked(form) });
    form.reset();
    list.reload();
    await showOnce({
      title: `The token “${label}”`,
      text: html`Shown this once; good until ${when(expires_ms)}. A script sends it as <code>Authorization: Bearer</code>.`,
      label: "Token",
      value: token,
    });
  };
  const revoke = async (token) => {
    const sure = await confirm({ title: `Revoke “${token.label}”?`, text: "Scripts that use it are refused at once.", action: "Revoke" });
    if (sure) await remove(`/tokens/${token.id}`);
    list.reload();
  };
  return html`
    <h2>Tokens for scripts</h2>
    <${Loaded} of=${list} what="tokens">${({ tokens, permissions }) => html`
      ${tokens.length === 0 ? html`<p class="soft">There are none.</p>` : html`
      <${Table} label="Tokens for scripts" head=${["Label", "Permits", "By", "Last used", "Until", ""]}>
        ${tokens.map((token) => html`<tr key=${token.id}>
          <th scope="row">${token.label}</th>
          <td>${token.permissions.map((one) => html`<code>${one}</code> `)}</td>
          <td>${token.by}</td><td>${when(token.used_ms)}</td><td>${when(token.expires_ms)}</td>
          <td class="deeds"><${Deed} quiet=${true} danger=${true} action="Revoke" act=${() => revoke(token)} /></td>
        </tr>`)}
      <//>`}
      <details id="make-token"><summary>Make a token</summary>
        <${Deed} act=${make} action="Make a token">
          <div class="row">
            <${Field} name="label" label="What it is for" required maxlength="128" autocomplete="off" />
            <${Field} name="days" label="Days it is good" type="number" min="1" max="366" value="90" required />
          </div>
          <${Boxes} legend="It may" of=${permissions.map(({ name, what_for }) => ({ id: name, name, hint: what_for }))} />
        <//>
      </details>`}
    <//>`;
}

export default function Operators({ session }) {
  const [turn, setTurn] = useState(0);
  const all = useLoad("/operators", 30_000);
  const reload = () => {
    setTurn(turn + 1);
    all.reload();
  };
  return html`
    <h1>Operators</h1>
    <${Loaded} of=${all} what="operators">${(data) => html`<${Staff} all=${data} reload=${reload} session=${session} />`}<//>
    ${may(session, "operators.tokens.update") && html`<${Tokens} />`}`;
}
