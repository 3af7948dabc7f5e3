// A browser for the page's stories: starting it, screens, and what must hold on every page.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { server } from "./story.mjs";

const ARTIFACTS = new URL("./artifacts/", import.meta.url).pathname;
mkdirSync(ARTIFACTS, { recursive: true });

export const DESKTOP = { viewport: { width: 1280, height: 900 } };
export const DARK = { ...DESKTOP, colorScheme: "dark" };
export const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true };

/** A headless browser with one fresh profile. The flags keep it from calling anybody but us. */
export async function open(options) {
  const profile = await mkdtemp(join(tmpdir(), "anteroom-page-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    ...options,
  });
  context.setDefaultTimeout(Number(process.env.WAIT_MS || 60_000));
  return context;
}

/** A tab with the page at `at` in it, watched: no error, no refused policy, no request to anybody
 * else. */
export async function tab(context, at = server) {
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => {
    // A refused call is logged by the browser itself; the page shows it in words.
    const refused = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !refused) page.faults.push(message.text());
  });
  page.on("request", (request) => {
    const { host, protocol } = new URL(request.url());
    if (host !== at.host && protocol !== "data:") page.faults.push(request.url());
  });
  await page.goto(at.href);
  return page;
}

/** Takes a picture, and checks what a person would see at once: nothing cut off, nothing wider than
 * the screen, no fault. */
export async function shoot(page, name) {
  await page.screenshot({ path: join(ARTIFACTS, `${name}.png`), fullPage: true, animations: "disabled" });
  const cut = await page.evaluate(() => {
    const wide = [];
    if (document.documentElement.scrollWidth > innerWidth) wide.push("the page itself");
    const boxes = "button, input, dd, dt, .note, .summary, .who li, h2, .figures, .gap, .person";
    for (const element of document.querySelectorAll(boxes)) {
      const box = element.getBoundingClientRect();
      const text = element.textContent.slice(0, 40) || element.className;
      const outer = element.closest(".scene, .step, .wire")?.getBoundingClientRect();
      if (!box.width) continue;
      if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth && !element.matches("input, .person")) wide.push(text);
      if (outer && (box.right > outer.right + 1 || box.left < outer.left - 1)) wide.push(text);
    }
    return wide;
  });
  assert.deepEqual(cut, [], `${name}: cut off`);
  assert.deepEqual(page.faults, [], name);
}

/** Waits until an element's text matches. */
export async function reads(page, selector, pattern) {
  await page.waitForFunction(
    ([where, source]) => new RegExp(source).test(document.querySelector(where)?.textContent ?? ""),
    [selector, pattern.source],
  );
}

/** The step that is open: name, line, account or online. */
export const step = (page, name) => page.waitForSelector(`#step-${name}[data-state="now"]`);
