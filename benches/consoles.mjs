// What consoles cost, with a million in line: time to the first plot, and the server's CPU with ten of
// them open. Takes a picture of each page on each screen as well, and says what is cut off.
//   cargo build --release && (cd tests/clients && npm ci) && node benches/consoles.mjs [IN_LINE]

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const IN_LINE = Number(process.argv[2] ?? 1_000_000);
const CONSOLES = 10;
const WATCHED_S = 30;
const program = process.env.ANTEROOM_PROGRAM ?? new URL("../target/release/anteroom", import.meta.url).pathname;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

const folder = mkdtempSync(join(tmpdir(), "anteroom-consoles-"));
const child = spawn(program, ["serve", "--dev", "--listen", "127.0.0.1:0", "--data", folder], {
  cwd: folder,
  stdio: ["ignore", "pipe", "ignore"],
  env: {
    ...process.env,
    ANTEROOM__QUEUE__RATE: "0",
    ANTEROOM__QUEUE__LEASE_S: "86400",
    ANTEROOM__QUEUE__LINE_MAX: "20000000",
    ANTEROOM__LIMITS__ENTER_PER_SECOND: "0",
    ANTEROOM__QUEUE__ABUSE__PREFIX_PER_SECOND: "0",
  },
});
process.on("exit", () => child.kill("SIGKILL"));

/** What the server says when it is ready: where its ports are, and the code of the first operator. */
async function announced() {
  let text = "";
  for await (const line of createInterface({ input: child.stdout })) {
    text += `${line}\n`;
    const code = /code=(\S+)/.exec(text)?.[1];
    const [, players, operators] = /players (http:\S+?),.*operators (http:\S+)/.exec(text) ?? [];
    if (code && operators) return { code, players, operators };
  }
  throw new Error(`no announcement: ${text}`);
}
const { code, players, operators } = await announced();
process.env.ANTEROOM_URL = players;
const { DARK, DESKTOP, PHONE, open, shoot, tab } = await import("../tests/clients/browser.mjs");

/** CPU the server has used, in seconds. */
function cpu() {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ").at(-1).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
async function cpuOf(seconds) {
  const before = cpu();
  await pause(seconds * 1_000);
  return (cpu() - before) / seconds;
}

/** Places in line, by a few connections that ask without waiting for each answer. */
async function enter(count) {
  const { hostname, port } = new URL(players);
  const [lanes, ahead] = [16, 64];
  const ANSWER = "HTTP/1.1 20";
  const one = `POST /v1/queue/enter HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`;
  const lane = (share) =>
    new Promise((done, failed) => {
      const socket = connect(Number(port), hostname);
      let [sent, answered, rest] = [0, 0, ""];
      const send = () => {
        const now = Math.min(ahead, share - sent);
        sent += now;
        socket.write(one.repeat(now));
      };
      socket.on("error", failed).on("connect", send).on("data", (bytes) => {
        const text = rest + bytes.toString("latin1");
        answered += text.split(ANSWER).length - 1;
        rest = text.slice(1 - ANSWER.length);
        if (answered >= share) {
          socket.destroy();
          done();
        } else if (answered >= sent) send();
      });
    });
  await Promise.all(Array.from({ length: lanes }, (_, at) => lane(Math.floor(count / lanes) + (at < count % lanes ? 1 : 0))));
}

const desk = await open(DESKTOP);
const page = await tab(desk, new URL(`/#/setup?code=${code}`, operators));
await page.fill("[name=email]", "ada@example.org");
await page.fill("[name=password]", "a bridge over the river");
await page.click("button[type=submit]");
await page.waitForSelector("a.name");
const cookies = await desk.cookies();
await page.close();

await enter(IN_LINE);
const metrics = await (await fetch(`${operators}/metrics`)).text();
const inLine = [...metrics.matchAll(/^login_queue_waiting\{\S* (\S+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
console.log(`${inLine} in line`);
await pause(5_000);
const idle = await cpuOf(WATCHED_S);

// From the address to the first plot: with nothing in the browser's cache, and again.
const PLOT = () => {
  const look = new MutationObserver(() => {
    if (!document.querySelector("figure.plot canvas")) return;
    look.disconnect();
    requestAnimationFrame(() => (globalThis.firstPlotMs = performance.now()));
  });
  look.observe(document, { childList: true, subtree: true });
};
const [cold, warm] = [[], []];
for (let run = 0; run < 5; run += 1) {
  const context = await open(DESKTOP);
  await context.addCookies(cookies);
  await context.addInitScript(PLOT);
  for (const times of [cold, warm]) {
    const other = await tab(context, new URL("/#/launch", operators));
    times.push(Math.round(await (await other.waitForFunction(() => globalThis.firstPlotMs)).jsonValue()));
    await other.close();
  }
  await context.close();
}
console.log(`first plot: ${median(cold)} ms (${cold}) with an empty cache, ${median(warm)} ms (${warm}) after`);

// A browser has six connections to a host over HTTP/1.1, and each console holds one open.
const watching = [];
while (watching.length * 4 < CONSOLES) {
  const context = await open(DESKTOP);
  await context.addCookies(cookies);
  for (let at = watching.length * 4; at < Math.min(CONSOLES, watching.length * 4 + 4); at += 1)
    await (await tab(context, new URL("/#/launch", operators))).waitForSelector("figure.plot canvas");
  watching.push(context);
}
await pause(5_000);
const watched = await cpuOf(WATCHED_S);
console.log(`CPU of the server: ${(idle * 1e3).toFixed(1)} ms a second without consoles, ${(watched * 1e3).toFixed(1)} with ${CONSOLES}`);
for (const context of watching) await context.close();

const PAGES = { launch: "figure.plot canvas", accounts: "main", servers: "text=Shards", status: "text=Listeners", audit: "text=Check the chain", settings: "tbody tr" };
for (const [name, options] of Object.entries({ desktop: DESKTOP, dark: DARK, phone: PHONE })) {
  const context = await open(options);
  await context.addCookies(cookies);
  const other = await tab(context, new URL("/#/launch", operators));
  for (const [what, selector] of Object.entries(PAGES)) {
    await other.goto(new URL(`/#/${what}`, operators).href);
    await other.waitForSelector(selector);
    await pause(1_500);
    await shoot(other, `crowd-${what}-${name}`);
  }
  await context.close();
}
await desk.close();
process.exit(0);
