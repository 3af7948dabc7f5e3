// The console's door in a real browser: the first operator, authenticator, signing in, inviting,
// tokens; and pages that are not the console's.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { DARK, DESKTOP, PHONE, open, reads, shoot, tab } from "./browser.mjs";
import { story, tell } from "./story.mjs";

const console_ = new URL(process.env.ANTEROOM_OPERATORS);
const at = (hash) => new URL(`/#${hash}`, console_);
const ADA = "ada@example.org";
const PASSWORD = "a bridge over the river";

let secret;
let recovery;
/** What the authenticator shows, so many steps from now (RFC 6238). */
function shows(steps) {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const tag = createHmac("sha1", key).update(counter).digest();
  const number = tag.readUInt32BE(tag.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

const desk = await open(DESKTOP);
const page = await tab(desk, at(`/setup?code=${process.env.SETUP_CODE}`));

story("the first operator is made by the code and sets up an authenticator", async () => {
  await page.waitForSelector("[name=code]");
  assert.equal(await page.inputValue("[name=code]"), process.env.SETUP_CODE);
  await page.fill("[name=email]", ADA);
  await page.fill("[name=password]", "1234567890123456");
  await shoot(page, "console-1-setup");
  await page.click("button[type=submit]");
  await reads(page, "[role=alert]", /common/);
  await page.fill("[name=password]", PASSWORD);
  await page.click("button[type=submit]");
  await page.click(`a.name >> text=${ADA}`);
  await page.click("#enrol button");
  secret = await page.textContent(".secret code");
  assert.ok(await page.evaluate(() => document.querySelector("img.code").naturalWidth > 0), "the picture is drawn");
  await shoot(page, "console-2-authenticator");
  await page.fill("[name=code]", "000000");
  await page.click("#confirm button");
  await reads(page, "[role=alert]", /not right/);
  await page.fill("[name=code]", shows(0));
  await page.keyboard.press("Enter");
  await reads(page, "h2", /recovery codes/);
  recovery = (await page.textContent(".secret code")).split("\n");
  assert.equal(recovery.length, 10);
  await shoot(page, "console-3-recovery");
  await page.click("text=I have kept them");
  await reads(page, ".facts", /set up.*10 recovery codes/s);
});

story("who signs in shows password and code, by keyboard alone", async () => {
  await page.click("text=Sign out");
  await reads(page, "h1", /^Sign in$/);
  await page.waitForSelector("[name=email]:focus");
  await page.keyboard.type(ADA);
  await page.keyboard.press("Tab");
  await page.keyboard.type("not the password");
  await page.keyboard.press("Enter");
  await reads(page, "[role=alert]", /address or the password/);
  await page.fill("[name=password]", PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForSelector("[name=totp]");
  await shoot(page, "console-4-sign-in");
  await page.fill("[name=totp]", "123456");
  await page.keyboard.press("Enter");
  await reads(page, "[role=alert]", /not right/);
  await page.fill("[name=totp]", shows(1));
  await page.keyboard.press("Enter");
  await page.waitForSelector("a.name");
  const cookies = await desk.cookies();
  assert.deepEqual(cookies.map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite })), [
    { name: "anteroom", httpOnly: true, sameSite: "Strict" },
  ]);
  assert.equal(await page.evaluate(() => document.cookie), "");
});

story("somebody is invited, comes in on a phone, and is removed", async () => {
  await page.click("text=Operators");
  await page.click("#invite summary");
  await page.fill("#invite [name=label]", "bob of the night shift");
  await page.check("#invite [name=box]");
  await shoot(page, "console-5-operators");
  await page.click("#invite button");
  const link = await page.textContent("dialog .secret code");
  assert.match(link, /#\/sign-in\/invited\?code=/);
  await shoot(page, "console-6-invitation");
  await page.click("text=I have it");
  await reads(page, "main", /bob of the night shift/);

  const phone = await open({ ...PHONE, colorScheme: "dark" });
  const his = await tab(phone, new URL(link));
  await his.fill("[name=email]", "bob@example.org");
  await his.fill("[name=password]", "another long sentence");
  await shoot(his, "console-7-invited-phone");
  await his.click("button[type=submit]");
  await his.click("text=Operators");
  await reads(his, "tbody", /bob@example.org/);
  await shoot(his, "console-8-operators-phone");

  await page.reload();
  const row = page.locator("tr", { hasText: "bob@example.org" });
  await row.locator("text=Remove").click();
  assert.ok(await page.isDisabled("dialog button[type=submit]"), "the name has to be typed");
  await page.fill("dialog [name=word]", "bob@example.org");
  await page.keyboard.press("Enter");
  await row.waitFor({ state: "detached" });
  await his.click("#make-token summary");
  await his.fill("#make-token [name=label]", "mine");
  await his.click("#make-token button");
  await reads(his, "h1", /^Sign in$/);
  await shoot(his, "console-9-removed-phone");
  await phone.close();
});

story("a token for scripts is shown once and does what it lists, after a second proof", async () => {
  await page.click("#make-token summary");
  await page.fill("#make-token [name=label]", "grafana");
  await page.check("[name=box][value='queue.dials.get']");
  // As after ten minutes.
  const refusal = { status: 403, contentType: "application/json", body: '{"why":"step_up","message":"prove it"}' };
  await page.route("**/v1/operator/tokens", (route) => (route.request().method() === "POST" ? route.fulfill(refusal) : route.continue()));
  await page.click("#make-token button");
  await page.waitForSelector("dialog [name=password]:focus");
  await page.unroute("**/v1/operator/tokens");
  await shoot(page, "console-10-step-up");
  await page.keyboard.type(PASSWORD);
  await page.fill("dialog [name=totp]", recovery[0]);
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog .secret code");
  const token = await page.textContent("dialog .secret code");
  await page.click("text=I have it");
  const ask = (path) => fetch(new URL(`/v1/operator${path}`, console_), { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await ask("/queue")).status, 200);
  assert.equal((await ask("/operators")).status, 403);
  await reads(page, "main", /grafana.*queue\.dials\.get/s);
  assert.ok(!(await page.textContent("body")).includes(token), "shown once");
  await page.click("tr:has-text('grafana') >> text=Revoke");
  await page.click("dialog button[type=submit]");
  await reads(page, "main", /There are none/);
  assert.equal((await ask("/queue")).status, 401);
});

story("other pages can neither ask in an operator's name nor frame the console", async () => {
  const post = `fetch("${console_}v1/operator/queue/changes", { method: "POST", mode: "no-cors", credentials: "include", body: '{"rate":7}' }).catch(() => {})`;
  const markup = `<!doctype html><iframe src="${console_}"></iframe><form method="post" action="${console_}v1/operator/session" enctype="text/plain"><input name='{"email":"x","password":"' value='"}'></form><script>${post}</script>`;
  const foreign = createServer((_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end(markup));
  await new Promise((ready) => foreign.listen(0, "127.0.0.1", ready));
  // The same site on another port, where the browser sends the cookie, and another site.
  for (const host of ["127.0.0.1", "localhost"]) {
    const evil = await desk.newPage();
    const told = [];
    evil.on("response", (response) => {
      if (response.url().startsWith(console_.href) && response.request().method() === "POST") told.push(response.status());
    });
    await evil.goto(`http://${host}:${foreign.address().port}/`);
    await evil.waitForLoadState("networkidle");
    const [, frame] = evil.frames();
    assert.ok(!(await frame.content()).includes("console/dist/console.js"), "not framed");
    await Promise.all([evil.waitForNavigation(), evil.evaluate(() => document.querySelector("form").submit())]);
    assert.deepEqual(told.length, 2, `${told}`);
    assert.ok(told.every((status) => status === 403 || status === 401), `${told}`);
    await evil.close();
  }
  foreign.close();
  const staged = await page.evaluate(() => fetch("/v1/operator/queue").then((answer) => answer.json()));
  assert.deepEqual(staged.staged, []);
});

story("a session that is over leads to the sign-in and back", async () => {
  await page.click("text=Operators");
  await desk.clearCookies();
  await page.fill("#make-token [name=label]", "late");
  await page.click("#make-token button");
  await reads(page, "h1", /^Sign in$/);
  await page.fill("[name=email]", ADA);
  await page.fill("[name=password]", PASSWORD);
  await page.keyboard.press("Enter");
  await page.fill("[name=totp]", recovery[1]);
  await page.keyboard.press("Enter");
  await reads(page, "h1", /^Operators$/);
  await page.selectOption(".theme", "dark");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await shoot(page, "console-11-dark");
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark", "remembered");
  await desk.close();
  const dark = await open(DARK);
  await shoot(await tab(dark, console_), "console-12-sign-in-dark");
  await dark.close();
});

await tell();
