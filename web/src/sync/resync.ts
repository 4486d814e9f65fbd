import type { Message } from "@lescopains/protocol/entities";
import type { ChannelId, Seq } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { batch } from "@preact/signals";
import type { Socket } from "../net/socket.ts";
import { asApiError } from "../net/api-error.ts";
import { backoffMs } from "./backoff.ts";
import type { ConversationShell } from "./conversation.ts";
import type { Clock } from "./ports.ts";

/** Fills holes: one `sync` for all conversations that miss something, again until nothing is missing. */
export interface Resync {
  /** A hole was seen. It often closes by itself within moments, so the question waits that long. */
  readonly want: () => void;
  /** After a reconnect: every conversation that holds messages, whether or not a hole shows. */
  readonly all: () => void;
  readonly close: () => void;
}

export interface ResyncDeps {
  readonly socket: Pick<Socket, "emit">;
  readonly connected: () => boolean;
  readonly conversations: () => readonly ConversationShell[];
  /** Messages that a `sync` brought, for whoever counts them. */
  readonly noteMessages: (messages: readonly Message[]) => void;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Events of one batch may overtake each other by this much. */
const GRACE_MS = 80;
/** A conversation in view that is further behind than this many answers is loaded anew instead. */
const ROUNDS_MAX = 10;

export function createResync(deps: ResyncDeps): Resync {
  let running = false;
  let failures = 0;
  let cancel: (() => void) | undefined;
  const rounds = new Map<ChannelId, number>();

  function schedule(delayMs: number): void {
    if (running || cancel !== undefined) return;
    cancel = deps.clock.after(delayMs, () => {
      cancel = undefined;
      void run((conversation) => conversation.missing());
    });
  }

  async function run(from: (conversation: ConversationShell) => Seq | undefined): Promise<void> {
    if (running || !deps.connected()) return;
    const asked = new Map<ConversationShell, Seq>();
    for (const conversation of deps.conversations()) {
      const after = from(conversation);
      if (after !== undefined && asked.size < LIMITS.syncChannels) asked.set(conversation, after);
    }
    if (asked.size === 0) return;
    running = true;
    let progress = false;
    try {
      const channels = Object.fromEntries([...asked].map(([{ channelId }, after]) => [channelId, after]));
      const answer = await deps.socket.emit("sync", { channels });
      failures = 0;
      batch(() => {
        for (const [conversation, after] of asked) {
          const part = answer.channels[conversation.channelId];
          if (part !== undefined) deps.noteMessages(part.messages);
          const told = (rounds.get(conversation.channelId) ?? 0) + 1;
          if (part === undefined || (part.more && (told > ROUNDS_MAX || !conversation.isOpen()))) {
            conversation.reset();
          } else {
            conversation.applySync(part, after);
          }
          if (part?.more === true) rounds.set(conversation.channelId, told);
          else rounds.delete(conversation.channelId);
          if (conversation.position() !== after) progress = true;
        }
      });
    } catch (thrown) {
      failures += 1;
      const { retryAfterMs } = asApiError(thrown);
      running = false;
      schedule(retryAfterMs ?? backoffMs(failures, deps.random));
      return;
    }
    running = false;
    // Without progress there is nothing to hurry for: the server knows no more than we do.
    if (deps.conversations().some((conversation) => conversation.missing() !== undefined)) {
      schedule(progress ? 0 : backoffMs(4, deps.random));
    }
  }

  return {
    want: () => schedule(GRACE_MS),
    all() {
      cancel?.();
      cancel = undefined;
      rounds.clear();
      void run((conversation) => conversation.position());
    },
    close: () => cancel?.(),
  };
}
