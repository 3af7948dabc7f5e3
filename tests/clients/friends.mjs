// Friends, notifications and looking players up, as the published SDK does it; and the same in
// Chromium, where every call is a preflight first.

import assert from "node:assert/strict";
import { Mailbox, connect, newClient, refusal, story, tell, unique } from "./story.mjs";
import { open } from "./browser.mjs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { server } from "./story.mjs";

const client = newClient();
const signIn = () => client.authenticateDevice(unique("device"), true, unique("player"));
const states = ({ friends = [] }) => friends.map(({ user, state }) => [user.username, state]);

story("an invitation reaches the socket, is kept, and is accepted", async () => {
  const [ada, bob] = [await signIn(), await signIn()];
  const { socket } = await connect(client, bob);
  const told = new Mailbox();
  socket.onnotification = (notification) => told.put(notification);

  await client.addFriends(ada, [bob.user_id]);
  const heard = await told.take();
  assert.equal(heard.code, -2);
  assert.equal(heard.subject, `${ada.username} wants to add you as a friend`);
  assert.deepEqual(heard.content, { username: ada.username });
  assert.equal(heard.sender_id, ada.user_id);
  const kept = await client.listNotifications(bob, 10);
  assert.equal(kept.notifications.length, 1);
  assert.equal(kept.notifications[0].id, heard.id);

  await client.addFriends(bob, undefined, [ada.username]);
  assert.deepEqual(states(await client.listFriends(ada)), [[bob.username, 0]]);
  assert.deepEqual(states(await client.listFriends(bob, 0)), [[ada.username, 0]]);
  const { friends } = await client.listFriends(ada);
  assert.equal(friends[0].user.online, true, "bob has a socket with a status");
  assert.equal((await client.getAccount(ada)).user.edge_count, 1);

  await client.deleteFriends(ada, [bob.user_id]);
  assert.equal((await told.take()).code, -9);
  await client.deleteNotifications(bob, [heard.id]);
  const left = await client.listNotifications(bob, 10, kept.cacheable_cursor);
  assert.deepEqual(left.notifications.map(({ code }) => code), [-9]);
  socket.disconnect(false);
});

story("a block hides who blocks from whom it is for", async () => {
  const [ada, eve] = [await signIn(), await signIn()];
  const adas = await connect(client, ada);
  await adas.presences.take();
  const eves = await connect(client, eve);
  await eves.presences.take();
  assert.equal((await eves.socket.followUsers([ada.user_id])).presences.length, 1);
  await client.blockFriends(ada, [eve.user_id]);
  assert.deepEqual(states(await client.listFriends(ada)), [[eve.username, 3]]);
  assert.deepEqual(states(await client.listFriends(eve)), []);
  const online = async (session, id) => (await client.getUsers(session, [id])).users[0].online;
  assert.ok(!(await online(eve, ada.user_id)), "nor by looking her up");
  assert.equal(await online(ada, eve.user_id), true, "ada sees eve");
  const again = await eves.socket.followUsers([ada.user_id]);
  assert.deepEqual(again.presences ?? [], [], "eve no longer sees ada");
  for (const { socket } of [adas, eves]) socket.disconnect(false);
});

story("players change what they show and others find them", async () => {
  const [ada, bob] = [await signIn(), await signIn()];
  const name = unique("Countess Ada ✓");
  await client.updateAccount(ada, { username: name, display_name: "Ada", location: "London" });
  const { users } = await client.getUsers(bob, [], [name]);
  assert.deepEqual([users[0].display_name, users[0].location], ["Ada", "London"]);
  const refused = await refusal(client.updateAccount(bob, { username: name }));
  assert.deepEqual([refused.status, refused.body.message], [409, "Username is already in use."]);
  const renewed = await client.sessionRefresh(ada);
  assert.equal(renewed.username, name, "a refresh brings the new name");
});

story("a deleted account is gone", async () => {
  const [ada, bob] = [await signIn(), await signIn()];
  await client.addFriends(bob, [ada.user_id]);
  await client.deleteAccount(ada);
  assert.deepEqual(states(await client.listFriends(bob)), []);
  assert.equal((await refusal(client.getAccount(ada))).status, 401);
  assert.equal((await client.getUsers(bob, [ada.user_id])).users?.length ?? 0, 0);
});

story("the SDK in a browser signs in, befriends and sees why it is refused", async () => {
  const bob = await signIn();
  const context = await open();
  const page = await context.newPage();
  // A page from elsewhere: every call to the server is a foreign one.
  const elsewhere = createServer((_, response) => response.end("<title>a game</title>"));
  await new Promise((done) => elsewhere.listen(0, "127.0.0.1", done));
  await page.goto(`http://127.0.0.1:${elsewhere.address().port}/`);
  const file = new URL("./node_modules/@heroiclabs/nakama-js/dist/nakama-js.esm.mjs", import.meta.url);
  const sdk = await readFile(file, "utf8");
  const seen = await page.evaluate(
    async ({ sdk, host, port, bob, device }) => {
      const script = new Blob([sdk], { type: "text/javascript" });
      const nakama = await import(URL.createObjectURL(script));
      const client = new nakama.Client("defaultkey", host, port, false);
      const session = await client.authenticateDevice(device, true);
      await client.addFriends(session, [bob]);
      const { friends } = await client.listFriends(session);
      const socket = client.createSocket();
      const joined = new Promise((done) => (socket.onstatuspresence = (event) => done(event.joins.length)));
      await socket.connect(session, true);
      const joins = await joined;
      let refused;
      try {
        await client.linkDevice(session, { id: "short" });
      } catch (response) {
        refused = { status: response.status, ...(await response.json()) };
      }
      return { state: friends[0].state, joins, refused };
    },
    { sdk, host: server.hostname, port: server.port, bob: bob.user_id, device: unique("device") },
  );
  assert.deepEqual([seen.state, seen.joins], [1, 1]);
  assert.deepEqual(seen.refused, {
    status: 400,
    code: 3,
    message: "Device ID invalid, must be 10-128 bytes.",
  });
  await context.close();
  elsewhere.close();
});

await tell();
