// What the stories share: running them one after another, clients, and waiting for events.

import { WebSocket } from "ws";
import { Client, WebSocketAdapterText } from "@heroiclabs/nakama-js";

// The SDK asks for a browser's WebSocket; Node has one of its own from version 22.
globalThis.WebSocket ??= WebSocket;

/** The server under test, e.g. `http://127.0.0.1:7350`. */
export const server = new URL(process.env.ANTEROOM_URL);

const PATIENCE_MS = Number(process.env.STORY_PATIENCE_MS || 120_000);
const stories = [];

/** Adds a story. It fails by throwing. */
export function story(name, run) {
  stories.push({ name, run });
}

/** Runs the stories of this program; every one is reported, the exit code says whether all held. */
export async function tell() {
  setTimeout(() => {
    console.log(`not ok: no end after ${PATIENCE_MS} ms`);
    process.exit(2);
  }, PATIENCE_MS).unref();
  let failed = 0;
  for (const { name, run } of stories) {
    try {
      await run();
      console.log(`ok ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`not ok ${name}\n${await told(error)}`);
    }
  }
  console.log(`${stories.length - failed} of ${stories.length} stories held`);
  // The SDK leaves timers behind that would keep the process for half a minute.
  process.exit(failed ? 1 : 0);
}

async function told(error) {
  if (error instanceof Response) return `HTTP ${error.status} ${await error.clone().text()}`;
  return error?.stack || JSON.stringify(error);
}

/** An unmodified SDK client. */
export function newClient(key = "defaultkey") {
  return new Client(key, server.hostname, server.port, false);
}

let made = 0;

/** A text nobody else in this run has, long enough for every kind of id. */
export function unique(word) {
  made += 1;
  return `${word}-${process.pid}-${made}-${Math.random().toString(36).slice(2, 10)}`;
}

/** The HTTP status, body and headers the SDK was refused with; fails when it was not refused. */
export async function refusal(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    if (!(error instanceof Response)) throw error;
    const body = await error.json();
    if (!Number.isInteger(body.code) || typeof body.message !== "string") {
      throw new Error(`not an error body: ${JSON.stringify(body)}`);
    }
    return { status: error.status, body, headers: error.headers };
  }
  throw new Error(`was not refused: ${JSON.stringify(value)}`);
}

/** Events that can be waited for: each is taken once, in the order they came. */
export class Mailbox {
  #events = [];
  #takers = [];

  put(event) {
    const taker = this.#takers.shift();
    if (taker) taker(event);
    else this.#events.push(event);
  }

  take() {
    if (this.#events.length) return Promise.resolve(this.#events.shift());
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  get size() {
    return this.#events.length;
  }
}

/** A connected SDK socket with its presence events and its end. */
export async function connect(client, session, online = true, adapter = new WebSocketAdapterText()) {
  const socket = client.createSocket(false, false, adapter);
  const presences = new Mailbox();
  const ended = new Promise((resolve) => (socket.ondisconnect = resolve));
  socket.onstatuspresence = (event) => presences.put(event);
  await socket.connect(session, online);
  return { socket, presences, ended };
}

/** Waits as long as a server asked for. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
