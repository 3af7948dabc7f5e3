// The page at /, in a real browser against the real server: the whole way in two tabs of one
// browser, with a line that moves. Started with a rate of one a second.

import assert from "node:assert/strict";
import { DESKTOP, PHONE, open, reads, shoot, step, tab } from "./browser.mjs";
import { pause, server, story, tell, unique } from "./story.mjs";

/** So many people stand in line in front of a tab, polling as told until they are let in. Resolves
 * once all have their places; `inside` does when all are in. */
async function crowd(many) {
  const post = async (path, body) => {
    const response = await fetch(new URL(path, server), { method: "POST", body: JSON.stringify(body) });
    return response.json();
  };
  const take = () => post("/v1/loginqueue/getinqueuev1", {});
  const tickets = await Promise.all(Array.from({ length: many }, take));
  const wait = async (ticket) => {
    while (!ticket.isAllowedIn) {
      await pause(ticket.pollNextDuration);
      ticket = await post("/v1/loginqueue/checkticketv1", { token: ticket.token });
    }
  };
  return { inside: Promise.all(tickets.map(wait)) };
}

const place = async (page) => Number((await page.textContent("#position")).replaceAll(",", ""));
const ticketNumber = (page) =>
  page.evaluate(() => {
    const { ticket } = JSON.parse(sessionStorage.getItem("anteroom.try-it"));
    return JSON.parse(atob(ticket.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).ticketNumber;
  });
const row = (name) => `.who li[data-player="${name}"]`;
const [ada, bob] = [unique("ada").slice(0, 24), unique("bob").slice(0, 24)];

story("two tabs: from the line to online, seeing each other", async () => {
  const context = await open(DESKTOP);
  const first = await tab(context);
  await step(first, "name");
  await shoot(first, "1-name");

  const others = await crowd(20);
  // By keyboard alone: the name field has the focus, Enter joins.
  await first.keyboard.type(ada);
  await first.keyboard.press("Enter");
  await step(first, "line");
  await reads(first, "#position", /^\d/);
  const came = await place(first);
  assert.ok(came >= 2, `place ${came} behind a crowd`);
  await reads(first, "#eta", /\d+ s|min|any moment/);
  await shoot(first, "2-line");

  const number = await ticketNumber(first);
  await first.reload();
  await reads(first, "#position", /^\d/);
  assert.equal(await ticketNumber(first), number, "the reload kept the ticket");
  assert.ok((await place(first)) <= came, "and the place");

  const second = await tab(context);
  await second.fill("#name", bob);
  await second.click("#join");
  await reads(second, "#position", /^\d/);
  // Places are as old as the last look; the numbers on the tickets are not.
  assert.ok(Number(await ticketNumber(second)) > Number(number), "who came later stands behind");

  await first.waitForSelector("#use-pass:focus");
  await reads(first, "#line-note", /slot held for you for \d+/);
  await shoot(first, "3-pass");
  await first.keyboard.press("Enter");
  await step(first, "account");
  await reads(first, "#facts", new RegExp(ada));
  await shoot(first, "4-account");
  await first.keyboard.press("Enter");
  await step(first, "online");
  await reads(first, row(ada), /you.*online/);

  await second.click("#use-pass");
  await second.click("#go-online");
  await reads(second, row(bob), /you.*online/);
  await others.inside;

  await first.fill("#status", "waiting for bob");
  await first.keyboard.press("Enter");
  await reads(first, row(ada), /waiting for bob/);
  await second.fill("#follow", ada);
  await second.keyboard.press("Enter");
  await reads(second, row(ada), /waiting for bob/);
  await first.fill("#follow", bob);
  await first.keyboard.press("Enter");
  await reads(first, row(bob), /online/);
  await second.fill("#status", "on my way, two minutes");
  await second.keyboard.press("Enter");
  await reads(first, row(bob), /on my way/);
  await shoot(first, "5-online-first-tab");
  await second.setViewportSize(PHONE.viewport);
  await shoot(second, "5-online-second-tab-phone");

  await first.reload();
  await reads(first, row(ada), /waiting for bob/);
  await reads(first, row(bob), /on my way/);
  await reads(second, row(ada), /waiting for bob/);
  await first.click("#hide");
  await reads(second, row(ada), /not online/);
  await first.fill("#status", "back");
  await first.keyboard.press("Enter");
  await reads(second, row(ada), /back/);

  await first.click("#leave");
  await step(first, "name");
  await reads(second, row(ada), /not online/);
  assert.deepEqual([...first.faults, ...second.faults], []);
  await context.close();
});

story("an unmodified Nakama game waits by trying again", async () => {
  const context = await open(PHONE);
  const page = await tab(context);
  const others = await crowd(5);
  await page.fill("#name", unique("cleo").slice(0, 24));
  await page.click("#options summary");
  await page.check("input[value=direct]");
  await shoot(page, "6-options-phone");
  await page.click("#join");
  await reads(page, "#position", /^\d/);
  await shoot(page, "7-direct-waiting-phone");
  await page.reload();
  await step(page, "account");
  await page.click("#go-online");
  await reads(page, "#online-note", /You are online/);
  await others.inside;
  await shoot(page, "8-direct-online-phone");
  await context.close();
});

story("a Pragma game signs in with the UNSAFE provider and sends a heartbeat", async () => {
  const context = await open(DESKTOP);
  const page = await tab(context);
  await page.fill("#name", "dora");
  await page.click("#options summary");
  await page.check("input[value=unsafe]");
  await page.click("#join");
  await page.click("#use-pass");
  await reads(page, "#facts", /dora#\d{4}/);
  await page.click("#go-online");
  await reads(page, "#account-note", /HeartbeatV1Response/);
  await shoot(page, "9-pragma");
  await context.close();
});

story("a name that is taken and a wrong key are told in words", async () => {
  const context = await open(DESKTOP);
  const page = await tab(context);
  await page.fill("#name", unique("fay").slice(0, 24));
  await page.click("#join");
  await page.click("#use-pass");
  await page.click("#sign-out");
  await step(page, "name");
  // As from another machine: the same name, by a device the account does not know.
  await page.evaluate(() => localStorage.clear());
  await page.click("#join");
  await page.click("#use-pass");
  await reads(page, "#name-problem", /Choose another/);
  await page.fill("#name", unique("eve").slice(0, 24));
  await page.click("#options summary");
  await page.fill("#key", "wrong");
  await page.click("#join");
  await page.click("#use-pass");
  await reads(page, "#name-problem", /server key is not right/);
  await shoot(page, "10-wrong-key");
  await context.close();
});

await tell();
