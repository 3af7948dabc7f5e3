// The queue API's reference client, word for word that of the docs, against a line that moves: in Node,
// and in a real browser from a page of another origin. Started with a rate of one in two seconds; with
// or without room for streams.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { DESKTOP, open } from "./browser.mjs";
import { newClient, server, story, tell, unique } from "./story.mjs";

const SOURCE = readFileSync(new URL("../../docs/queue-client.js", import.meta.url), "utf8");
const { QueueClient, QueueRefused, lookUp } = await import(
  `data:text/javascript;base64,${Buffer.from(SOURCE).toString("base64")}`
);
const STREAMS = process.env.QUEUE_STREAMS !== "0";

/** What a browser's localStorage does. */
function storage() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
    kept,
  };
}

const enter = (body = {}) =>
  fetch(new URL("/v1/queue/enter", server), { method: "POST", body: JSON.stringify(body) });

/** So many take places ahead, and say nothing until they are let in. */
const crowd = (many) => Promise.all(Array.from({ length: many }, () => enter()));

/** A client that notes what it shows and which paths it asks. */
function watched(options = {}) {
  const [shown, asked] = [[], new Set()];
  const fetching = (url, init) => {
    asked.add(new URL(url).pathname);
    return fetch(url, init);
  };
  const onChange = (now) => shown.push(now);
  const client = new QueueClient(server.href, { storage: storage(), onChange, fetch: fetching, ...options });
  return { client, shown, asked };
}

/** Places only get better; each has its state. */
function holds(shown) {
  const places = shown.map(({ position }) => position);
  assert.ok(places.length >= 2, `shown ${places.length} times`);
  places.reduce((before, now) => (assert.ok(now <= before, `${before} became ${now}`), now));
  for (const { state } of shown) assert.match(state, /^(queued|front)$/);
}

async function signIn(pass) {
  const vars = { login_queue_pass_token: pass };
  const session = await newClient().authenticateDevice(unique("device"), true, undefined, vars);
  assert.ok(session.token);
}

story("enter, watch, be told, pass, sign in: and a reload keeps the place", async () => {
  await crowd(4);
  const kept = storage();
  const first = watched({ storage: kept });
  const left = first.client.wait().catch((error) => error);
  while (!kept.getItem("anteroom.ticket")) await new Promise((done) => setTimeout(done, 20));
  const { number } = JSON.parse(kept.getItem("anteroom.ticket"));
  // As after a reload: another client, the same storage.
  const second = watched({ storage: kept });
  const passed = await second.client.wait();
  assert.equal(JSON.parse(atob(passed.pass.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).ticketNumber, String(number));
  assert.equal(second.asked.has("/v1/queue/enter"), false, "it had a ticket");
  assert.equal(second.asked.has("/v1/queue/stream"), STREAMS);
  assert.equal(kept.getItem("anteroom.ticket"), null, "used");
  holds(second.shown);
  assert.ok(second.shown.at(-1).hidden === second.shown.at(-1).etaSeconds < 5);
  await signIn(passed.pass);
  await first.client.leave();
  await left;
});

story("who leaves has no place, and is told so where they wait", async () => {
  await crowd(3);
  const { client } = watched();
  const waiting = client.wait();
  setTimeout(() => client.leave(), 500);
  await assert.rejects(waiting, (error) => error instanceof QueueRefused && error.answer.why === "left");
});

story("a place moves to another device", async () => {
  await crowd(3);
  const [old, fresh] = [watched(), watched()];
  const forgets = old.client.wait();
  while (!old.shown.length) await new Promise((done) => setTimeout(done, 20));
  const { transfer_token: code } = await old.client.offer();
  const moved = await fresh.client.accept(code);
  assert.ok(moved.position <= old.shown[0].position);
  const passed = await fresh.client.wait();
  await signIn(passed.pass);
  old.client.leave();
  await forgets.catch(() => {});
});

story("the arithmetic of the page", () => {
  const lanes = [{ lane: "standard", waiting: 90, points: [[11, 1, 0], [100, 50, 25], [39, 39, 20]] }];
  const frame = { login_ms: 10_000, lanes };
  assert.deepEqual(lookUp(frame, "standard", 61), { position: 26, etaSeconds: 22.5 });
  assert.deepEqual(lookUp(frame, "standard", 5), { position: 1, etaSeconds: 10 });
  assert.equal(lookUp(frame, "standard", 151), null);
  assert.equal(lookUp(frame, "low", 61), null);
});

story("the same in a browser, from a page of another origin", async () => {
  const context = await open(DESKTOP);
  const page = await context.newPage();
  // The studio's own web server.
  const studio = createServer((request, response) => {
    const [type, body] = request.url === "/queue-client.js" ? ["text/javascript", SOURCE] : ["text/html", "<!doctype html>"];
    response.writeHead(200, { "Content-Type": type }).end(body);
  });
  await new Promise((ready) => studio.listen(0, "127.0.0.1", ready));
  await page.goto(`http://127.0.0.1:${studio.address().port}/`);
  await crowd(3);
  const { shown, pass, kept } = await page.evaluate(async (url) => {
    const { QueueClient } = await import("/queue-client.js");
    const shown = [];
    const client = new QueueClient(url, { storage: localStorage, onChange: (now) => shown.push(now) });
    const { pass } = await client.wait();
    return { shown, pass, kept: Object.keys(localStorage) };
  }, server.href);
  holds(shown);
  assert.deepEqual(kept, ["anteroom.device"]);
  await signIn(pass);
  await context.close();
  studio.close();
});

await tell();
