import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

/** Whether Anteroom sent this body, less than five minutes ago. */
function isOurs(headers, body) {
  const at = headers["x-anteroom-timestamp"];
  const tag = createHmac("sha256", process.env.HOOK_SECRET).update(`${at}.`).update(body).digest();
  const sent = Buffer.from(headers["x-anteroom-signature"] ?? "", "hex");
  const isRecent = Math.abs(Date.now() / 1000 - Number(at)) < 300;
  return isRecent && sent.length === tag.length && timingSafeEqual(sent, tag);
}

function decide({ event, link }) {
  if (event === "account_create" && link.kind === "custom" && !link.id.startsWith("shop|")) {
    return { allow: false, message: "Sign up in our shop first." };
  }
  return event === "account_login" ? { allow: true, sessionInfo: { clan: "red" } } : { allow: true };
}

createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray());
  if (!isOurs(request.headers, body)) return response.writeHead(401).end();
  response.writeHead(200).end(JSON.stringify(decide(JSON.parse(body))));
}).listen(process.env.PORT ?? 8080, "127.0.0.1", function () {
  console.log(`hooks at http://127.0.0.1:${this.address().port}/`);
});
