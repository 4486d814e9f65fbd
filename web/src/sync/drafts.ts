import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import * as v from "valibot";
import type { Pad } from "./pad.ts";
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
  return draftsIn(storage, clock, `lescopains:draft:${userId}:`, () => undefined);
}

/** Of direct conversations: sealed, and in memory only until the pad can be written. */
export function createSealedDrafts(pad: Pad, clock: Clock): Drafts {
  return draftsIn(pad, clock, "draft:", pad.whenOpen);
}

function draftsIn(storage: KeyValueStore, clock: Clock, prefix: string, later: (task: () => void) => void): Drafts {
  const drafts = new Map<ChannelId, Signal<string>>();
  const unwritten = new Set<ChannelId>();
  let cancelWrite: (() => void) | undefined;

  function of(channelId: ChannelId): Signal<string> {
    const known = drafts.get(channelId);
    if (known !== undefined) return known;
    const made = signal(kept(prefix + channelId)?.text ?? "");
    drafts.set(channelId, made);
    return made;
  }

  function kept(key: string): v.InferOutput<typeof KeptDraft> | undefined {
    const parsed = v.safeParse(KeptDraft, storage.get(key) ?? "");
    return parsed.success ? parsed.output : undefined;
  }

  function write(channelId: ChannelId): boolean {
    const text = of(channelId).peek();
    if (text !== "") return storage.set(prefix + channelId, JSON.stringify({ text, atMs: clock.now() }));
    storage.remove(prefix + channelId);
    return true;
  }

  function flush(): void {
    cancelWrite?.();
    cancelWrite = undefined;
    for (const channelId of unwritten) if (write(channelId)) unwritten.delete(channelId);
    const keys = storage.keys().filter((key) => key.startsWith(prefix));
    if (keys.length <= KEPT_MAX) return;
    const byAge = keys.toSorted((a, b) => (kept(a)?.atMs ?? 0) - (kept(b)?.atMs ?? 0));
    for (const key of byAge.slice(0, keys.length - KEPT_MAX)) storage.remove(key);
  }

  later(() => {
    // What was typed meanwhile is the draft now.
    for (const [channelId, draft] of drafts) {
      if (!unwritten.has(channelId)) draft.value = kept(prefix + channelId)?.text ?? "";
    }
    flush();
  });

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
