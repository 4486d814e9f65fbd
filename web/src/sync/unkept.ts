import { ChannelId } from "@lescopains/protocol/ids";
import * as v from "valibot";
import { KeysError, type KeysErrorCode, type KeysPort } from "../keys/port.ts";
import { DmContent } from "../keys/dm-content.ts";
import type { Pad } from "./pad.ts";
import type { Clock } from "./ports.ts";

/** What was written and the device has not said that it keeps: on the pad before the device is asked, and gone from it after. */
export interface Unkept {
  /**
   * Has the device keep and send it. Written down when this returns, before anything is waited for; the answer comes when the device
   * keeps it.
   * @throws KeysError
   */
  readonly send: (channelId: ChannelId, nonce: string, content: DmContent) => Promise<void>;
  /** It is given up. */
  readonly discard: (nonce: string) => void;
}

const Entry = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ channelId: ChannelId, content: DmContent, writtenAtMs: v.number() }),
);
type Entry = v.InferOutput<typeof Entry>;

/** The device would refuse it again. */
const LASTING: ReadonlySet<KeysErrorCode> = new Set(["too_long", "not_found", "not_yours"]);
const PREFIX = "unkept:";

/**
 * What an earlier page left is given to the device when it is ready, before anything that is written now. It may be another tab that
 * lives, and the device may have sent it long ago: the nonce tells it, and it is one message all the same.
 */
export function createUnkept(keys: KeysPort, pad: Pad, clock: Clock): Unkept {
  /** Of this page, asked and not answered. */
  const own = new Map<string, Entry>();
  let lastMs = 0;
  const left = Promise.withResolvers<void>();
  let earlier: Promise<void> | undefined = leftOver().length > 0 ? left.promise : undefined;

  function leftOver(): string[] {
    const nonces = pad.keys().flatMap((key) => (key.startsWith(PREFIX) ? [key.slice(PREFIX.length)] : []));
    return nonces.filter((nonce) => !own.has(nonce));
  }

  function read(nonce: string): readonly [string, Entry][] {
    const parsed = v.safeParse(Entry, pad.get(PREFIX + nonce) ?? "");
    return parsed.success ? [[nonce, parsed.output]] : [];
  }

  async function ask(nonce: string, { channelId, content }: Entry, again: { readonly writtenAtMs?: number }) {
    try {
      await keys.ask("dm:send", { channelId, nonce, content, ...again });
      pad.remove(PREFIX + nonce);
    } catch (thrown) {
      if (thrown instanceof KeysError && LASTING.has(thrown.code)) pad.remove(PREFIX + nonce);
      throw thrown;
    }
  }

  async function giveAgain(): Promise<void> {
    await pad.open();
    const entries = leftOver().flatMap(read);
    for (const [nonce, entry] of entries.toSorted(([, a], [, b]) => a.writtenAtMs - b.writtenAtMs)) {
      // Given up, or kept by then.
      if (!leftOver().includes(nonce)) continue;
      // What is refused for now is given again when the device is ready the next time.
      await ask(nonce, entry, { writtenAtMs: entry.writtenAtMs }).catch(() => undefined);
    }
    left.resolve();
    earlier = undefined;
  }

  keys.on("device", ({ kind }) => {
    if (kind === "ready") void giveAgain();
  });
  pad.whenOpen(() => {
    for (const [nonce, entry] of own) pad.set(PREFIX + nonce, JSON.stringify(entry));
  });

  return {
    async send(channelId, nonce, content) {
      // Two of one millisecond keep their order.
      lastMs = Math.max(lastMs + 1, clock.now());
      const entry = { channelId, content, writtenAtMs: lastMs };
      own.set(nonce, entry);
      pad.set(PREFIX + nonce, JSON.stringify(entry));
      try {
        if (earlier !== undefined) await earlier;
        await ask(nonce, entry, {});
      } finally {
        own.delete(nonce);
      }
    },
    discard: (nonce) => pad.remove(PREFIX + nonce),
  };
}
