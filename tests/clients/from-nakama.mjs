// Players whose rows were in Nakama's PostgreSQL, with the published SDK, as if nothing had happened.

import assert from "node:assert/strict";
import { newClient, refusal, story, tell } from "./story.mjs";

const client = newClient();
const id = (n) => `4c2a0d6e-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;
const byDevice = (n) => client.authenticateDevice(`device-of-player${n}`, false);

story("everybody's device opens their own account", async () => {
  for (let n = 1; n <= 30; n += 1) {
    if (n === 13) continue;
    const { user, email, devices, custom_id } = await client.getAccount(await byDevice(n));
    assert.equal(user.id, id(n));
    assert.equal(user.username, `player${n}`);
    assert.equal(user.display_name, n % 3 ? `Player ${n}` : `Zoë, "the ${n}th"\nof 名`);
    assert.equal(new Date(user.create_time).toISOString(), "2021-03-04T05:06:07.000Z");
    assert.equal(email, `player${n}@mail.example`);
    assert.deepEqual(devices.map((it) => it.id), [`device-of-player${n}`]);
    assert.equal(custom_id ?? "", n % 2 ? "" : `custom-of-player-${n}`);
  }
});

story("old passwords are good, others are not", async () => {
  // The second time by the hash that the first one made.
  for (let time = 0; time < 2; time += 1) {
    const session = await client.authenticateEmail("player5@mail.example", "old password 5", false);
    assert.equal(session.user_id, id(5));
  }
  const { status } = await refusal(client.authenticateEmail("player6@mail.example", "old password 5", false));
  assert.equal(status, 401);
});

story("who was disabled still is", async () => {
  const { status, body } = await refusal(byDevice(13));
  assert.equal(status, 403, JSON.stringify(body));
});

story("friends, invitations and blocks are as they were", async () => {
  const states = async (n) => {
    const { friends = [] } = await client.listFriends(await byDevice(n));
    return Object.fromEntries(friends.map(({ user, state }) => [user.username, state]));
  };
  assert.deepEqual(await states(1), { player2: 0, player3: 1, player4: 3 });
  assert.deepEqual(await states(2), { player1: 0 });
  assert.deepEqual(await states(3), { player1: 2 });
  assert.deepEqual(await states(4), {});
});

await tell();
