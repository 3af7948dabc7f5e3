// What a session is good for, and when it no longer is.

import assert from "node:assert/strict";
import { Session } from "@heroiclabs/nakama-js";
import { connect, newClient, refusal, story, tell, unique } from "./story.mjs";

const client = newClient();
// An old session must be sent as it is, not quietly replaced by a new one.
client.autoRefreshSession = false;

const signIn = () => client.authenticateDevice(unique("device"), true, unique("player"));
/** `sessionRefresh` changes the session it is given; a copy keeps the old one. */
const copy = (session) => Session.restore(session.token, session.refresh_token);

story("the account of a session", async () => {
  const id = unique("device");
  const session = await client.authenticateDevice(id, true, unique("player"));
  const account = await client.getAccount(session);
  assert.equal(account.user.id, session.user_id);
  assert.equal(account.user.username, session.username);
  assert.deepEqual(account.devices, [{ id }]);
  assert.deepEqual([account.custom_id, account.email], [undefined, undefined]);
  assert.match(account.user.create_time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(account.wallet, "{}");
});

story("refresh: new tokens for the same player, and the old ones stay good", async () => {
  const session = await signIn();
  const fresh = await client.sessionRefresh(copy(session));
  assert.deepEqual([fresh.user_id, fresh.username], [session.user_id, session.username]);
  assert.ok(fresh.expires_at >= session.expires_at);
  assert.ok(fresh.refresh_expires_at >= session.refresh_expires_at);
  for (const good of [session, fresh]) {
    assert.equal((await client.getAccount(good)).user.id, session.user_id);
  }
  // Refresh tokens may be used again: clients do so in parallel.
  await Promise.all([client.sessionRefresh(copy(session)), client.sessionRefresh(copy(session))]);
});

story("refresh: an access token is no refresh token", async () => {
  const session = await signIn();
  const mixed = Session.restore(session.token, session.token);
  const { status, body } = await refusal(client.sessionRefresh(mixed));
  assert.deepEqual([status, body.message], [401, "Refresh token invalid or expired."]);
});

story("logout: the session is refused afterwards, for calls, refresh and sockets", async () => {
  const session = await signIn();
  const fresh = await client.sessionRefresh(copy(session));
  assert.equal(await client.sessionLogout(session, session.token, session.refresh_token), true);
  for (const old of [session, fresh]) {
    const call = await refusal(client.getAccount(old));
    assert.deepEqual([call.status, call.body.message], [401, "Auth token invalid"]);
    const again = await refusal(client.sessionRefresh(copy(old)));
    assert.equal(again.status, 401);
    await assert.rejects(connect(client, old), "a socket with a revoked token");
  }
});

story("logout: ends the player's socket, and signing in again works", async () => {
  const id = unique("device");
  const session = await client.authenticateDevice(id, true);
  const { ended } = await connect(client, session);
  await client.sessionLogout(session, session.token, session.refresh_token);
  await ended;
  const again = await client.authenticateDevice(id, false);
  assert.equal(again.user_id, session.user_id);
  assert.equal((await client.getAccount(again)).user.id, session.user_id);
});

story("a token of somebody else's making is refused", async () => {
  const session = await signIn();
  const [head, payload] = session.token.split(".");
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
  for (const token of [`${head}.${payload}.AAAA`, `${none}.${payload}.`, `${none}.${payload}.AAAA`]) {
    const { status, body } = await refusal(client.getAccount({ ...session, token }));
    assert.deepEqual([status, body.code, body.message], [401, 16, "Auth token invalid"]);
  }
});

await tell();
