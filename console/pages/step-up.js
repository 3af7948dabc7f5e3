// Who is there? Asked again before what cannot be undone.
import { get, post } from "../api.js";
import { html } from "../html.js";
import { Deed, dialogue } from "../parts.js";
import { Digits, Password, Providers } from "./sign-in.js";

/** Resolves to whether the session is fresh now. */
export default async function stepUp() {
  return dialogue(StepUp, await get("/session"));
}

const StepUp = ({ password, totp, providers, bindings, done }) => html`
  <h2 id="dialogue-title">Confirm that it is you</h2>
  <p>This cannot be undone, so show again who you are. It is remembered for ten minutes.</p>
  ${password || totp
    ? html`<${Deed} action="Confirm" act=${async (fields) => {
      await post("/session/step-up", fields);
      done(true);
    }}>
      ${password && html`<${Password} autofocus />`}
      ${totp && html`<${Digits} />`}
    <//>`
    : html`<${Providers} of=${providers.filter(({ name }) => bindings.some((it) => it.provider === name))} purpose="step_up" title="Show it to" />`}
  <button type="button" class="quiet" onClick=${() => done(false)}>Cancel</button>`;
