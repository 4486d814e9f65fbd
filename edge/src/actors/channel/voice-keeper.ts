import type { AnyDown } from "@lescopains/protocol/down";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import type { PermissionBits } from "@lescopains/protocol/permissions";
import { type Database, DatabaseError } from "../../db/port.ts";
import type { Env } from "../../platform/env.ts";
import { log } from "../../platform/logger.ts";
import { type Outcome, refuse } from "@lescopains/protocol/outcome";
import { TaskQueue } from "../../platform/task-queue.ts";
import type { Loaded } from "./loaded.ts";
import type { Rights } from "./rights.ts";
import { Roster } from "./roster.ts";

export interface VoiceOptions {
  readonly id: ChannelId;
  readonly db: Database;
  readonly env: Env;
  readonly rights: Rights;
  /** The channel; null when there is none. */
  readonly channel: () => Promise<Loaded | null>;
  /** Tells those who may view the channel. What is told first arrives first. */
  readonly tell: (channel: Loaded, events: readonly AnyDown[]) => void;
}

/** One change of a roster: decides, stores, tells. Only one runs at a time. */
type Change<T> = (roster: Roster, channel: Loaded) => Promise<Outcome<T>>;

const NO_CHANNEL = refuse("not_found", "no such channel");
const UNAVAILABLE = refuse("unavailable", "voice is not reachable now", { retryAfterMs: 2_000 });
const ELSEWHERE = refuse("conflict", "you are in another voice channel");
/** Changes that wait for their turn; with more, the database is too slow or away. */
const MAX_WAITING = 500;

/** Keeps a channel's roster in memory: loads it when it is needed, runs its changes one at a time, drops it when one failed on the way. */
export class VoiceKeeper {
  readonly options: VoiceOptions;
  readonly #changes = new TaskQueue();
  #roster: Roster | undefined;

  constructor(options: VoiceOptions) {
    this.options = options;
  }

  /** Runs a change when its turn comes. Never throws. */
  async change<T>(change: Change<T>): Promise<Outcome<T>> {
    if (this.#changes.length >= MAX_WAITING) return UNAVAILABLE;
    return this.always(change);
  }

  /** As `change`, however many are waiting: for what takes something away. */
  always<T>(change: Change<T>): Promise<Outcome<T>> {
    return this.#changes.run(async () => {
      try {
        const channel = await this.options.channel();
        if (channel === null) return NO_CHANNEL;
        this.#roster ??= await Roster.load(this.options.db, this.options.id);
        return await change(this.#roster, channel);
      } catch (error) {
        // Whether it was stored is not known: the roster is read again.
        this.#roster = undefined;
        return this.#refusal(error);
      }
    });
  }

  /** What is in memory is not true any more. */
  forget(): void {
    this.#roster = undefined;
  }

  async bits({ access }: Loaded, userId: UserId): Promise<PermissionBits> {
    return (await this.options.rights.of(access, userId)).bits;
  }

  failed(what: string, error: unknown): void {
    log.error(what, error, { channelId: this.options.id });
  }

  #refusal(error: unknown): Outcome<never> {
    if (error instanceof DatabaseError) {
      if (error.constraint === "voice_sessions_place") return ELSEWHERE;
      // The account or the channel went meanwhile.
      if (error.kind === "foreign_key") return NO_CHANNEL;
      if (error.kind === "unavailable") return UNAVAILABLE;
    }
    this.failed("voice failed", error);
    return UNAVAILABLE;
  }
}
