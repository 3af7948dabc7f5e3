// One's own sign-in: the authenticator and its recovery codes.
import { post, remove } from "../api.js";
import { html, useState } from "../html.js";
import { Deed, Field, Secret, confirm, count, when } from "../parts.js";
import { Providers } from "./sign-in.js";

/** An authenticator, from the picture to the recovery codes. */
function Enrol({ look }) {
  const [made, setMade] = useState(null);
  const [codes, setCodes] = useState(null);
  if (codes) {
    return html`
      <h2>Keep these recovery codes</h2>
      <p>Each is good once in place of a code, for the day the phone is lost. They are not shown again.</p>
      <${Secret} label="Recovery codes" value=${codes.join("\n")} />
      <button type="button" onClick=${look}>I have kept them</button>`;
  }
  if (!made) {
    return html`<${Deed} id="enrol" action="Set up an authenticator" act=${async () => setMade(await post("/totp"))}>
      <p>An app on your phone shows six digits that change every 30 seconds. They are asked for when you have signed in.</p>
    <//>`;
  }
  const act = async (fields) => setCodes((await post("/totp/confirm", fields)).recovery_codes);
  return html`
    <h2>Scan this with your authenticator</h2>
    <img class="code" src=${`data:image/svg+xml,${encodeURIComponent(made.picture)}`} alt="The authenticator's link as a QR code" width="220" height="220" />
    <${Secret} label="Or type this secret" value=${made.secret} />
    <p><a href=${made.uri}>Open it in an app on this device</a></p>
    <${Deed} id="confirm" act=${act} action="Confirm">
      <${Field} name="code" label="What it shows now" required inputmode="numeric" autocomplete="one-time-code" maxlength="7" autofocus />
    <//>`;
}

export default function Me({ session, look }) {
  const [anew, setAnew] = useState(false);
  const drop = async () => {
    const sure = await confirm({
      title: "Sign in without an authenticator?",
      text: "From then on your password, or a provider, is all it takes. Recovery codes go, too.",
      action: "Take it away",
    });
    if (!sure) return;
    await remove("/totp");
    await look();
  };
  const shows = anew || !session.totp;
  return html`
    <h1>Your sign-in</h1>
    ${session.needs_totp && html`<p class="warn">Until you have an authenticator you can only look.</p>`}
    <dl class="facts">
      <dt>Name</dt><dd>${session.name}</dd>
      <dt>Roles</dt><dd>${session.roles.map((role) => role.name).join(", ")}</dd>
      <dt>Authenticator</dt><dd>${session.totp ? html`<span class="good">set up</span>, ${count(session.recovery_codes)} recovery codes left` : "none"}</dd>
      ${session.bindings.map((it) => html`<dt>${it.provider}</dt><dd class="deeds">${it.name || "set up"}, ${when(it.added_ms)}
        <${Deed} quiet=${true} action="Remove" act=${async () => {
          await remove(`/session/providers/${it.provider}`);
          await look();
        }} /></dd>`)}
      <dt>Session ends</dt><dd>${when(session.expires_ms)}</dd>
    </dl>
    <div class="row">
      <${Providers} of=${session.providers.filter(({ name }) => !session.bindings.some((it) => it.provider === name))} purpose="bind" title="Sign in by" />
    </div>
    ${shows && html`<section class="narrow"><${Enrol} look=${async () => { setAnew(false); await look(); }} /></section>`}
    ${!shows && html`<div class="row">
      <button type="button" class="quiet" onClick=${() => setAnew(true)}>Another authenticator, new recovery codes</button>
      <${Deed} quiet=${true} danger=${true} action="Take it away" act=${drop} />
    </div>`}`;
}
