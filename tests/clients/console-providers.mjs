// Operators who sign in to the console at an identity provider, in a real browser: the provider is
// another site, played here, and checks and signs for real.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DESKTOP, PHONE, open, reads, shoot } from "./browser.mjs";
import { story, tell } from "./story.mjs";

const ADA = "ada@example.org";
const PASSWORD = "a bridge over the river";
const base64url = (text) => Buffer.from(text).toString("base64url");

// The provider.
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const asked = [];
const codes = new Map();
let issuer;

function idToken(claims) {
  const text = [{ alg: "RS256", kid: "k" }, claims].map((part) => base64url(JSON.stringify(part))).join(".");
  return `${text}.${sign("RSA-SHA256", Buffer.from(text), privateKey).toString("base64url")}`;
}

/** Its page: whoever is clicked is signed in, and sent back with a code. */
function people(query) {
  assert.equal(query.get("client_id"), "console");
  assert.equal(query.get("code_challenge_method"), "S256");
  asked.push(query);
  const back = (who) => {
    const code = randomBytes(16).toString("hex");
    codes.set(code, { who, query });
    return `${query.get("redirect_uri")}?${new URLSearchParams({ code, state: query.get("state") })}`.replaceAll("&", "&amp;");
  };
  return `<!doctype html><title>Provider</title>${["ada", "bob", "eve"].map((who) => `<p><a href="${back(who)}">${who}</a></p>`).join("")}`;
}

function redeem(form) {
  const { who, query } = codes.get(form.get("code")) ?? {};
  codes.delete(form.get("code"));
  const proof = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
  const good =
    who && form.get("client_secret") === "hush" && form.get("redirect_uri") === query.get("redirect_uri") && proof === query.get("code_challenge");
  if (!good) return { error: "invalid_grant" };
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: issuer, aud: "console", sub: `${who}-there`, iat: now, exp: now + 600, nonce: query.get("nonce"), email: `${who}@studio.example` };
  // It says when they showed who they are, if that was asked for.
  if (query.has("max_age")) claims.auth_time = now;
  return { access_token: "unused", id_token: idToken(claims) };
}

const provider = createServer(async (request, answer) => {
  const url = new URL(request.url, issuer);
  let body = "";
  for await (const piece of request) body += piece;
  const send = (json, status = 200) => answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
  if (url.pathname === "/.well-known/openid-configuration") return send({ issuer, jwks_uri: `${issuer}/keys`, token_endpoint: `${issuer}/token` });
  if (url.pathname === "/keys") return send({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k", alg: "RS256", use: "sig" }] });
  if (url.pathname === "/oauth2/v1/authorize") return answer.writeHead(200, { "content-type": "text/html" }).end(people(url.searchParams));
  if (url.pathname === "/token") {
    const told = redeem(new URLSearchParams(body));
    return send(told, told.error ? 400 : 200);
  }
  return answer.writeHead(404).end();
});
await new Promise((ready) => provider.listen(0, "127.0.0.1", ready));
issuer = `http://localhost:${provider.address().port}`;

// The server.
const folder = mkdtempSync(join(tmpdir(), "anteroom-providers-"));
const running = spawn(process.env.ANTEROOM_PROGRAM, ["serve", "--dev", "--listen", "127.0.0.1:0", "--data", join(folder, "data")], {
  cwd: folder,
  stdio: ["ignore", "pipe", "inherit"],
  env: {
    PATH: process.env.PATH,
    ANTEROOM__IDENTITY__ALLOW_PRIVATE: "true",
    ANTEROOM__IDENTITY__OKTA__ISSUER: issuer,
    ANTEROOM__IDENTITY__OKTA__CLIENT_IDS: '["console"]',
    ANTEROOM__IDENTITY__OKTA__CLIENT_SECRET: "hush",
    ANTEROOM__OPERATORS__PROVIDERS: '["okta"]',
  },
});
process.on("exit", () => running.kill());
let console_;
let setup;
for await (const line of createInterface({ input: running.stdout })) {
  console_ ??= line.match(/operators (http:\S+)/)?.[1];
  setup = line.match(/setup code.*: (\S+)$/)?.[1];
  if (setup) break;
}
const at = (hash) => new URL(`/#${hash}`, console_).href;

async function tab(context, hash) {
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  await page.goto(at(hash));
  return page;
}
/** At the provider: this one is there. */
async function is(page, who) {
  await page.waitForURL(`${issuer}/**`);
  await page.click(`text="${who}"`);
  await page.waitForURL(`${console_}/**`);
}

const desk = await open(DESKTOP);
const page = await tab(desk, `/setup?code=${setup}`);

story("an operator binds a provider on her own page and signs in by it from then on", async () => {
  await page.fill("[name=email]", ADA);
  await page.fill("[name=password]", PASSWORD);
  await page.click("text=Set up >> nth=-1");
  await page.click(`a.name >> text=${ADA}`);
  await page.click("text=Sign in by Okta");
  await is(page, "ada");
  await reads(page, "h1", /^Your sign-in$/);
  await reads(page, ".facts", /okta.*ada@studio\.example/s);
  await shoot(page, "console-13-bound");

  await page.click("text=Sign out");
  await reads(page, "h1", /^Sign in$/);
  await shoot(page, "console-14-providers");
  await page.click("text=Continue with Okta");
  await is(page, "ada");
  await page.waitForSelector("a.name");
  await reads(page, "h1", /^Your sign-in$/);
  const cookies = await desk.cookies(console_);
  assert.deepEqual(cookies.map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite })), [{ name: "anteroom", httpOnly: true, sameSite: "Strict" }]);
  const [{ origin, pathname }] = [new URL(page.url())];
  assert.deepEqual([origin, pathname], [new URL(console_).origin, "/"]);
  assert.ok(!page.url().includes("code=") && !page.url().includes("state="), page.url());
});

story("whom the provider knows and nobody bound is told so in words", async () => {
  const other = await open(PHONE);
  const eve = await tab(other, "/");
  await eve.click("text=Continue with Okta");
  await is(eve, "eve");
  await reads(eve, ".banner", /nobody is an operator by this account/);
  await shoot(eve, "console-15-nobody-phone");
  // What was begun in one browser is of no use in another.
  await eve.click("text=Continue with Okta");
  await eve.waitForURL(`${issuer}/**`);
  const stolen = await eve.getAttribute('text="ada"', "href");
  const third = await open(DESKTOP);
  const elsewhere = await tab(third, "/");
  await elsewhere.goto(stolen);
  await reads(elsewhere, ".banner", /not begun in this browser/);
  await reads(elsewhere, "h1", /^Sign in$/);
  await Promise.all([other.close(), third.close()]);
});

story("an invitation is taken up by a provider, and the provider asked anew before what cannot be undone", async () => {
  await page.goto(at("/operators"));
  await page.click("#invite summary");
  await page.fill("#invite [name=label]", "bob of the night shift");
  await page.check("#invite [name=box]");
  await page.click("#invite button");
  const password = page.locator("dialog [name=password]");
  const link = page.locator("dialog .secret code");
  await password.or(link).first().waitFor();
  if (await password.isVisible()) {
    // The provider did not say when she showed there who she is, so she does it here.
    await password.fill(PASSWORD);
    await page.keyboard.press("Enter");
  }
  const invitation = await link.textContent();

  const other = await open(DESKTOP);
  const his = await tab(other, new URL(invitation).hash.slice(1));
  await his.click("text=Continue with Okta");
  await is(his, "bob");
  await reads(his, "a.name", /^bob@studio\.example$/);
  await his.click("text=Operators");
  await reads(his, "tbody", /bob@studio\.example.*okta/s);
  const refusal = { status: 403, contentType: "application/json", body: '{"why":"step_up","message":"prove it"}' };
  await his.route("**/v1/operator/tokens", (route) => (route.request().method() === "POST" ? route.fulfill(refusal) : route.continue()));
  await his.click("#make-token summary");
  await his.fill("#make-token [name=label]", "grafana");
  await his.check("[name=box][value='queue.dials.get']");
  await his.click("#make-token button");
  await shoot(his, "console-16-step-up-provider");
  await his.click("text=Show it to Okta");
  await is(his, "bob");
  assert.deepEqual([asked.at(-1).get("prompt"), asked.at(-1).get("max_age")], ["login", "0"]);
  await reads(his, "h1", /^Operators$/);
  assert.equal(await his.locator(".banner").count(), 0);
  await his.unroute("**/v1/operator/tokens");

  // With an authenticator its code is asked for after the provider.
  await his.click("a.name");
  await his.click("#enrol button");
  const secret = await his.textContent(".secret code");
  await his.fill("[name=code]", shows(secret, 0));
  await his.click("#confirm button");
  await his.click("text=I have kept them");
  await his.click("text=Sign out");
  await his.click("text=Continue with Okta");
  await is(his, "bob");
  await his.waitForSelector("[name=totp]");
  assert.equal(await his.locator("[name=password]").count(), 0);
  await shoot(his, "console-17-code");
  await his.fill("[name=totp]", "123456");
  await his.keyboard.press("Enter");
  await reads(his, "[role=alert]", /not right/);
  await his.fill("[name=totp]", shows(secret, 1));
  await his.keyboard.press("Enter");
  await reads(his, "a.name", /^bob@studio\.example$/);
  await other.close();
});

/** What an authenticator shows, so many steps from now (RFC 6238). */
function shows(secret, steps) {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const tag = createHmac("sha1", key).update(counter).digest();
  return String((tag.readUInt32BE(tag.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

await tell();
