// Signing in; and, while nobody is an operator yet, becoming the first one.
import { post } from "../api.js";
import { html, useState } from "../html.js";
import { Deed, Field } from "../parts.js";

/** The six digits of an authenticator, or one of the codes for the day it is lost. */
export const Digits = (props) => html`<${Field} name="totp" label="Code" hint="Six digits from your authenticator, or a recovery code"
  autocomplete="one-time-code" spellcheck="false" autocapitalize="none" required maxlength="32" ...${props} />`;

export const Password = (props) => html`<${Field} name="password" type="password" label="Password" required maxlength="128"
  autocomplete="current-password" ...${props} />`;

/** A button for each provider: `purpose` is what for, `more()` what goes along. The browser leaves and comes back. */
export const Providers = ({ of, purpose, more, title = "Continue with" }) => of.map((it) => html`
  <${Deed} quiet=${true} action=${`${title} ${it.title}`} act=${async () => {
    const { url } = await post(`/session/providers/${it.name}`, { for: purpose, ...more?.() });
    sessionStorage.setItem("anteroom.back", location.hash);
    location.assign(url);
  }} />`);
const field = (name) => document.querySelector(`.card [name=${name}]`).value;

function Setup({ look, query, other, of }) {
  const act = async (fields) => {
    await post("/setup", fields);
    await look();
  };
  return html`<section class="card">
    <h1>Set up the first operator</h1>
    <p class="soft">The server printed a code when it started. It is good once, for 15 minutes; a restart prints another.</p>
    <${Deed} act=${act} action="Set up">
      <${Field} name="code" label="Setup code" required value=${query.get("code") ?? ""} autocomplete="off" spellcheck="false" autocapitalize="characters" />
      <${Field} name="email" type="email" label="E-mail address" required autocomplete="username" maxlength="254" />
      <${Password} minlength="15" autocomplete="new-password" hint="At least 15 characters: a sentence is fine" />
    <//>
    <${Providers} of=${of} purpose="setup" more=${() => ({ code: field("code"), email: field("email") })} />
    <button type="button" class="quiet" onClick=${other}>Sign in instead</button>
  </section>`;
}

function Invited({ look, query, of }) {
  const act = async (fields) => {
    await post("/operators/accept", { ...fields, code: query.get("code") });
    location.hash = "#/";
    await look();
  };
  return html`<section class="card">
    <h1>You are invited</h1>
    <p class="soft">Choose how you sign in from now on.</p>
    <${Deed} act=${act} action="Become an operator">
      <${Field} name="email" type="email" label="E-mail address" required autocomplete="username" maxlength="254" />
      <${Password} minlength="15" autocomplete="new-password" hint="At least 15 characters: a sentence is fine" />
    <//>
    <${Providers} of=${of} purpose="accept" more=${() => ({ code: query.get("code"), email: field("email") })} />
  </section>`;
}

export default function SignIn({ session: out, rest, query, look }) {
  const [asked, setAsked] = useState(false);
  const [other, setOther] = useState(false);
  const act = async (fields) => {
    try {
      await post("/session", fields);
    } catch (error) {
      if (error.why === "totp" && !fields.totp) {
        setAsked(true);
        return;
      }
      throw error;
    }
    await look(true);
  };
  const of = out.providers ?? [];
  if (rest[0] === "invited" && query.get("code")) return html`<${Invited} look=${look} query=${query} of=${of} />`;
  if (out.attempt?.why === "totp" && !other) {
    const show = async (fields) => {
      await post("/session/code", fields);
      await look(true);
    };
    return html`<section class="card">
      <h1>Sign in</h1>
      <${Deed} id="code" act=${show} action="Sign in"><${Digits} autofocus /><//>
      <button type="button" class="quiet" onClick=${() => setOther(true)}>Sign in otherwise</button>
    </section>`;
  }
  if (out.setup && !other) return html`<${Setup} look=${look} query=${query} of=${of} other=${() => setOther(true)} />`;
  return html`<section class="card">
    <h1>Sign in</h1>
    ${out.isForgotten && html`<p class="bad" role="alert">Your browser did not keep the session. It does so over https, and on the machine the server runs on.</p>`}
    <${Deed} id="sign-in" act=${act} action="Sign in">
      <${Field} name="email" type="email" label="E-mail address" required autocomplete="username" maxlength="254" autofocus />
      <${Password} />
      ${asked && html`<${Digits} ref=${(field) => field?.querySelector?.("input")?.focus()} />`}
    <//>
    <${Providers} of=${of} purpose="sign_in" />
    ${out.setup && html`<button type="button" class="quiet" onClick=${() => setOther(false)}>Set up the first operator</button>`}
  </section>`;
}
