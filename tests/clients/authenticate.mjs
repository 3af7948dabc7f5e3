// Signing in by device, custom id and e-mail, with and without making an account.

import assert from "node:assert/strict";
import { newClient, refusal, story, tell, unique } from "./story.mjs";

const client = newClient();

for (const { kind, signIn } of [
  { kind: "device", signIn: (id, create, name) => client.authenticateDevice(id, create, name) },
  { kind: "custom", signIn: (id, create, name) => client.authenticateCustom(id, create, name) },
]) {
  story(`${kind}: no account is made when none is asked for`, async () => {
    const { status, body } = await refusal(signIn(unique(kind), false));
    assert.deepEqual([status, body.code, body.message], [404, 5, "User account not found."]);
  });

  story(`${kind}: made once, the same account again`, async () => {
    const [id, name] = [unique(kind), unique("player")];
    const first = await signIn(id, true, name);
    assert.equal(first.created, true);
    assert.equal(first.username, name);
    assert.match(first.user_id, /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    for (const create of [true, false]) {
      const again = await signIn(id, create, "ignored");
      assert.equal(again.created, false, "an account that exists is not made again");
      assert.deepEqual([again.user_id, again.username], [first.user_id, name]);
    }
  });
}

story("device: a name is given when none is wanted", async () => {
  const session = await client.authenticateDevice(unique("device"));
  assert.match(session.username, /^[A-Za-z]{10}$/);
});

story("device: a name that is taken is refused, and no account is made", async () => {
  const [name, id] = [unique("player"), unique("device")];
  await client.authenticateDevice(unique("device"), true, name);
  const { status, body } = await refusal(client.authenticateDevice(id, true, name));
  assert.deepEqual([status, body.code, body.message], [409, 6, "Username is already in use."]);
  assert.equal((await refusal(client.authenticateDevice(id, false))).status, 404);
});

story("device: an id that is too short is refused with words", async () => {
  const { status, body } = await refusal(client.authenticateDevice("short", true));
  assert.deepEqual([status, body.code], [400, 3]);
  assert.equal(body.message, "Device ID invalid, must be 10-128 bytes.");
});

story("session variables come back in the session", async () => {
  const session = await client.authenticateDevice(unique("device"), true, undefined, { shard: "eu-1" });
  assert.deepEqual(session.vars, { shard: "eu-1" });
});

story("the wrong server key signs nobody in", async () => {
  const { status, body } = await refusal(newClient("wrong").authenticateDevice(unique("device"), true));
  assert.deepEqual([status, body.code, body.message], [401, 16, "Server key invalid"]);
});

story("e-mail: made, again in any case, and refused with a wrong password", async () => {
  const email = `${unique("Ada")}@Example.com`;
  const first = await client.authenticateEmail(email, "correct horse", true, unique("player"));
  assert.equal(first.created, true);
  const again = await client.authenticateEmail(email.toLowerCase(), "correct horse", false);
  assert.equal(again.user_id, first.user_id);
  const wrong = await refusal(client.authenticateEmail(email, "battery staple", false));
  assert.deepEqual([wrong.status, wrong.body.code, wrong.body.message], [401, 16, "Invalid credentials."]);
});

story("e-mail: an unknown address is answered like a wrong password", async () => {
  const email = `${unique("nobody")}@example.com`;
  const { status, body } = await refusal(client.authenticateEmail(email, "battery staple", false));
  assert.deepEqual([status, body.code, body.message], [401, 16, "Invalid credentials."]);
});

story("e-mail: a user name and its password sign in too", async () => {
  const name = unique("player");
  const made = await client.authenticateEmail(`${unique("ada")}@example.com`, "correct horse", true, name);
  const session = await client.authenticateEmail("", "correct horse", false, name);
  assert.equal(session.user_id, made.user_id);
});

story("e-mail: a short password makes no account", async () => {
  const email = `${unique("ada")}@example.com`;
  const { status, body } = await refusal(client.authenticateEmail(email, "short", true));
  assert.deepEqual([status, body.code], [400, 3]);
  assert.equal(body.message, "Password must be at least 8 characters long.");
});

await tell();
