// Makes the pictures of these pages, by doing what docs/start.md says to do: becoming the first operator,
// watching a simulated launch, changing the rate while people wait, making a partner token.
//   cargo build --release && (cd tests/clients && npm ci) && node docs/pictures.mjs

import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const program = process.env.ANTEROOM_PROGRAM ?? new URL("../target/release/anteroom", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "anteroom-pictures-"));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// As docs/start.md has it.
const child = spawn(program, ["--dev"], {
  cwd: folder,
  stdio: ["ignore", "pipe", "ignore"],
  env: { ...process.env, ANTEROOM__QUEUE__RATE: "1", ANTEROOM__QUEUE__BURST: "1" },
});
process.on("exit", () => child.kill("SIGKILL"));
let link;
for await (const line of createInterface({ input: child.stdout })) {
  link = /open (http:\S+)/.exec(line)?.[1];
  if (link) break;
}
process.env.ANTEROOM_URL = "http://127.0.0.1:7350";
const { DARK, DESKTOP, PHONE, open, tab } = await import("../tests/clients/browser.mjs");
const picture = (page, name, options) =>
  page.screenshot({ path: new URL(`pictures/${name}.png`, import.meta.url).pathname, animations: "disabled", ...options });

const desk = await open(DESKTOP);
const page = await tab(desk, new URL(link));
await page.fill("[name=email]", "ada@example.org");
await page.fill("[name=password]", "a bridge over the river");
await picture(page, "first-operator", { clip: { x: 0, y: 0, width: 1280, height: 620 } });
await page.click("button[type=submit]");
await page.waitForSelector("a.name");

const launch = spawn(program, ["bench", "launch", "--target", "http://127.0.0.1:7350", "--players", "2000", "--rate", "20",
  "--cap", "1500", "--over", "60", "--limit", "180"], { cwd: folder, stdio: "ignore" });
const ended = new Promise((done) => launch.on("exit", done));
await page.goto("http://127.0.0.1:7351/#/launch");
await page.waitForSelector("figure.plot canvas");
await pause(40_000);
await page.fill('#rate-and-cap [name="rate"]', "20");
await page.click('#rate-and-cap [type="submit"]');
await page.waitForSelector("dialog >> text=rate 20 a second");
await picture(page, "preview");
await page.click("dialog >> text=Make it");
await page.waitForSelector(".notice >> text=Made: rate 20 a second.");
await pause(35_000);
await picture(page, "launch", { fullPage: true });
const cookies = await desk.cookies();
for (const [name, options] of Object.entries({ "launch-phone": { ...PHONE, colorScheme: "dark" }, "launch-dark": DARK })) {
  const other = await open(options);
  await other.addCookies(cookies);
  const hand = await tab(other, new URL("http://127.0.0.1:7351/#/launch"));
  await hand.waitForSelector("figure.plot canvas");
  await pause(2_000);
  await picture(hand, name);
  await other.close();
}
await page.goto("http://127.0.0.1:7351/#/servers");
await page.click('section[aria-label="Partner tokens"] >> text=New');
await page.waitForSelector("dialog[open]");
await page.fill('dialog [name="label"]', "my first server");
await page.click('dialog [type="submit"]');
await page.waitForSelector("text=The game token");
// Of a server that is gone by now; it is still a token.
await page.evaluate(() => (document.querySelector("dialog code").textContent = "eyJhbGciOi…"));
await picture(page, "partner-token", { clip: { x: 0, y: 0, width: 1280, height: 700 } });
launch.kill();
await ended;
process.exit(0);
