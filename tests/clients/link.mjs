// Adding ways to sign in to an account, and taking them away: never the last one.

import assert from "node:assert/strict";
import { newClient, refusal, story, tell, unique } from "./story.mjs";

const client = newClient();
const PASSWORD = "correct horse";
const LAST = "Cannot unlink last account identifier. Check profile exists and is not last link.";

/** For each kind: an id, signing in by it, linking it, unlinking it, and what unknown is answered. */
const KINDS = {
  device: {
    id: () => unique("device"),
    signIn: (id, create = false) => client.authenticateDevice(id, create),
    link: (session, id) => client.linkDevice(session, { id }),
    unlink: (session, id) => client.unlinkDevice(session, { id }),
    unknown: 404,
    taken: "Device ID already in use.",
  },
  custom: {
    id: () => unique("custom"),
    signIn: (id, create = false) => client.authenticateCustom(id, create),
    link: (session, id) => client.linkCustom(session, { id }),
    unlink: (session, id) => client.unlinkCustom(session, { id }),
    unknown: 404,
    taken: "Custom ID is already in use.",
  },
  email: {
    id: () => `${unique("ada")}@example.com`,
    signIn: (email, create = false) => client.authenticateEmail(email, PASSWORD, create),
    link: (session, email) => client.linkEmail(session, { email, password: PASSWORD }),
    unlink: (session, email) => client.unlinkEmail(session, { email, password: PASSWORD }),
    unknown: 401,
    taken: "Email is already in use.",
  },
};

for (const [kind, { id: newId, signIn, link, unlink, unknown, taken }] of Object.entries(KINDS)) {
  const other = kind === "device" ? KINDS.custom : KINDS.device;

  story(`${kind}: linked, it signs in to the same account; unlinked, it does not`, async () => {
    const session = await other.signIn(other.id(), true);
    const id = newId();
    assert.equal((await refusal(signIn(id))).status, unknown);
    assert.equal(await link(session, id), true);
    assert.equal(await link(session, id), true, "linking it again changes nothing");
    assert.equal((await signIn(id)).user_id, session.user_id);
    const account = await client.getAccount(session);
    const shown = { device: account.devices?.[0]?.id, custom: account.custom_id, email: account.email };
    assert.equal(shown[kind], id);

    assert.equal(await unlink(session, id), true);
    assert.equal((await refusal(signIn(id))).status, unknown);
    const fresh = await signIn(id, true);
    assert.notEqual(fresh.user_id, session.user_id, "what was unlinked is free for anybody");
  });

  story(`${kind}: what is another account's is refused, and stays theirs`, async () => {
    const id = newId();
    const theirs = await signIn(id, true);
    const mine = await other.signIn(other.id(), true);
    const { status, body } = await refusal(link(mine, id));
    assert.deepEqual([status, body.code, body.message], [409, 6, taken]);
    assert.equal((await signIn(id)).user_id, theirs.user_id);
    const refused = await refusal(unlink(mine, id));
    assert.deepEqual([refused.status, refused.body.code, refused.body.message], [403, 7, LAST]);
  });

  story(`${kind}: the last way in is not taken away`, async () => {
    const id = newId();
    const session = await signIn(id, true);
    const { status, body } = await refusal(unlink(session, id));
    assert.deepEqual([status, body.code, body.message], [403, 7, LAST]);
    assert.equal((await signIn(id)).user_id, session.user_id);
  });
}

story("device: an account has as many as it likes", async () => {
  const ids = [unique("device"), unique("device"), unique("device")];
  const session = await KINDS.device.signIn(ids[0], true);
  for (const id of ids.slice(1)) await KINDS.device.link(session, id);
  const { devices } = await client.getAccount(session);
  assert.deepEqual(devices.map(({ id }) => id).sort(), [...ids].sort());
});

story("custom: another id takes the place of the first", async () => {
  const session = await KINDS.device.signIn(unique("device"), true);
  const [first, second] = [unique("custom"), unique("custom")];
  await KINDS.custom.link(session, first);
  await KINDS.custom.link(session, second);
  assert.equal((await client.getAccount(session)).custom_id, second);
  assert.equal((await refusal(KINDS.custom.signIn(first))).status, 404);
});

story("e-mail: the password linked is the one that counts", async () => {
  const session = await KINDS.device.signIn(unique("device"), true);
  const email = `${unique("ada")}@example.com`;
  await client.linkEmail(session, { email, password: PASSWORD });
  await client.linkEmail(session, { email, password: "a better one" });
  assert.equal((await refusal(client.authenticateEmail(email, PASSWORD, false))).status, 401);
  assert.equal((await client.authenticateEmail(email, "a better one", false)).user_id, session.user_id);
});

story("ten clients want one custom id: one of them gets it", async () => {
  const id = unique("custom");
  const sessions = await Promise.all(
    Array.from({ length: 10 }, () => KINDS.device.signIn(unique("device"), true)),
  );
  const results = await Promise.allSettled(sessions.map((session) => KINDS.custom.link(session, id)));
  const winners = sessions.filter((_, index) => results[index].status === "fulfilled");
  assert.equal(winners.length, 1);
  assert.equal((await KINDS.custom.signIn(id)).user_id, winners[0].user_id);
  for (const { reason } of results.filter(({ status }) => status === "rejected")) {
    assert.equal(reason.status, 409);
  }
});

await tell();
