// Online: the socket, what is shown, and what others see.

import assert from "node:assert/strict";
import { WebSocketAdapterText } from "@heroiclabs/nakama-js";
import { Mailbox, connect, newClient, story, tell, unique } from "./story.mjs";

const client = newClient();
const signIn = () => client.authenticateDevice(unique("device"), true, unique("player"));
const only = (list) => (assert.equal(list?.length, 1, JSON.stringify(list)), list[0]);

story("appearing online is the first thing one hears of oneself", async () => {
  const session = await signIn();
  const { socket, presences } = await connect(client, session);
  const own = only((await presences.take()).joins);
  assert.equal(own.user_id, session.user_id);
  assert.equal(own.username, session.username);
  assert.equal(own.status, "");
  assert.ok(own.session_id);
  assert.equal((await client.getAccount(session)).user.online, true);
  socket.disconnect(false);
});

story("without a status one is connected but not seen, until one is set", async () => {
  const session = await signIn();
  const { socket, presences } = await connect(client, session, false);
  assert.ok(!(await client.getAccount(session)).user.online);
  await socket.updateStatus("here after all");
  const { joins, leaves } = await presences.take();
  assert.equal(only(joins).status, "here after all");
  assert.ok(!leaves?.length);
  socket.disconnect(false);
});

story("a follower sees who is there, each change in one event, and the end", async () => {
  const [ada, bob] = [await signIn(), await signIn()];
  const adas = await connect(client, ada);
  const bobs = await connect(client, bob);
  await Promise.all([adas.presences.take(), bobs.presences.take()]);

  const { presences } = await bobs.socket.followUsers([ada.user_id]);
  const seen = only(presences);
  assert.deepEqual([seen.user_id, seen.username, seen.status], [ada.user_id, ada.username, ""]);

  await adas.socket.updateStatus("in the lobby");
  for (const { presences: inbox } of [adas, bobs]) {
    const { joins, leaves } = await inbox.take();
    assert.deepEqual([only(joins).status, only(leaves).status], ["in the lobby", ""]);
    assert.equal(only(joins).session_id, only(leaves).session_id);
    assert.equal(only(joins).session_id, seen.session_id);
  }

  adas.socket.disconnect(false);
  const { joins, leaves } = await bobs.presences.take();
  assert.ok(!joins?.length);
  assert.deepEqual([only(leaves).user_id, only(leaves).status], [ada.user_id, "in the lobby"]);
  assert.equal((await client.getAccount(bob)).user.online, true, "bob stays");
  bobs.socket.disconnect(false);
});

story("somebody followed before they come is seen when they come", async () => {
  const [ada, bob] = [await signIn(), await signIn()];
  const bobs = await connect(client, bob);
  await bobs.presences.take();
  assert.deepEqual((await bobs.socket.followUsers([ada.user_id])).presences ?? [], []);
  const adas = await connect(client, ada);
  assert.equal(only((await bobs.presences.take()).joins).user_id, ada.user_id);

  await bobs.socket.unfollowUsers([ada.user_id]);
  await adas.socket.updateStatus("nobody hears this");
  await bobs.socket.updateStatus("marker");
  const event = await bobs.presences.take();
  assert.equal(only(event.joins).user_id, bob.user_id, "nothing of ada's came first");
  for (const { socket } of [adas, bobs]) socket.disconnect(false);
});

story("appearing offline is a leave, and the connection stays", async () => {
  const session = await signIn();
  const { socket, presences } = await connect(client, session);
  await presences.take();
  await socket.updateStatus();
  const { joins, leaves } = await presences.take();
  assert.ok(!joins?.length);
  assert.equal(only(leaves).user_id, session.user_id);
  await socket.updateStatus("back");
  assert.equal(only((await presences.take()).joins).status, "back");
  socket.disconnect(false);
});

story("two sockets of one player are two presences", async () => {
  const [ada, bob] = [await signIn(), await signIn()];
  const first = await connect(client, ada);
  const second = await connect(client, ada);
  const bobs = await connect(client, bob);
  await bobs.presences.take();
  const { presences } = await bobs.socket.followUsers([ada.user_id]);
  assert.equal(new Set(presences.map(({ session_id }) => session_id)).size, 2);
  first.socket.disconnect(false);
  assert.equal(only((await bobs.presences.take()).leaves).user_id, ada.user_id);
  assert.equal((await client.getAccount(ada)).user.online, true, "one socket is left");
  for (const { socket } of [second, bobs]) socket.disconnect(false);
});

story("a status that is too long, and an id that is none, are errors and end nothing", async () => {
  const { socket } = await connect(client, await signIn());
  await assert.rejects(socket.updateStatus("x".repeat(2049)), {
    code: 3,
    message: "Status must be 2048 characters or less",
  });
  await assert.rejects(socket.followUsers(["not-an-id"]), {
    code: 3,
    message: "Invalid user identifier",
  });
  await socket.updateStatus("x".repeat(2048));
  socket.disconnect(false);
});

/** The SDK's own adapter, counting pongs: they are answers, so the SDK does not show them. */
class Counting extends WebSocketAdapterText {
  pongs = new Mailbox();

  get onMessage() {
    return super.onMessage;
  }

  set onMessage(handler) {
    super.onMessage = (message) => {
      if (message.pong) this.pongs.put(message);
      handler(message);
    };
  }
}

story("the SDK's heartbeat is answered, time after time", async () => {
  const adapter = new Counting();
  const session = await signIn();
  const socket = client.createSocket(false, false, adapter);
  socket.setHeartbeatTimeoutMs(500);
  socket.onheartbeattimeout = () => assert.fail("a ping was not answered");
  await socket.connect(session, true);
  for (let beat = 0; beat < 4; beat += 1) {
    assert.deepEqual((await adapter.pongs.take()).pong, {});
  }
  assert.ok(adapter.isOpen());
  socket.disconnect(false);
});

await tell();
