import type { AnyDown } from "@lescopains/protocol/down";
import type { DeviceId } from "@lescopains/protocol/device-list";
import type { ErrorBody } from "@lescopains/protocol/errors";
import type { ChannelId, SessionId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { UP, type UpAnswer, type UpBody, type UpEvent } from "@lescopains/protocol/up";
import * as v from "valibot";
import { mayReach } from "../../db/contacts.ts";
import { dropEnvelopes, queueEnvelopes } from "../../db/envelopes.ts";
import { markRead } from "../../db/messages.ts";
import { type Database, DatabaseError } from "../../db/port.ts";
import { seatOf } from "../../db/voice.ts";
import { channelActor, serverActor } from "../../platform/actors.ts";
import type { Env } from "../../platform/env.ts";
import { log } from "../../platform/logger.ts";
import { ciphertexts, decryptionFailures } from "../../platform/metrics.ts";
import { quotable } from "../../platform/trace.ts";
import type { Outcome } from "@lescopains/protocol/outcome";
import { envelopesQueued } from "../../platform/tell.ts";
import { enter } from "../../voice/places.ts";
import type { LocalPresence } from "./messages.ts";
import type { LocalUser } from "./roster.ts";

/** Who sent an event, and what answering it may touch. */
export interface Sender {
  readonly db: Database;
  readonly env: Env;
  readonly shard: number;
  readonly user: Pick<LocalUser<unknown>, "id" | "servers"> | undefined;
  readonly sessionId: SessionId;
  /** The device that the socket speaks for. */
  readonly deviceId: DeviceId | null;
  /** Keeps what the person chose to show, for all their sockets on all gateways. */
  readonly choosePresence: (chosen: LocalPresence) => Promise<void>;
  /** Sends an event to the person's other sockets, on all gateways. */
  readonly tellOthers: (event: AnyDown) => Promise<void>;
  /** The device has kept its envelopes up to a number. */
  readonly envelopesKept: (upTo: number) => void;
}

type Known = Sender & { readonly user: NonNullable<Sender["user"]> };
type Refused = { ok: false; error: ErrorBody };
type Answer = { ok: true } | Refused;
type Handlers = { [E in UpEvent]: (sender: Known, body: UpBody<E>) => Promise<UpAnswer<E>> };

/** Messages that one `sync` answers in all; what is beyond is fetched by the next. */
const SYNC_MESSAGES = 500;
/** Characters of content that one `sync` answers in all, give or take a page. */
const SYNC_CHARACTERS = 1_000_000;

/** An id among others in JSON. */
const ID_CHARACTERS = 39;

const NO_DEVICE = refused("device_required", "this connection speaks for no device");

/** The whole conversation a client can have with the gateway: a line for each event of `UP`. */
const HANDLERS: Handlers = {
  "message:send": async ({ env, user, deviceId }, body) =>
    flat(await channelActor(env, body.channelId).send(user.id, deviceId, body)),
  "message:edit": async ({ env, user }, body) => flat(await channelActor(env, body.channelId).edit(user.id, body)),
  "message:delete": async ({ env, user }, body) => flat(await channelActor(env, body.channelId).delete(user.id, body)),
  "reaction:add": async ({ env, user }, body) =>
    flat(await channelActor(env, body.channelId).react(user.id, true, body)),
  "reaction:remove": async ({ env, user }, body) =>
    flat(await channelActor(env, body.channelId).react(user.id, false, body)),
  "typing:start": async ({ env, user }, { channelId }) => flat(await channelActor(env, channelId).typing(user.id)),
  "message:received": async ({ env, user, deviceId }, { channelId, seq }) => {
    if (deviceId === null) return NO_DEVICE;
    return flat(await channelActor(env, channelId).received(user.id, deviceId, seq));
  },
  "keys:send": async ({ db, env, user, deviceId }, { messages }) => {
    if (deviceId === null) return NO_DEVICE;
    const people = messages.map(({ toUserId }) => toUserId);
    if (!(await mayReach(db, user.id, people)))
      return refused("not_found", "someone among them is nobody that you may reach");
    const [queued] = await db.query(queueEnvelopes, [
      user.id,
      deviceId,
      people,
      messages.map(({ toDeviceId }) => toDeviceId),
      messages.map(({ type }) => type),
      messages.map(({ body }) => body),
      LIMITS.envelopesKept,
      LIMITS.envelopesFromOne,
    ]);
    if (queued?.sender !== true) return NO_DEVICE;
    const { full, unknown } = queued;
    if (unknown.length > 0) {
      const details = { missing: [], extra: unknown, versions: {} };
      return refused("devices_changed", "a device is not on its account's list", { details });
    }
    if (full.length > 0) return refused("queue_full", "a device has too much waiting", { details: { devices: full } });
    void envelopesQueued(
      env,
      messages.map(({ toUserId, toDeviceId }) => [toUserId, toDeviceId]),
    );
    return { ok: true };
  },
  "keys:ack": async ({ db, user, deviceId, envelopesKept }, { upTo }) => {
    if (deviceId === null) return NO_DEVICE;
    await db.query(dropEnvelopes, [user.id, deviceId, upTo]);
    envelopesKept(upTo);
    return { ok: true };
  },
  "keys:failed": async (_, { reason }) => {
    decryptionFailures.inc({ reason });
    return { ok: true };
  },
  "voice:join": async ({ db, env, user, sessionId, deviceId }, { channelId }) => {
    const joined = await enter(env, db, channelId, { userId: user.id, sessionId, deviceId });
    return joined.ok ? { ok: true, joinId: joined.value.joinId, roster: joined.value.roster } : joined;
  },
  "voice:leave": async ({ env, user }, { channelId, joinId }) =>
    flat(await channelActor(env, channelId).voiceLeave(user.id, "left", { joinId })),
  "voice:state": async ({ db, env, user, sessionId }, flags) => {
    const [held] = await db.query(seatOf, [user.id]);
    if (held === undefined) return refused("conflict", "this session is in no voice channel");
    return flat(await channelActor(env, held.channelId).voiceState(user.id, sessionId, flags));
  },
  "call:ring": async ({ env, user, sessionId }, { channelId }) =>
    flat(await channelActor(env, channelId).callRing(user.id, sessionId)),
  "call:accept": async ({ env, user }, { channelId }) =>
    flat(await channelActor(env, channelId).callAnswer(user.id, "accepted")),
  "call:decline": async ({ env, user }, { channelId }) =>
    flat(await channelActor(env, channelId).callAnswer(user.id, "declined")),
  "call:cancel": async ({ env, user }, { channelId }) => flat(await channelActor(env, channelId).callCancel(user.id)),
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
  sync: async ({ env, user, deviceId }, { channels }) => {
    const answer: Extract<UpAnswer<"sync">, { ok: true }> = { ok: true, channels: {}, more: false };
    let messages = 0;
    let characters = 0;
    for (const [id, since] of Object.entries(channels) as [ChannelId, number][]) {
      if (messages >= SYNC_MESSAGES || characters >= SYNC_CHARACTERS) {
        answer.channels[id] = { messages: [], lastSeq: since, more: true };
        answer.more = true;
        continue;
      }
      const missed = await channelActor(env, id).missed(user.id, deviceId, since, LIMITS.historyPage);
      if (!missed.ok) {
        if (missed.error.code === "not_found") continue;
        return missed;
      }
      answer.channels[id] = missed.value;
      answer.more ||= missed.value.more;
      messages += missed.value.messages.length;
      for (const { content, ciphertext, reactions } of missed.value.messages) {
        characters += content.length + (ciphertext?.body.length ?? 0);
        for (const { userIds } of reactions) characters += userIds.length * ID_CHARACTERS;
        if (ciphertext) ciphertexts.inc();
      }
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
    const refusal = { code: "unavailable", message: "not possible now", retryAfterMs: 2_000 } as const;
    return { ok: false, error: known ? refusal : { ...refusal, ...quotable() } };
  }
}

function refused(code: ErrorBody["code"], message: string, more: Pick<ErrorBody, "details"> = {}): Refused {
  return { ok: false, error: { code, message, ...more } };
}

/** An outcome as an acknowledgement carries it: the value's fields beside `ok`. */
function flat<T extends object>(outcome: Outcome<T | undefined>): { ok: false; error: ErrorBody } | ({ ok: true } & T) {
  return outcome.ok ? ({ ok: true, ...outcome.value } as { ok: true } & T) : outcome;
}
