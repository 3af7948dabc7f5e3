// Copies what the console stands on from node_modules to vendor/, so that the program is built and
// run without npm: `npm ci && node vendor.mjs` in this folder. What changed is seen in the diff of
// vendor/SHA256SUMS, and a test compares the files with it.
//
// Browsers find modules by path and the page's policy forbids an import map, which would be inline:
// so bare names become paths here, and what exports nothing gets an export.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const from = (path) => readFileSync(new URL(`node_modules/${path}`, import.meta.url), "utf8");
const to = (name) => new URL(`vendor/${name}`, import.meta.url);

/** No maps are shipped, so none is named. */
const unmapped = (text) => text.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n");
/** The names of modules as paths beside each other. */
const beside = (text) => text.replace(/from\s*"preact"/g, 'from"./preact.js"');

const FILES = [
  ["preact.js", () => unmapped(from("preact/dist/preact.mjs"))],
  ["hooks.js", () => beside(unmapped(from("preact/hooks/dist/hooks.mjs")))],
  ["htm.js", () => from("htm/dist/htm.mjs")],
  ["uplot.js", () => `${from("uplot/dist/uPlot.iife.min.js").trimEnd()}\nexport default uPlot;\n`],
  ["uplot.css", () => from("uplot/dist/uPlot.min.css")],
  ["pico.css", () => from("@picocss/pico/css/pico.classless.min.css")],
  ["LICENSE.preact", () => from("preact/LICENSE")],
  ["LICENSE.htm", () => from("htm/LICENSE")],
  ["LICENSE.uplot", () => from("uplot/LICENSE")],
  ["LICENSE.pico", () => from("@picocss/pico/LICENSE.md")],
];

rmSync(to(""), { recursive: true, force: true });
mkdirSync(to(""));
const sums = FILES.map(([name, text]) => {
  const bytes = Buffer.from(text());
  writeFileSync(to(name), bytes);
  return `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`;
});
writeFileSync(to("SHA256SUMS"), sums.join(""));
