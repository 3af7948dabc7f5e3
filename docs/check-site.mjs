// Whether every link inside a built site leads to a file of it, and to an id on that page.
// `node docs/check-site.mjs target/book`; exits with 1 and says which do not.
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const site = resolve(process.argv[2] ?? "target/book");
const pages = readdirSync(site, { recursive: true })
  .filter((name) => name.endsWith(".html") && !/(^|\/)(print|toc|404)\.html$/.test(name))
  .map((name) => join(site, name));
const ids = new Map();

/** The ids on a page. */
function idsOf(page) {
  if (!ids.has(page)) {
    const found = readFileSync(page, "utf8").matchAll(/\sid="([^"]+)"/g);
    ids.set(page, new Set([...found].map(([, id]) => id)));
  }
  return ids.get(page);
}

const wrong = [];
for (const page of pages) {
  const text = readFileSync(page, "utf8");
  for (const [, link] of text.matchAll(/<a\s[^>]*?href="([^"]*)"/g)) {
    if (/^[a-z]+:|^\/\//i.test(link)) continue;
    const [path, id] = decodeURI(link).split("#");
    let target = path ? resolve(dirname(page), path) : page;
    if (existsSync(target) && statSync(target).isDirectory()) target = join(target, "index.html");
    const leads = target.startsWith(site) && existsSync(target);
    if (!leads || (id && target.endsWith(".html") && !idsOf(target).has(id))) {
      wrong.push(`${relative(site, page)}: ${link}`);
    }
  }
}
console.log(`${pages.length} pages`);
if (!pages.length || wrong.length) {
  console.error(`links that lead nowhere:\n${wrong.join("\n")}`);
  process.exit(1);
}
