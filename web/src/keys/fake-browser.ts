/** Browsers with real cryptography and storage, on a network that a test controls. */
import "fake-indexeddb/auto";
import { utf8 } from "@lescopains/e2ee/bytes";
import { hkdf } from "@lescopains/e2ee/primitives/kdf";
import type { DeviceId } from "@lescopains/protocol/device-list";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { nobleCurve, webCryptoCurve } from "@lescopains/e2ee/platform";
import { nobleSha512 } from "@lescopains/e2ee/safety-number/sha512";
import { deleteDB } from "idb";
import { unavailable } from "../net/api-error.ts";
import { FakeLocks } from "../sync/fakes.ts";
import type { Clock } from "../sync/ports.ts";
import { type Connection, type FakeKeysServer, portOf } from "./fake-server.ts";
import { createKeys, type Keys } from "./keys.ts";
import type { Kit } from "./kit.ts";
import type { DmContent, DmMessage, KeysEvent, KeysEvents, KeysPort } from "./port.ts";
import { type KeysDatabase, openKeysDatabase } from "./store/database.ts";
import { openStore, reading } from "./store/store.ts";

/** Waits of minutes take some of a second. */
const FASTER = 100;

const beganMs = Date.now();
const fastClock: Clock = {
  now: () => beganMs + (Date.now() - beganMs) * FASTER,
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs / FASTER);
    return () => clearTimeout(timer);
  },
};

export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`it never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
}

/** What the network does to what is sent. */
export interface Weather {
  readonly random: () => number;
  /** Shares between 0 and 1. */
  readonly lostAnswers: number;
  readonly lostEvents: number;
  readonly doubledEvents: number;
  readonly lateEvents: number;
}

const calm: Weather = { random: () => 1, lostAnswers: 0, lostEvents: 0, doubledEvents: 0, lateEvents: 0 };

let browsers = 0;

/** One browser of one person: it may be closed, killed and opened again; its database stays. */
export class FakeBrowser {
  readonly server: FakeKeysServer;
  readonly userId: UserId;
  session: string;
  readonly databaseName: string;
  weather: Weather = calm;
  /** From the next opening on. */
  clock: Clock = fastClock;
  /** Counted down at each thing that is waited for; the browser is killed at 0. */
  killIn = Infinity;
  /** Storage that fails, for tests of what is said then. */
  brokenStorage = false;
  keys: Keys | undefined;
  dead = false;
  readonly events: { readonly name: KeysEvent; readonly event: unknown }[] = [];
  /** REST calls, by name. */
  readonly calls: string[] = [];
  private held: { readonly name: string; readonly until: Promise<void> } | undefined;
  private readonly listeners = new Map<KeysEvent, Set<(event: never) => void>>();
  private connection: Connection | undefined;
  private database: KeysDatabase | undefined;
  private readonly locks: { current: FakeLocks };
  /** Tabs of one browser have one database, one sign-in, one set of locks, and hear each other. */
  private readonly tabs: Set<FakeBrowser>;

  constructor(server: FakeKeysServer, userId: UserId, beside?: FakeBrowser) {
    browsers += 1;
    this.server = server;
    this.userId = userId;
    this.session = beside?.session ?? `session-${browsers}`;
    this.databaseName = beside?.databaseName ?? `keys-${userId}-${browsers}`;
    this.locks = beside?.locks ?? { current: new FakeLocks() };
    this.tabs = beside?.tabs ?? new Set();
    this.tabs.add(this);
  }

  async open(): Promise<this> {
    this.dead = false;
    this.offline = false;
    if (this.tabs.size === 1) this.locks.current = new FakeLocks();
    const life = { dead: false };
    const step = async (): Promise<void> => {
      if (life.dead) await new Promise(() => undefined);
      this.killIn -= 1;
      if (this.killIn > 0) return;
      this.killIn = Infinity;
      this.kill();
      await new Promise(() => undefined);
    };
    this.die = () => {
      life.dead = true;
    };
    const { weather } = this;
    const connection: Connection = {
      userId: this.userId,
      session: this.session,
      deviceId: null,
      push: (name, body) => {
        const deliver = (): void => {
          if (!life.dead && this.connection === connection) this.keys?.feed(name, structuredClone(body));
        };
        if (name !== "ready" && weather.random() < weather.lostEvents) return;
        const times = weather.random() < weather.doubledEvents ? 2 : 1;
        const delayMs = weather.random() < weather.lateEvents ? weather.random() * 8 : 0;
        for (let time = 0; time < times; time += 1) setTimeout(deliver, delayMs * (time + 1));
      },
    };
    const port = portOf(this.server, connection);
    const through = async <T>(ask: () => Promise<T>): Promise<T> => {
      await step();
      if (this.connection !== connection) throw unavailable("not connected");
      if (weather.random() < weather.lostAnswers / 2) throw unavailable("lost on the way");
      const answer = await ask();
      await step();
      if (weather.random() < weather.lostAnswers) throw unavailable("the answer was lost");
      return answer;
    };
    const curve = await webCryptoCurve(crypto.subtle).catch(() => nobleCurve);
    const { subtle } = crypto;
    const counted = new Proxy(subtle, {
      get(target, name: keyof SubtleCrypto) {
        const method = target[name] as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          await step();
          return await method.apply(target, args);
        };
      },
    });
    this.connection = connection;
    this.keys = createKeys({
      selfId: this.userId,
      deviceName: "a browser",
      openStore: async () => {
        const database = await reading(() => openKeysDatabase(this.databaseName, () => undefined));
        this.database = database;
        const faulty = new Proxy(database, {
          get: (target, name) => {
            if (this.brokenStorage && (name === "get" || name === "getAll")) {
              return async () => {
                throw new DOMException("broken", "UnknownError");
              };
            }
            const member: unknown = Reflect.get(target, name);
            return typeof member === "function" ? member.bind(target) : member;
          },
        });
        return await reading(() => openStore(faulty, counted, this.locks.current, "keys"));
      },
      deleteStore: async () => await deleteDB(this.databaseName),
      server: {
        call: ((name: never, args: never) => {
          this.calls.push(name);
          return through(() => this.answered(name, () => port.call(name, args)));
        }) as unknown as Kit["server"]["call"],
        emit: ((event: never, body: never) =>
          through(async () => {
            if (!this.server.connections.has(connection)) throw unavailable("not connected");
            return await this.answered(event, () => port.emit(event, body));
          })) as unknown as Kit["server"]["emit"],
      },
      platform: { random: (length) => crypto.getRandomValues(new Uint8Array(length)), curve },
      subtle,
      clock: this.clock,
      locks: this.locks.current,
      sha512: nobleSha512(() => Promise.resolve()),
      // Quick, and as sensitive to what goes in: the library itself takes half a second and is not what is tested here.
      argon2id: async (password, { salt }, length) => hkdf(password, salt, utf8("quick"), length),
      tell: (name, event) => {
        if (life.dead) return;
        this.events.push({ name, event });
        for (const listener of this.listeners.get(name) ?? []) listener(event as never);
        if (name !== "device") return;
        const state = event as KeysEvents["device"];
        if (state.kind === "ready") {
          this.hint = state.deviceId;
          if (connection.deviceId !== state.deviceId && !this.offline) this.reconnect();
        } else if (state.kind !== "starting" && state.kind !== "failed") {
          this.hint = null;
        }
      },
      share: (change) => {
        for (const tab of this.tabs) if (tab !== this && !life.dead) tab.keys?.changed(structuredClone(change));
      },
    });
    this.connect(this.hint);
    return this;
  }

  /** What the page keeps: the device that the next connection names at once. */
  private hint: DeviceId | null = null;
  private die: () => void = () => undefined;
  private offline = false;

  private async answered<T>(name: string, ask: () => Promise<T>): Promise<T> {
    const answer = await ask();
    if (this.held?.name === name) await this.held.until;
    return answer;
  }

  /** Holds what the server answers by this name on its way, until what it answers is called. What is asked after that is not held. */
  hold(name: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.held = { name, until: promise };
    return () => {
      this.held = undefined;
      resolve();
    };
  }

  private connect(wanted: DeviceId | null): void {
    if (this.connection !== undefined) this.server.connect(this.connection, wanted);
  }

  /** A new connection, which names the device. */
  reconnect(): void {
    this.offline = false;
    if (this.dead || this.connection === undefined || this.hint === null) return;
    this.server.connections.delete(this.connection);
    this.keys?.feed("lost", null);
    this.connect(this.hint);
  }

  /** Until `reconnect`. */
  goOffline(): void {
    this.offline = true;
    if (this.connection === undefined) return;
    this.server.connections.delete(this.connection);
    this.keys?.feed("lost", null);
  }

  /** As when the process is killed: whatever was on its way stops where it is. */
  kill(): void {
    this.dead = true;
    this.die();
    if (this.connection !== undefined) this.server.connections.delete(this.connection);
    this.connection = undefined;
    this.database?.close();
    // Nothing of it has an effect any more; this only keeps it from saying that its database is gone.
    this.keys?.close();
  }

  async reopen(): Promise<this> {
    if (!this.dead) this.kill();
    await new Promise((resolve) => setTimeout(resolve, 5));
    return await this.open();
  }

  last<N extends KeysEvent>(name: N): KeysEvents[N] | undefined {
    return this.events.findLast((one) => one.name === name)?.event as KeysEvents[N] | undefined;
  }

  get port(): Keys {
    if (this.keys === undefined) throw new Error("the browser is not open");
    return this.keys;
  }

  /** As a page has it. */
  get pagePort(): KeysPort {
    return {
      ask: async (name, question) => await this.port.ask(name, question),
      on: (name, listener) => {
        const of = this.listeners.get(name) ?? new Set();
        this.listeners.set(name, of);
        of.add(listener);
        return () => void of.delete(listener);
      },
    };
  }

  async ready(): Promise<this> {
    await until("the device is ready and connected", async () => {
      return this.last("device")?.kind === "ready" && this.connection?.deviceId != null;
    });
    return this;
  }

  async send(channelId: ChannelId, content: string | DmContent, nonce: string = crypto.randomUUID()): Promise<string> {
    const what: DmContent = typeof content === "string" ? { kind: "text", text: content, replyTo: null } : content;
    await this.port.ask("dm:send", { channelId, nonce, content: what });
    return nonce;
  }

  async messages(channelId: ChannelId): Promise<readonly DmMessage[]> {
    return (await this.port.ask("dm:history", { channelId, limit: 1_000 })).messages;
  }

  /** What its person reads, in order; what cannot be read as its reason. */
  async words(channelId: ChannelId): Promise<string[]> {
    return (await this.messages(channelId)).map(({ content, unreadable, deleted }) => {
      if (deleted) return "(deleted)";
      return unreadable === null ? content : `(${unreadable.kind})`;
    });
  }

  async reads(channelId: ChannelId, words: readonly string[]): Promise<void> {
    let now: string[] = [];
    await until(`${this.databaseName} reads ${words.join(", ").slice(0, 200)}`, async () => {
      now = await this.words(channelId);
      return JSON.stringify(now) === JSON.stringify(words);
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}; it reads ${now.join(", ").slice(0, 400)}`, { cause: error });
    });
  }
}
