// Every state of the line as the page shows it, with made-up answers: a line of a million, paused,
// held, full, a server that is gone. On a desktop, in the dark, on a phone.

import assert from "node:assert/strict";
import { DARK, DESKTOP, PHONE, open, reads, shoot, step, tab } from "./browser.mjs";
import { story, tell } from "./story.mjs";

const token = (claims) => `eyJ.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
const waiting = (positionInQueue, etaMs, more = {}) => ({
  token: token({ ticketNumber: "7" }),
  positionInQueue,
  eta: String(etaMs),
  pollNextDuration: 300,
  isAllowedIn: false,
  ...more,
});

/** What the line answers next, changed by the story. */
async function scripted(page) {
  const script = { answer: waiting(1_000_000, 20_000_000), status: 200, gone: false };
  await page.route("**/v1/loginqueue/*", (route) => {
    if (script.gone) return route.abort();
    const headers = script.headers || {};
    return route.fulfill({ status: script.status, headers, json: script.answer });
  });
  return script;
}

for (const [screen, options] of Object.entries({ desktop: DESKTOP, dark: DARK, phone: PHONE })) {
  story(`every state is shown, and nothing is cut off: ${screen}`, async () => {
    const context = await open(options);
    const page = await tab(context);
    const script = await scripted(page);
    await page.fill("#name", "a-rather-long-name-for-a-player.");
    await page.keyboard.press("Enter");
    await reads(page, "#position", /^1,000,000$/);
    await reads(page, "#eta", /^5 h 3\d min$/);
    assert.equal(await page.title(), "#1,000,000 in line");
    await shoot(page, `line-million-${screen}`);

    script.answer = waiting(12, 95_000, { reason: "older_returned" });
    await reads(page, "#position", /^12$/);
    await reads(page, "#line-note", /before you came back/);
    await shoot(page, `line-reason-${screen}`);

    script.answer = waiting(2, 1_500, { phase: "front" });
    await reads(page, "#line-note", /stay close/);
    await shoot(page, `line-front-${screen}`);

    script.answer = waiting(31, 300_000, { phase: "paused" });
    await reads(page, "#line-note", /paused/);
    await reads(page, "#eta", /^–$/);
    await shoot(page, `line-paused-${screen}`);

    script.answer = waiting(31, 300_000, { phase: "held", reason: "restarted" });
    await reads(page, "#line-note", /restarted.*stands still/);
    await shoot(page, `line-held-${screen}`);

    script.answer = waiting(2_000_001, 40_000_000, { phase: "full" });
    await reads(page, "#line-note", /full/);
    await reads(page, "#position", /^–$/);
    await shoot(page, `line-full-${screen}`);

    script.gone = true;
    await reads(page, "#line-note", /does not answer/);
    await shoot(page, `line-gone-${screen}`);
    script.gone = false;
    script.answer = waiting(30, 60_000);
    await reads(page, "#position", /^30$/);

    Object.assign(script, { status: 429, answer: { message: "slow down" }, headers: { "Retry-After": "1" } });
    await reads(page, "#line-note", /too often/);
    Object.assign(script, { status: 200, headers: {} });

    const exp = Math.floor(Date.now() / 1000) + 7;
    script.answer = { ...waiting(0, 0), token: token({ exp }), isAllowedIn: true };
    await page.waitForSelector("#use-pass:focus");
    await shoot(page, `line-pass-${screen}`);
    await step(page, "name");
    await reads(page, "#name-problem", /pass ran out/);
    await shoot(page, `pass-ran-out-${screen}`);
    await context.close();
  });
}

story("a ticket that is refused leads back to the start, in words", async () => {
  const context = await open(DESKTOP);
  const page = await tab(context);
  const script = await scripted(page);
  await page.fill("#name", "ada");
  await page.keyboard.press("Enter");
  await reads(page, "#position", /\d/);
  script.status = 401;
  script.answer = { serviceError: { error: "AccountService_TokenExpired" } };
  await reads(page, "#name-problem", /no longer good/);
  assert.equal(await page.inputValue("#name"), "ada");
  await context.close();
});

await tell();
