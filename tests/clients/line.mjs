// Unmodified clients at a busy gate: refused with their place, let in by trying again, in order.
// Started with a rate of one in two seconds and a burst of one.

import assert from "node:assert/strict";
import { newClient, pause, refusal, server, story, tell, unique } from "./story.mjs";

const client = newClient();
const PLAYERS = 7;

/** Somebody who signs in as told: again when asked to, by the same device. */
class Player {
  id = unique("device");
  places = [];
  session = null;

  async attempt() {
    try {
      this.session = await client.authenticateDevice(this.id, true);
      return 0;
    } catch (error) {
      const { status, body, headers } = await refusal(Promise.reject(error));
      assert.deepEqual([status, body.code], [429, 8]);
      assert.match(body.message, /number \d+ in line/);
      const { position, poll_after_ms: ms, phase } = body.queue;
      assert.ok(["queued", "front"].includes(phase), phase);
      assert.ok(position >= 1 && ms > 0, JSON.stringify(body));
      assert.ok(Number(headers.get("Retry-After")) * 1000 >= ms, "the header is no shorter");
      this.places.push(position);
      return ms;
    }
  }

  async untilIn() {
    for (;;) {
      const wait = await this.attempt();
      if (!wait) return;
      await pause(wait);
    }
  }
}

const players = Array.from({ length: PLAYERS }, () => new Player());

story("those who come while the gate is busy get places in the order they came", async () => {
  for (const player of players) await player.attempt();
  const waiting = players.filter(({ session }) => !session);
  assert.ok(players[0].session, "nobody was there: the first is let in on the spot");
  assert.ok(waiting.length >= 2, `${waiting.length} wait`);
  // The line moves meanwhile, so the places are not simply 1, 2, 3: the last has some in front, and
  // no more than came before.
  for (const player of waiting) {
    const before = players.indexOf(player);
    assert.ok(player.places[0] <= before, `place ${player.places[0]}, ${before} came before`);
  }
});

story("trying again as told lets each of them in, those in front first", async () => {
  const arrived = [];
  await Promise.all(
    players.map(async (player, index) => {
      if (player.session) return;
      await player.untilIn();
      arrived.push(index);
      // Whoever came before has been admitted by now: asking early loses nothing.
      for (const earlier of players.slice(0, index)) {
        if (!earlier.session) assert.equal(await earlier.attempt(), 0, "overtaken");
      }
    }),
  );
  assert.ok(players.every(({ session }) => session?.created !== undefined));
  assert.equal(new Set(players.map(({ session }) => session.user_id)).size, PLAYERS);
});

story("a place in line only ever gets better", async () => {
  for (const { places } of players) {
    assert.deepEqual(places, [...places].sort((a, b) => b - a));
  }
});

story("who is in comes back without queueing", async () => {
  const again = await Promise.all(players.map(({ id }) => client.authenticateDevice(id, false)));
  assert.deepEqual(again.map(({ user_id }) => user_id), players.map(({ session }) => session.user_id));
});

story("a client that knows the line brings its pass, once", async () => {
  const post = async (path, body) => {
    const response = await fetch(new URL(path, server), { method: "POST", body: JSON.stringify(body) });
    assert.equal(response.status, 200);
    return response.json();
  };
  let ticket = await post("/v1/loginqueue/getinqueuev1", {});
  while (!ticket.isAllowedIn) {
    assert.ok(ticket.positionInQueue >= 1);
    await pause(ticket.pollNextDuration);
    ticket = await post("/v1/loginqueue/checkticketv1", { token: ticket.token });
  }
  const vars = { login_queue_pass_token: ticket.token, team: "red" };
  const id = unique("device");
  const session = await client.authenticateDevice(id, true, undefined, vars);
  assert.deepEqual(session.vars, { team: "red" }, "the pass is nobody's session variable");
  const retry = await client.authenticateDevice(id, true, undefined, vars);
  assert.equal(retry.user_id, session.user_id, "a retry after a lost answer is answered alike");
  const { status, body } = await refusal(
    client.authenticateDevice(unique("device"), true, undefined, vars),
  );
  assert.deepEqual([status, body.code], [400, 9], "somebody else's pass");
});

await tell();
