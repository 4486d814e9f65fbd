import type { AnyDown } from "@lescopains/protocol/down";
import type { ErrorBody } from "@lescopains/protocol/errors";
import type { ChannelId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { UP, type UpAnswer, type UpBody, type UpEvent } from "@lescopains/protocol/up";
import * as v from "valibot";
import { markRead } from "../../db/messages.ts";
import { type Database, DatabaseError } from "../../db/port.ts";
import { channelActor, serverActor } from "../../platform/actors.ts";
import type { Env } from "../../platform/env.ts";
import { log } from "../../platform/logger.ts";
import type { Outcome } from "../../platform/outcome.ts";
import type { LocalPresence } from "./messages.ts";
import type { LocalUser } from "./roster.ts";

/** Who sent an event, and what answering it may touch. */
export interface Sender {
  readonly db: Database;
  readonly env: Env;
  readonly shard: number;
  readonly user: Pick<LocalUser<unknown>, "id" | "servers"> | undefined;
  /** Keeps what the person chose to show, for all their sockets on all gateways. */
  readonly choosePresence: (chosen: LocalPresence) => Promise<void>;
  /** Sends an event to the person's other sockets, on all gateways. */
  readonly tellOthers: (event: AnyDown) => Promise<void>;
}

type Known = Sender & { readonly user: NonNullable<Sender["user"]> };
type Answer = { ok: true } | { ok: false; error: ErrorBody };
type Handlers = { [E in UpEvent]: (sender: Known, body: UpBody<E>) => Promise<UpAnswer<E>> };

/** Messages that one `sync` answers in all; what is beyond is fetched by the next. */
const SYNC_MESSAGES = 500;
/** Characters of content that one `sync` answers in all, give or take a page. */
const SYNC_CHARACTERS = 1_000_000;

/** The whole conversation a client can have with the gateway: a line for each event of `UP`. */
const HANDLERS: Handlers = {
  "message:send": async ({ env, user }, body) => flat(await channelActor(env, body.channelId).send(user.id, body)),
  "message:edit": async ({ env, user }, body) => flat(await channelActor(env, body.channelId).edit(user.id, body)),
  "message:delete": async ({ env, user }, body) => flat(await channelActor(env, body.channelId).delete(user.id, body)),
  "typing:start": async ({ env, user }, { channelId }) => flat(await channelActor(env, channelId).typing(user.id)),
  "presence:ping": async () => ({ ok: true }),
  "read:mark": async ({ db, env, user, tellOthers }, { channelId, seq }) => {
    const visible = await channelActor(env, channelId).visible(user.id);
    if (!visible.ok) return flat(visible);
    const [mark] = await db.query(markRead, [user.id, channelId, seq]);
    if (mark === undefined) return { ok: false, error: { code: "not_found", message: "no such channel" } };
    await tellOthers({ event: "read:updated", body: { channelId, seq: mark.seq } });
    return { ok: true, seq: mark.seq };
  },
  "presence:set": async ({ env, user, shard, choosePresence }, { status, customStatus }) => {
    const chosen: LocalPresence = typeof customStatus === "string" ? { status, customStatus } : { status };
    await choosePresence(chosen);
    await Promise.all([...user.servers].map((id) => serverActor(env, id).setPresence(shard, user.id, chosen)));
    return { ok: true };
  },
  sync: async ({ env, user }, { channels }) => {
    const answer: Extract<UpAnswer<"sync">, { ok: true }> = { ok: true, channels: {}, more: false };
    let messages = 0;
    let characters = 0;
    for (const [id, since] of Object.entries(channels) as [ChannelId, number][]) {
      if (messages >= SYNC_MESSAGES || characters >= SYNC_CHARACTERS) {
        answer.channels[id] = { messages: [], lastSeq: since, more: true };
        answer.more = true;
        continue;
      }
      const missed = await channelActor(env, id).missed(user.id, since, LIMITS.historyPage);
      if (!missed.ok) {
        if (missed.error.code === "not_found") continue;
        return missed;
      }
      answer.channels[id] = missed.value;
      answer.more ||= missed.value.more;
      messages += missed.value.messages.length;
      for (const { content } of missed.value.messages) characters += content.length;
    }
    return answer;
  },
};

/** Answers one event of a client: parse → authorise (in the actor that owns the thing) → call → acknowledgement. Never throws. */
export async function answerEvent(sender: Sender, name: string, body: unknown): Promise<Answer> {
  if (!Object.hasOwn(UP, name)) return refused("unknown_event", "there is no such event");
  const event = name as UpEvent;
  const parsed = v.safeParse(UP[event].body, body, { abortPipeEarly: true });
  if (!parsed.success) {
    const path = parsed.issues.slice(0, 5).map((issue) => v.getDotPath(issue) ?? "");
    return {
      ok: false,
      error: { code: "invalid_request", message: "the event does not fit the contract", details: { path } },
    };
  }
  // The socket closed while the event waited.
  if (sender.user === undefined) return refused("unavailable", "the connection is not ready");
  try {
    // Each handler takes what its own schema parsed; the table ties the two together.
    const handler = HANDLERS[event] as (sender: Known, body: unknown) => Promise<Answer>;
    return await handler(sender as Known, parsed.output);
  } catch (error) {
    const known = error instanceof DatabaseError && error.kind === "unavailable";
    if (!known) log.error("event failed", error, { event });
    return { ok: false, error: { code: "unavailable", message: "not possible now", retryAfterMs: 2_000 } };
  }
}

function refused(code: ErrorBody["code"], message: string): Answer {
  return { ok: false, error: { code, message } };
}

/** An outcome as an acknowledgement carries it: the value's fields beside `ok`. */
function flat<T extends object>(outcome: Outcome<T | undefined>): { ok: false; error: ErrorBody } | ({ ok: true } & T) {
  return outcome.ok ? ({ ok: true, ...outcome.value } as { ok: true } & T) : outcome;
}
