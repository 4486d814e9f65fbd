/** The worker that holds the keys: the device of keys.ts on a real browser. Loaded when someone is signed in. */
import type { Argon2id } from "@lescopains/e2ee/vault/passphrase";
import { webCryptoCurve } from "@lescopains/e2ee/platform";
import { webCryptoSha512 } from "@lescopains/e2ee/safety-number/sha512";
import type { UserId } from "@lescopains/protocol/ids";
import { deleteDB } from "idb";
import { ApiError } from "../net/api-error.ts";
import type { Locks } from "../sync/ports.ts";
import { createKeys, type Feed, type Keys } from "./keys.ts";
import { asRefusal, type Change, type Kit, refusal } from "./kit.ts";
import type { FromPage, FromWorker } from "./link.ts";
import { databaseName, openKeysDatabase } from "./store/database.ts";
import { openStore, reading } from "./store/store.ts";

let keys: Keys | undefined;
let lastId = 0;
const asked = new Map<
  number,
  { readonly resolve: (answer: never) => void; readonly reject: (error: ApiError) => void }
>();

function toPage(message: FromWorker): void {
  postMessage(message);
}

/** Asks the page to ask the server: it has the connection and the access token. */
function serve<T>(message: (id: number) => FromWorker): Promise<T> {
  lastId += 1;
  const id = lastId;
  return new Promise<T>((resolve, reject) => {
    asked.set(id, { resolve, reject });
    toPage(message(id));
  });
}

const server = {
  call: (name: string, args?: unknown) => serve((id) => ({ kind: "call", id, name, args })),
  emit: (event: string, body: unknown) => serve((id) => ({ kind: "emit", id, event, body })),
} as Kit["server"];

const locks: Locks = {
  exclusive: async (name, task) => await navigator.locks.request(name, task),
  ifFree: async (name, task) =>
    await navigator.locks.request(name, { ifAvailable: true }, async (lock) =>
      lock === null ? undefined : await task(),
    ),
  hold: () => () => undefined,
};

/** Loaded when somebody has a passphrase: most people never do. */
const argon2id: Argon2id = async (password, { memoryKiB, iterations, parallelism, salt }, length) => {
  const { argon2id: derive } = await import("hash-wasm");
  return await derive({
    password,
    salt,
    parallelism,
    iterations,
    memorySize: memoryKiB,
    hashLength: length,
    outputType: "binary",
  });
};

async function start(selfId: UserId, deviceName: string): Promise<Keys> {
  const subtle: SubtleCrypto | undefined = globalThis.crypto.subtle;
  const name = databaseName(selfId);
  const channel = new BroadcastChannel(name);
  const curve = subtle === undefined ? undefined : await webCryptoCurve(subtle);
  const made = createKeys({
    selfId,
    deviceName,
    async openStore() {
      if (curve === undefined) throw refusal("insecure_context", "cryptography needs https or localhost");
      await navigator.storage?.persist?.().catch(() => false);
      const database = await reading(() => openKeysDatabase(name, () => undefined));
      return await reading(() => openStore(database, subtle, locks, `lescopains:keys:${selfId}`));
    },
    deleteStore: async () => await deleteDB(name),
    server,
    platform: {
      random: (length) => crypto.getRandomValues(new Uint8Array(length)),
      // Without cryptography nothing is opened, and this is never asked.
      curve: curve as NonNullable<typeof curve>,
    },
    subtle,
    clock: {
      now: () => Date.now(),
      after(delayMs, task) {
        const timer = setTimeout(task, delayMs);
        return () => clearTimeout(timer);
      },
    },
    locks,
    sha512: webCryptoSha512(subtle),
    argon2id,
    tell: (event, body) => toPage({ kind: "event", name: event, event: body } as FromWorker),
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a BroadcastChannel has none
    share: (change) => channel.postMessage(change),
  });
  channel.addEventListener("message", ({ data }: MessageEvent<Change>) => made.changed(data));
  return made;
}

let started: Promise<Keys> | undefined;

async function answer(id: number, ask: (ready: Keys) => Promise<unknown>): Promise<void> {
  try {
    const ready = await started;
    if (ready === undefined) throw refusal("not_ready", "not started");
    toPage({ kind: "answer", id, answer: await ask(ready) });
  } catch (error) {
    toPage({ kind: "refusal", id, refusal: asRefusal(error) });
  }
}

addEventListener("message", ({ data }: MessageEvent<FromPage>) => {
  switch (data.kind) {
    case "start":
      started = start(data.selfId, data.deviceName);
      started.then(
        (made) => {
          keys = made;
        },
        (error: unknown) => {
          toPage({ kind: "event", name: "device", event: { kind: "failed", refusal: asRefusal(error) } });
        },
      );
      break;
    case "ask":
      void answer(data.id, (ready) => ready.ask(data.name, data.question as never));
      break;
    case "feed":
      // In the order of arrival: what came before the start waits for it.
      void started?.then((ready) => ready.feed(data.name, data.body as Feed[typeof data.name]));
      break;
    case "served":
      asked.get(data.id)?.resolve(data.answer as never);
      asked.delete(data.id);
      break;
    case "unserved":
      asked.get(data.id)?.reject(new ApiError(data.error));
      asked.delete(data.id);
      break;
    case "close":
      keys?.close();
      close();
  }
});
