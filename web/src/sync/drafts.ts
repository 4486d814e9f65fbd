import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import * as v from "valibot";
import { perId } from "./per-id.ts";
import type { Clock, KeyValueStore } from "./ports.ts";

/** Texts typed and not sent, one for each conversation, kept over reloads. */
export interface Drafts {
  readonly of: (channelId: ChannelId) => ReadonlySignal<string>;
  readonly set: (channelId: ChannelId, text: string) => void;
  /** Writes down what is not yet kept. */
  readonly flush: () => void;
}

/** More kept drafts than this, and the oldest goes. */
const KEPT_MAX = 100;
const WRITE_AFTER_MS = 300;

const KeptDraft = v.pipe(v.string(), v.parseJson(), v.object({ text: v.string(), atMs: v.number() }));

export function createDrafts(userId: UserId, storage: KeyValueStore, clock: Clock): Drafts {
  const prefix = `lescopains:draft:${userId}:`;
  const unwritten = new Set<ChannelId>();
  let cancelWrite: (() => void) | undefined;

  const of = perId<ChannelId, Signal<string>>((channelId) => signal(kept(prefix + channelId)?.text ?? ""));

  function kept(key: string): v.InferOutput<typeof KeptDraft> | undefined {
    const parsed = v.safeParse(KeptDraft, storage.get(key) ?? "");
    return parsed.success ? parsed.output : undefined;
  }

  function flush(): void {
    cancelWrite?.();
    cancelWrite = undefined;
    for (const channelId of unwritten) {
      const text = of(channelId).peek();
      if (text === "") storage.remove(prefix + channelId);
      else storage.set(prefix + channelId, JSON.stringify({ text, atMs: clock.now() }));
    }
    unwritten.clear();
    const keys = storage.keys().filter((key) => key.startsWith(prefix));
    if (keys.length <= KEPT_MAX) return;
    const byAge = keys.toSorted((a, b) => (kept(a)?.atMs ?? 0) - (kept(b)?.atMs ?? 0));
    for (const key of byAge.slice(0, keys.length - KEPT_MAX)) storage.remove(key);
  }

  return {
    of,
    set(channelId, text) {
      const draft = of(channelId);
      if (draft.peek() === text) return;
      draft.value = text;
      unwritten.add(channelId);
      // A sent or emptied draft must not come back after a crash.
      if (text === "") flush();
      else cancelWrite ??= clock.after(WRITE_AFTER_MS, flush);
    },
    flush,
  };
}

/** Drafts that end with the page: what is typed in a direct conversation is never written down unsealed. */
export function createPassingDrafts(): Drafts {
  const of = perId<ChannelId, Signal<string>>(() => signal(""));
  return {
    of,
    set(channelId, text) {
      of(channelId).value = text;
    },
    flush() {},
  };
}
