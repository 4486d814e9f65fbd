/** The ports of `ports.ts` and a wire, driven by hand: for tests. */
import type { KeysEvent, KeysEvents, KeysPort, KeysRequest } from "../keys/port.ts";
import type { OpenWire, WireEvents } from "../net/wire.ts";
import type { Beats, Clock, KeyValueStore, Locks, Page } from "./ports.ts";

/** Lets everything that waits for promises run. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 40; round += 1) await Promise.resolve();
}

export class FakeClock implements Clock {
  private nowMs = Date.UTC(2026, 10, 22);
  private readonly tasks = new Set<{ readonly atMs: number; readonly task: () => void }>();

  readonly now = (): number => this.nowMs;
  readonly after = (delayMs: number, task: () => void): (() => void) => {
    const entry = { atMs: this.nowMs + delayMs, task };
    this.tasks.add(entry);
    return () => this.tasks.delete(entry);
  };

  /** The machine sleeps: time goes on, and nothing runs. */
  sleep(forMs: number): void {
    this.nowMs += forMs;
  }

  /** Moves time on, running what is due in order. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.nowMs + byMs;
    for (;;) {
      await settle();
      const due = [...this.tasks].filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.tasks.delete(due);
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.task();
    }
    this.nowMs = untilMs;
    await settle();
  }
}

/** Locks of one browser; give the same to several tabs. */
export class FakeLocks implements Locks {
  /** The end of whoever asked last, while somebody holds it. */
  private readonly tails = new Map<string, Promise<void>>();

  readonly exclusive = async <T>(name: string, task: () => Promise<T>): Promise<T> => {
    const run = (this.tails.get(name) ?? Promise.resolve()).then(task);
    const free = (): void => {
      if (this.tails.get(name) === tail) this.tails.delete(name);
    };
    const tail: Promise<void> = run.then(free, free);
    this.tails.set(name, tail);
    return await run;
  };
  readonly ifFree = async <T>(name: string, task: () => Promise<T>): Promise<T | undefined> =>
    this.tails.has(name) ? undefined : await this.exclusive(name, task);
  readonly hold = (name: string): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    void this.exclusive(name, () => promise);
    return resolve;
  };
}

export class FakeStorage implements KeyValueStore {
  readonly entries = new Map<string, string>();
  full = false;
  readonly get = (key: string): string | undefined => this.entries.get(key);
  readonly set = (key: string, value: string): boolean => {
    if (this.full) return false;
    this.entries.set(key, value);
    return true;
  };
  readonly remove = (key: string): void => {
    this.entries.delete(key);
  };
  readonly keys = (): readonly string[] => [...this.entries.keys()];
}

export class FakePage implements Page {
  private readonly listeners = new Set<() => void>();
  private state = { attentive: true, visible: true, online: true };

  readonly attentive = (): boolean => this.state.attentive;
  readonly visible = (): boolean => this.state.visible;
  readonly online = (): boolean => this.state.online;
  readonly onChange = (task: () => void): (() => void) => {
    this.listeners.add(task);
    return () => this.listeners.delete(task);
  };
  change(to: Partial<typeof this.state>): void {
    this.state = { ...this.state, ...to };
    for (const task of this.listeners) task();
  }
}

/** A device whose answers and events the test decides. */
export class FakePort implements KeysPort {
  readonly asked: { readonly name: KeysRequest; readonly question: unknown }[] = [];
  answer: (name: KeysRequest, question: never) => unknown = () => ({});
  private readonly listeners = new Map<KeysEvent, ((event: never) => void)[]>();

  readonly ask: KeysPort["ask"] = async (name, question) => {
    this.asked.push({ name, question });
    return (await this.answer(name, question as never)) as never;
  };
  readonly on: KeysPort["on"] = (name, listener) => {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
    return () => undefined;
  };
  tell<N extends KeysEvent>(name: N, event: KeysEvents[N]): void {
    for (const listener of this.listeners.get(name) ?? []) listener(event as never);
  }
  questions(name: KeysRequest): unknown[] {
    return this.asked.filter((one) => one.name === name).map(({ question }) => question);
  }
}

/** Beats on the fake clock. */
export function fakeBeats(clock: Clock): Beats {
  return {
    every(periodMs, task) {
      let cancel = clock.after(periodMs, beat);
      function beat(): void {
        cancel = clock.after(periodMs, beat);
        task();
      }
      return () => cancel();
    },
  };
}

/** How a test answers a request of the wire: an answer, or nothing at all. */
export type Answering = (event: string, body: unknown) => unknown;

/** The far end of a wire, held by the test. */
export class FakeWire {
  events: WireEvents | undefined;
  isOpen = false;
  readonly tokens: string[] = [];
  readonly sent: string[] = [];
  readonly requests: { readonly event: string; readonly body: unknown }[] = [];
  /** Answers requests; throwing or a promise that never ends are answers too. */
  answer: Answering = () => ({ ok: true });
  private lose: (() => void)[] = [];

  readonly open: OpenWire = (events) => {
    this.events = events;
    return {
      open: (token) => {
        this.tokens.push(token);
        this.isOpen = true;
      },
      close: () => this.drop(),
      send: (event) => {
        this.sent.push(event);
      },
      request: async (event, body) => {
        this.requests.push({ event, body });
        const lost = new Promise<never>((_, reject) => {
          this.lose.push(() => reject(new Error("lost")));
        });
        return await Promise.race([this.answer(event, body), lost]);
      },
    };
  };

  private drop(): void {
    this.isOpen = false;
    for (const lose of this.lose.splice(0)) lose();
  }

  /** The server or the network ends it. */
  cut(closeCode?: number): void {
    this.drop();
    this.events?.lost(closeCode);
  }

  refuse(reason: unknown): void {
    this.drop();
    this.events?.refused(reason);
  }

  push(name: string, body: unknown): void {
    this.events?.event(name, body);
  }

  /** Bodies of the requests of one event. */
  bodies(event: string): unknown[] {
    return this.requests.filter((request) => request.event === event).map(({ body }) => body);
  }
}
