// Who is there? Asked again before what cannot be undone.
import { get, post } from "../api.js";
import { html } from "../html.js";
import { Deed, dialogue } from "../parts.js";
import { Digits, Password } from "./sign-in.js";

/** Resolves to whether the session is fresh now. */
export default async function stepUp() {
  const { totp } = await get("/session");
  return dialogue(StepUp, { totp });
}

const StepUp = ({ totp, done }) => html`
  <h2 id="dialogue-title">Confirm that it is you</h2>
  <p>This cannot be undone, so it wants your password again. It is remembered for ten minutes.</p>
  <${Deed} action="Confirm" act=${async (fields) => {
    await post("/session/step-up", fields);
    done(true);
  }}>
    <${Password} autofocus />
    ${totp && html`<${Digits} />`}
  <//>
  <button type="button" class="quiet" onClick=${() => done(false)}>Cancel</button>`;
