// The console's pages in a real browser: every page and every deed, with nobody and with some in line,
// on a desktop and on a phone, light and dark; plots that move while a launch runs, and a gap where the
// server was not heard of.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { DARK, DESKTOP, PHONE, open, reads, shoot, tab } from "./browser.mjs";
import { pause, server, story, tell } from "./story.mjs";

const console_ = new URL(process.env.ANTEROOM_OPERATORS);
const at = (hash) => new URL(`/#/${hash}`, console_);
const [ADA, PASSWORD] = ["ada@example.org", "a bridge over the river"];

const desk = await open(DESKTOP);
const page = await tab(desk, at(`setup?code=${process.env.SETUP_CODE}`));

/** Another page of the console, and something on it. */
async function to(hash, selector, on = page) {
  await on.goto(at(hash).href);
  await on.waitForSelector(selector);
}
/** Answers a dialogue: fields by name, then its button. */
async function answer(fields, button = 'dialog [type="submit"]') {
  await page.waitForSelector("dialog[open]");
  for (const [name, value] of Object.entries(fields)) {
    const field = `dialog [name="${name}"]`;
    if (await page.locator(field).evaluate((it) => it.tagName === "SELECT")) await page.selectOption(field, value);
    else await page.fill(field, value);
  }
  await page.click(button);
}
const closed = () => page.waitForSelector("dialog", { state: "detached" });
/** The part of a page with this name. */
const part = (name, more) => `section[aria-label="${name}"] >> ${more}`;
const legend = (title, name) =>
  page.evaluate(
    ([title, name]) => {
      const figure = [...document.querySelectorAll("figure.plot")].find((it) => it.querySelector("figcaption").textContent === title);
      const row = [...(figure?.querySelectorAll(".legend li") ?? [])].find((it) => it.textContent.startsWith(name));
      return Number((row?.querySelector("b").textContent ?? "").replaceAll("\u202f", ""));
    },
    [title, name],
  );
const PAGES = { launch: "text=How it has been", accounts: "tbody a", servers: "text=Shards", status: "text=Listeners", audit: "text=Check the chain", settings: "tbody tr" };

/** Every page as a person sees it, on each screen. */
async function everyPage(suffix, account) {
  const cookies = await desk.cookies();
  for (const [name, options] of Object.entries({ desktop: DESKTOP, dark: DARK, phone: PHONE, "phone-dark": { ...PHONE, colorScheme: "dark" } })) {
    const context = await open(options);
    await context.addCookies(cookies);
    const other = await tab(context, at("launch"));
    for (const [what, selector] of Object.entries({ ...PAGES, ...(account ? { [`accounts/${account}`]: "text=Ways to sign in" } : {}) })) {
      await to(what, selector, other);
      if (what === "launch") await other.waitForSelector("figure.plot canvas");
      const isSeen = await other.evaluate(() => {
        const { left, right } = document.querySelector("nav [aria-current]").getBoundingClientRect();
        return left >= 0 && right <= innerWidth;
      });
      assert.ok(isSeen, `${what} on ${name}: the navigation shows where one is`);
      await shoot(other, `office-${what.replace(/\/.*/, "-one")}-${name}${suffix}`);
    }
    await context.close();
  }
}

story("with nobody in line every page has its say, on every screen", async () => {
  await page.fill("[name=email]", ADA);
  await page.fill("[name=password]", PASSWORD);
  await page.click("button[type=submit]");
  await page.waitForSelector("a.name");
  await to("launch", "text=Nothing was changed since the server started");
  await page.waitForSelector("text=Players come in.");
  await everyPage("-empty");
});

story("a change is looked at, made and taken back; a number that is typed stays while the page looks again", async () => {
  await to("launch", '#rate-and-cap [name="rate"]');
  await page.fill('#rate-and-cap [name="rate"]', "3");
  await page.waitForResponse((it) => it.url().endsWith("/operator/queue"));
  await pause(200);
  assert.equal(await page.inputValue('#rate-and-cap [name="rate"]'), "3");
  await page.click('#rate-and-cap [type="submit"]');
  await page.waitForSelector("dialog >> text=rate 3 a second");
  await shoot(page, "office-preview");
  await page.click("dialog >> text=Make it");
  await page.waitForSelector(".notice >> text=Made: rate 3 a second.");
  await page.click(".notice >> text=Undo");
  await page.waitForSelector("td >> text=taken back");
  // By keyboard: Enter stages, Enter makes.
  await page.focus('#lanes [name="paying"]');
  await page.fill('#lanes [name="paying"]', "7");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog >> text=lanes 7 : 9 : 1");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".notice >> text=lanes 7 : 9 : 1");
  await page.selectOption('#mode [name="mode"]', "paused");
  await page.fill('#mode [name="message"]', "A new bridge.");
  await page.click('#mode [type="submit"]');
  await page.click("dialog >> text=Make it");
  await page.waitForSelector("text=Players read: “A new bridge.”");
  await page.selectOption('#mode [name="mode"]', "open");
  await page.fill('#mode [name="message"]', "");
  await page.click('#mode [type="submit"]');
  await page.click("dialog >> text=Make it");
  await page.waitForSelector("text=Players come in.");
  // What is refused is said in words, and the dialogue of what is left is dropped.
  await page.fill('#rate-and-cap [name="cap"]', "5000");
  await page.click('#rate-and-cap [type="submit"]');
  await page.click("dialog >> text=Leave it");
  await closed();
  await page.click('#rate-and-cap [type="submit"]');
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Escape");
  await closed();
});

story("plots move while a launch runs, and nobody draws a line over a gap", async () => {
  await to("launch", "figure.plot canvas");
  const bench = spawn(process.env.ANTEROOM_PROGRAM, ["bench", "launch", "--target", server.origin, "--metrics", console_.origin,
    "--players", "120", "--rate", "5", "--over", "3", "--curve", "burst", "--session", "60", "--patience", "0"], { stdio: "ignore" });
  const ended = new Promise((resolve) => bench.on("exit", resolve));
  try {
    await page.waitForFunction(() => Number(document.querySelector(".figures dd")?.textContent.replaceAll("\u202f", "")) > 20);
    const first = await legend("In line", "standard");
    await page.waitForFunction((most) => {
      const row = document.querySelector(".plot .legend b");
      const now = Number(row.textContent.replaceAll("\u202f", ""));
      return now > 0 && now !== most;
    }, first);
    assert.ok((await legend("Admitted a second", "admitted")) > 0);
    assert.ok((await legend("Wait", "told who")) > 0);
    await shoot(page, "office-launch-busy");
    // With people in line, what closes the doors wants their number typed.
    await page.selectOption('#mode [name="mode"]', "maintenance");
    await page.click('#mode [type="submit"]');
    await page.click("dialog >> text=Make it");
    await page.waitForSelector("dialog >> text=people wait in line");
    assert.ok(await page.isDisabled('dialog [type="submit"]'));
    await page.click("dialog >> text=Cancel");
    await closed();
    await everyPage("-busy");
  } finally {
    bench.kill();
    await ended;
  }
  const rows = await page.evaluate(async () => {
    const { withGaps } = await import("/console/dist/console.js");
    return withGaps([1000, 2000, 9000, 10_000], [[1, 2, 3, 4]], 1000);
  });
  assert.deepEqual(rows, [[1, 2, 3, 9, 10], [1, 2, null, 3, 4]]);
});

story("a page that nobody looks at lets go of its connection, and catches up when it is seen again", async () => {
  await to("launch", "figure.plot canvas");
  const shown = (isShown) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, !isShown);
  const isStream = (it) => it.url().endsWith("/live/stream");
  await Promise.all([page.waitForEvent("requestfailed", isStream), shown(false)]);
  const missed = page.waitForResponse((it) => it.url().includes("/live?since_ms="));
  await Promise.all([page.waitForRequest(isStream), missed, shown(true)]);
  assert.equal((await missed).status(), 200);
});

story("numbers of seven digits are never cut", async () => {
  const cut = await page.evaluate(async () => {
    const { Plot, html, render } = await import("/console/dist/console.js");
    const box = document.createElement("div");
    document.querySelector("main").append(box);
    const at = Array.from({ length: 60 }, (_, second) => Date.now() - (60 - second) * 1000);
    render(html`<${Plot} title="Many" at=${at} step=${1000} series=${[{ name: "waiting", values: at.map((_, row) => 9_000_000 + row) }]} />`, box);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const axis = box.querySelectorAll(".u-axis")[1].getBoundingClientRect();
    const { width } = axis;
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = "12px system-ui, sans-serif";
    return { room: width, needs: pen.measureText("10\u202f000\u202f000").width };
  });
  assert.ok(cut.room >= cut.needs, JSON.stringify(cut));
  await shoot(page, "office-seven-digits");
  await page.reload();
});

story("game servers: groups, tags, events, who may enter, tokens", async () => {
  await to("servers", "text=There are no groups yet");
  await page.click(part("Player groups", "text=New"));
  await answer({ name: "Testers", description: "early birds" });
  await page.waitForSelector(part("Player groups", "text=early birds"));
  await page.click(part("Player groups", "text=New"));
  await answer({ name: "testers" });
  await page.waitForSelector("dialog >> text=another player group has this name");
  await page.click("dialog >> text=Cancel");
  await closed();
  await page.click(part("Tags", "text=New"));
  await answer({ name: "vip" });
  await page.waitForSelector(part("Tags", "td >> text=vip"));
  await page.click(part("Limited access events", "text=New"));
  await page.waitForSelector("dialog >> text=Testers");
  await page.check("dialog >> text=Testers");
  await answer({ name: "Weekend" });
  await page.waitForSelector(part("Limited access events", "text=Weekend"));
  await page.click(part("Shards", "text=Change"));
  await page.waitForSelector("dialog >> text=Testers");
  await page.check("dialog >> text=Testers");
  await answer({ access: "limited" });
  await page.waitForSelector(part("Shards", "text=limited"));
  await page.click(part("Shards", "text=Change"));
  await answer({ access: "everyone" });
  await page.waitForSelector(part("Shards", "text=everybody"));
  await page.click(part("Partner tokens", "text=New"));
  await answer({ label: "eu-fleet" });
  await page.waitForSelector("text=The game token");
  const token = await page.textContent("dialog code");
  assert.equal(token.split(".").length, 3);
  await page.click("dialog >> text=I have it");
  await page.waitForSelector("text=The social token");
  await page.click("dialog >> text=I have it");
  await page.waitForSelector(part("Partner tokens", "td >> text=eu-fleet"));
  assert.ok(!(await page.content()).includes(token), "shown once");
  await page.click(part("Partner tokens", "text=Label >> nth=-1"));
  await answer({ label: "us-fleet" });
  await page.click('tr:has-text("us-fleet") >> text=Revoke');
  assert.ok(await page.isDisabled('dialog [type="submit"]'), "not before the word");
  await answer({ word: "us-fleet" });
  await page.waitForSelector('tr:has-text("us-fleet") >> text=revoked');
  await page.click(part("Limited access events", "text=Delete"));
  await answer({});
  await page.waitForSelector("text=No event is planned");
  await shoot(page, "office-servers-full");
});

story("an account is found, seen and changed", async () => {
  await to("accounts", "tbody a");
  await page.fill("[name=search]", "nobody is called so");
  await page.keyboard.press("Enter");
  await page.waitForSelector("text=Nobody is found by");
  await page.fill("[name=search]", "test07");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
  await page.click("tbody a");
  await reads(page, "h1", /test07/);
  const tool = (name) => page.click(`[role=toolbar] >> text="${name}"`);
  await tool("Ban");
  await answer({ reason: "CHEATING" });
  await page.waitForSelector("td >> text=for good");
  await page.waitForSelector("h1 >> text=banned");
  await page.click("text=Lift");
  await page.waitForSelector("td >> text=lifted");
  await tool("Rename");
  await answer({ username: "seven", display_name: "Seven" });
  await reads(page, "h1", /seven/);
  await tool("Tags");
  await page.check("dialog >> text=vip");
  await answer({});
  await page.waitForSelector("dd >> text=vip");
  await tool("Groups");
  await page.check("dialog >> text=Testers");
  await answer({});
  await page.waitForSelector("dd >> text=Testers");
  await tool("Kick");
  await page.waitForSelector("text=0 sockets closed.");
  await tool("Log out everywhere");
  await answer({});
  await page.waitForSelector("text=Every session is over.");
  await page.click("text=Unlink");
  await answer({});
  await page.waitForSelector(".notice.bad >> text=last way to sign in");
  const [download] = await Promise.all([page.waitForEvent("download"), tool("Export")]);
  assert.match(download.suggestedFilename(), /^account-.*\.json$/);
  await shoot(page, "office-account-full");
  await tool("Delete");
  await answer({ word: "seven" });
  await reads(page, "h1", /Accounts/);
  await page.click("text=New account");
  await answer({ kind: "custom", id: "custom-of-zoe", display_name: "Zoe" });
  await page.waitForSelector("td >> text=custom-of-zoe");
});

story("what was done is on record, the chain holds, and settings say where they come from", async () => {
  await to("audit", "td >> text=delete account");
  await page.click("text=Check the chain");
  await page.waitForSelector("text=The chain holds");
  await shoot(page, "office-audit-full");
  await page.fill("[name=what]", "ban");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
  await to("audit?what=no_such_kind", "text=Nothing of that is on record");
  await to("settings?search=queue.rate", "tbody tr");
  await reads(page, "tbody tr", /environment.*live/s);
  await page.click("text=Read settings again");
  await page.waitForSelector('section[aria-label="Read again"] >> [role=status]');
  await page.click("text=Make new keys");
  await answer({ word: "rotate" });
  await page.waitForSelector("text=Restart the server to use them");
  await to("settings?search=no.such.key", "text=No key has");
});

story("who may only look sees no dials; a page that fails says so and is tried again", async () => {
  const other = await tab(desk, at("status"));
  await other.waitForSelector("text=Listeners");
  await other.route("**/v1/operator/status", (route) => route.fulfill({ status: 503, contentType: "application/json", body: '{"why":"unavailable","message":"no answer in time"}' }));
  await other.reload();
  await other.waitForSelector("[role=alert] >> text=no answer in time");
  await shoot(other, "office-failed");
  await other.unroute("**/v1/operator/status");
  await other.click("text=Try again");
  await other.waitForSelector("text=Listeners");
  await other.route("**/v1/operator/session", async (route) => {
    const answer = await route.fetch();
    const session = await answer.json();
    await route.fulfill({ response: answer, json: { ...session, permissions: ["queue.dials.get"] } });
  });
  await other.goto(at("launch").href);
  await other.reload();
  await other.waitForSelector("text=not turn them");
  assert.equal(await other.locator("nav >> a").count(), 1, "no page that may not be seen");
});

await tell();
