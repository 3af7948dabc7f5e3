import { Client } from "@heroiclabs/nakama-js";

globalThis.WebSocket ??= (await import("ws")).WebSocket; // Node brings its own from version 22.
const server = new URL(process.env.ANTEROOM_URL ?? "http://127.0.0.1:7350");
const client = new Client("defaultkey", server.hostname, server.port, false);
const run = Date.now().toString(36);
const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

// Signs a device in. 429 is the line: say so, wait as long as told, ask again. The place is kept.
async function signIn(name) {
  try {
    return await client.authenticateDevice(`two-players-${name}-${run}`, true, `${name}-${run}`);
  } catch (response) {
    if (response.status !== 429) throw response;
    console.log(`${name}: ${(await response.json()).message}`);
    await pause(Number(response.headers.get("Retry-After") ?? 5));
    return signIn(name);
  }
}

// Opens a socket that shows its player online, and prints what it hears.
async function connect(name, session) {
  const socket = client.createSocket(false);
  socket.onstatuspresence = ({ joins = [], leaves = [] }) => {
    for (const now of joins) console.log(`${name} sees ${now.username} "${now.status}"`);
    if (!joins.length) for (const old of leaves) console.log(`${name} sees ${old.username} leave`);
  };
  socket.onnotification = ({ subject }) => console.log(`${name} is told: ${subject}`);
  await socket.connect(session, true);
  return socket;
}

const [ada, bob] = [await signIn("ada"), await signIn("bob")];
const [adas, bobs] = [await connect("ada", ada), await connect("bob", bob)];

// Each follows the other, then both show something.
await adas.followUsers([bob.user_id]);
await bobs.followUsers([ada.user_id]);
await adas.updateStatus("in the lobby");
await bobs.updateStatus("looking for a match");

// Ada asks, Bob accepts by asking back. State 0 is a friend.
await client.addFriends(ada, [bob.user_id]);
await client.addFriends(bob, [], [ada.username]);
for (const [name, session] of [["ada", ada], ["bob", bob]]) {
  const { friends = [] } = await client.listFriends(session);
  for (const { state, user } of friends) {
    console.log(`${name} lists ${user.username}, state ${state}, online ${user.online}`);
  }
}

bobs.disconnect(false);
await pause(1); // Ada sees Bob leave.
process.exit(0); // The SDK's heartbeats would keep Node running.
