// Makes dist/ from the files here and what they stand on: `npm ci && node build.mjs` in this folder. So
// the program is built and run without npm, and all of the console is sent in a few small files.
// dist/SHA256SUMS names what went in and what came out; tests compare the files with it.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { PurgeCSS } from "purgecss";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const read = (path) => readFileSync(here(path), "utf8");
const STYLES = [
  "node_modules/@picocss/pico/css/pico.classless.min.css",
  "node_modules/uplot/dist/uPlot.min.css",
  "console.css",
];
const PACKAGES = { preact: "LICENSE", htm: "LICENSE", uplot: "LICENSE", "@picocss/pico": "LICENSE.md" };
const SOURCES = ["console.css", "index.html", "package-lock.json", "build.mjs"]
  .concat(readdirSync(here(".")).filter((file) => file.endsWith(".js")))
  .concat(readdirSync(here("pages")).map((file) => `pages/${file}`))
  .sort();

/** Markup is indented for those who read it; htm leaves such blanks out. */
const narrowed = (text) => text.replace(/\n\s+/g, "\n");
/** uPlot's own minified file, which defines `uPlot`, goes before: it is smaller than what esbuild makes of it. */
const uplot = read("node_modules/uplot/dist/uPlot.iife.min.js").trimEnd();
const plugin = {
  name: "console",
  setup(build) {
    build.onLoad({ filter: /uPlot\.\w+\.js$/ }, () => ({ contents: "export default uPlot;" }));
    build.onLoad({ filter: /console\/(pages\/)?[\w-]+\.js$/ }, ({ path }) => ({
      contents: narrowed(readFileSync(path, "utf8")),
    }));
  },
};

async function script() {
  const options = { bundle: true, minify: true, format: "esm", target: "es2022", charset: "utf8" };
  const made = await build({ entryPoints: [here("app.js")], plugins: [plugin], write: false, ...options });
  return `${uplot}\n${made.outputFiles[0].text}`;
}

/** Of the style sheets what a page can show: a word that is in no file of ours is no element here. */
async function style() {
  const content = [{ raw: SOURCES.filter((file) => file.endsWith(".js")).map(read).join("\n"), extension: "js" }];
  const css = [{ raw: STYLES.slice(0, 1).map(read).join("\n") }];
  const [pico] = await new PurgeCSS().purge({ content, css, variables: true, keyframes: true });
  const whole = [pico.css, ...STYLES.slice(1).map(read)].join("\n");
  return (await transform(whole, { loader: "css", minify: true, charset: "utf8" })).code;
}

const made = { "console.js": await script(), "console.css": await style() };
for (const [name, license] of Object.entries(PACKAGES)) {
  made[`LICENSE.${name.split("/").pop()}`] = read(`node_modules/${name}/${license}`);
}
rmSync(here("dist"), { recursive: true, force: true });
mkdirSync(here("dist"));
const sum = (text, name) => `${createHash("sha256").update(text).digest("hex")}  ${name}\n`;
const sums = SOURCES.map((file) => sum(readFileSync(here(file)), `../${file}`));
for (const [name, text] of Object.entries(made)) {
  writeFileSync(here(`dist/${name}`), text);
  sums.push(sum(text, name));
}
writeFileSync(here("dist/SHA256SUMS"), sums.join(""));
