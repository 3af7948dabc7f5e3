// The reference client of the docs, during an attack: it is put a challenge, does the work and waits in
// the standard lane. Started with five entries a second as an attack.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { DESKTOP, open } from "./browser.mjs";
import { server, story, tell } from "./story.mjs";

const SOURCE = readFileSync(new URL("../../docs/queue-client.js", import.meta.url), "utf8");
const { QueueClient } = await import(`data:text/javascript;base64,${Buffer.from(SOURCE).toString("base64")}`);

const enter = (body = {}) =>
  fetch(new URL("/v1/queue/enter", server), { method: "POST", body: JSON.stringify(body) });

/** Many ask for places at once; what somebody is told after that. */
async function attack() {
  await Promise.all(Array.from({ length: 120 }, () => enter()));
  return enter();
}

story("in an attack the client does the work and has a place", async () => {
  const refused = await attack();
  assert.equal(refused.status, 428);
  const { state, bits } = await refused.json();
  assert.equal(state, "challenge");
  assert.ok(bits >= 10, `${bits} bits`);
  const seen = [];
  const fetching = async (url, init) => {
    const response = await fetch(url, init);
    if (new URL(url).pathname.endsWith("/enter")) seen.push(response.status);
    return response;
  };
  const shown = [];
  const client = new QueueClient(server.href, { onChange: (now) => shown.push(now), fetch: fetching });
  const waiting = client.wait().catch((error) => error);
  while (!shown.length) await new Promise((done) => setTimeout(done, 20));
  assert.deepEqual(seen, [428, 202]);
  assert.equal(shown[0].state, "held");
  await client.leave();
  await waiting;
});

story("the same in a browser, whose page stays awake", async () => {
  const context = await open(DESKTOP);
  const page = await context.newPage();
  const studio = createServer((request, response) => {
    const [type, body] = request.url === "/queue-client.js" ? ["text/javascript", SOURCE] : ["text/html", "<!doctype html>"];
    response.writeHead(200, { "Content-Type": type }).end(body);
  });
  await new Promise((ready) => studio.listen(0, "127.0.0.1", ready));
  await page.goto(`http://127.0.0.1:${studio.address().port}/`);
  await attack();
  const { lane, turns } = await page.evaluate(async (url) => {
    const { QueueClient } = await import("/queue-client.js");
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 5);
    const shown = await new Promise((done) => new QueueClient(url, { storage: localStorage, onChange: done }).wait());
    clearInterval(ticking);
    return { lane: JSON.parse(localStorage.getItem("anteroom.ticket")).lane, turns, shown };
  }, server.href);
  assert.equal(lane, "standard");
  assert.ok(turns > 0, "timers ran while it worked");
  await context.close();
  studio.close();
});

await tell();
