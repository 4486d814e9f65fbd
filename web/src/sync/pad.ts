import type { UserId } from "@lescopains/protocol/ids";
import type * as Engine from "@lescopains/e2ee/pad";
import { fromBase64, toBase64 } from "../keys/base64.ts";
import type { KeysPort } from "../keys/port.ts";
import type { KeyValueStore } from "./ports.ts";

/**
 * What is typed in direct conversations, on the disk at once and sealed.
 *
 * The device keeps its database in a worker, whose answer comes later: a tab that is killed meanwhile would lose what was written. The
 * page's own storage is written before the next line runs, and readable to anyone who has the disk; so the device gives the page a
 * key for it (`pad:key`). Until that is there nothing is read or written.
 */
export interface Pad extends KeyValueStore {
  /** Answers when the device gave the key, or did not. */
  readonly open: () => Promise<void>;
  /** Runs `task` as soon as the pad can be read and written. */
  readonly whenOpen: (task: () => void) => void;
}

export interface PadDeps {
  readonly selfId: UserId;
  readonly keys: KeysPort;
  readonly storage: KeyValueStore;
}

interface Sealer {
  readonly seal: (place: string, text: string) => string;
  /** `undefined`: damaged, or of another key. */
  readonly open: (place: string, sealed: string) => string | undefined;
}

export function createPad({ selfId, keys, storage }: PadDeps): Pad {
  const prefix = `lescopains:pad:${selfId}:`;
  let sealer: Sealer | undefined;
  let opening: Promise<void> | undefined;
  let forgotten = false;
  let waiting: (() => void)[] = [];

  async function begin(): Promise<void> {
    try {
      // The cipher comes with the first direct conversation: most of the page does without.
      const [key, engine] = await Promise.all([keys.ask("pad:key", {}), import("@lescopains/e2ee/pad")]);
      if (forgotten) return;
      sealer = sealerOf(engine, key);
    } catch {
      opening = undefined;
      return;
    }
    for (const task of waiting.splice(0)) task();
  }

  async function open(): Promise<void> {
    if (!forgotten) await (opening ??= begin());
  }

  keys.on("device", ({ kind }) => {
    if (kind === "ready") void open();
  });
  keys.on("forgotten", () => {
    forgotten = true;
    sealer = undefined;
    waiting = [];
    for (const key of storage.keys()) if (key.startsWith(prefix)) storage.remove(key);
  });

  return {
    open,
    whenOpen(task) {
      if (sealer === undefined) waiting.push(task);
      else task();
    },
    get(key) {
      const sealed = storage.get(prefix + key);
      if (sealed === undefined || sealer === undefined) return undefined;
      const text = sealer.open(prefix + key, sealed);
      if (text === undefined) storage.remove(prefix + key);
      return text;
    },
    set: (key, text) => sealer !== undefined && storage.set(prefix + key, sealer.seal(prefix + key, text)),
    remove: (key) => storage.remove(prefix + key),
    keys: () =>
      storage
        .keys()
        .filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(prefix.length)),
  };
}

function sealerOf({ openNote, sealNote }: typeof Engine, key: Uint8Array): Sealer {
  const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
  return {
    seal: (place, text) => toBase64(sealNote(random, key, place, text)),
    open(place, sealed) {
      try {
        return openNote(key, place, fromBase64(sealed));
      } catch {
        return undefined;
      }
    },
  };
}
