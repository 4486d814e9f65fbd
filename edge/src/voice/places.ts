import type { ChannelId, JoinId, SessionId, UserId } from "@lescopains/protocol/ids";
import type { VoiceMember, VoicePatch } from "@lescopains/protocol/voice";
import { v7 } from "uuid";
import { comesTooLate } from "../actors/channel/seats.ts";
import type { Joined, Newcomer } from "../actors/channel/voice.ts";
import { admit, voiceJoins } from "../auth/limits.ts";
import { serverOfChannel } from "../db/channels.ts";
import { deviceOfSession } from "../db/devices.ts";
import type { Database } from "../db/port.ts";
import { seatOf } from "../db/voice.ts";
import { channelActor } from "../platform/actors.ts";
import type { Env } from "../platform/env.ts";
import { voiceJoins as counted } from "../platform/metrics.ts";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import { tellUsers } from "../platform/tell.ts";

/*
 * What concerns more than one channel. A person holds one place, whichever channel it is in; each channel's actor decides about its own,
 * and none waits for another.
 */

/** Times that a place elsewhere is given up, when several clients of a person join at once. */
const MAX_TRIES = 3;

/** [VO1] Takes a place in a channel; the one that is held elsewhere ends. Who comes back to a place that another session took meanwhile is refused (`conflict`). */
export async function enter(
  env: Env,
  db: Database,
  channelId: ChannelId,
  newcomer: Newcomer,
): Promise<Outcome<Joined>> {
  const joined = await tryToEnter(env, db, channelId, newcomer);
  counted.inc({ outcome: joined.ok ? "ok" : joined.error.code });
  return joined;
}

async function tryToEnter(env: Env, db: Database, channelId: ChannelId, newcomer: Newcomer): Promise<Outcome<Joined>> {
  const admitted = await admit(db, [await voiceJoins(env, newcomer.userId)]);
  if (!admitted.ok) return admitted;
  for (let tries = 1; ; tries += 1) {
    const joined = await channelActor(env, channelId).voiceJoin(newcomer);
    if (joined.ok || joined.error.code !== "conflict" || tries === MAX_TRIES) return joined;
    const [held] = await db.query(seatOf, [newcomer.userId]);
    if (held !== undefined && comesTooLate(held, newcomer)) return joined;
    if (held === undefined || held.channelId === channelId) continue;
    const left = await channelActor(env, held.channelId).voiceLeave(newcomer.userId, "replaced");
    if (!left.ok && left.error.code !== "not_found") return left;
  }
}

/** The device that a sign-in speaks for. */
export async function deviceOf(db: Database, userId: UserId, sessionId: SessionId) {
  const [row] = await db.query(deviceOfSession, [userId, sessionId]);
  return row?.deviceId ?? null;
}

/** [VO12] Moves someone to another voice channel of the server. They are told where they are, and bring their media there themselves. */
async function move(
  env: Env,
  db: Database,
  by: UserId,
  userId: UserId,
  from: ChannelId,
  to: ChannelId,
): Promise<Outcome<VoiceMember>> {
  const [[here], [there]] = await Promise.all([db.query(serverOfChannel, [from]), db.query(serverOfChannel, [to])]);
  if (here === undefined) return refuse("not_found", "no such channel");
  if (there?.serverId !== here.serverId) return refuse("not_found", "no such channel to move to");
  if (from === to) return refuse("invalid_request", "they are there already");
  const [held] = await db.query(seatOf, [userId]);
  if (held?.channelId !== from) return refuse("not_found", "this person is not in the voice channel");
  const device = await deviceOf(db, userId, held.sessionId);
  const received = await channelActor(env, to).voiceMayReceive(by, userId, device);
  if (!received.ok) return received;
  const removed = await channelActor(env, from).voiceRemove(by, userId, { to });
  if (!removed.ok) return removed;
  const { seat } = removed.value;
  const toJoinId = v7() as JoinId;
  const { sessionId, deviceId } = seat;
  const arrived = await channelActor(env, to).voiceReceive({ userId, sessionId, deviceId, joinId: toJoinId });
  const ended = { channelId: from, joinId: seat.joinId };
  const body = arrived.ok
    ? { ...ended, reason: "moved" as const, toChannelId: to, toJoinId: arrived.value.joinId }
    : { ...ended, reason: "disconnected" as const };
  await tellUsers(env, [userId], { event: "voice:ended", body });
  return arrived;
}

/** [VO11] [VO12] What a moderator does to someone. */
export async function moderate(
  env: Env,
  db: Database,
  by: UserId,
  userId: UserId,
  channelId: ChannelId,
  { channelId: to, ...flags }: VoicePatch,
): Promise<Outcome<VoiceMember>> {
  const moderated = await channelActor(env, channelId).voiceModerate(by, userId, flags);
  if (!moderated.ok || to === undefined) return moderated;
  return move(env, db, by, userId, channelId, to);
}

/** Ends the place of sign-ins that are no more. */
export async function leaveWith(
  env: Env,
  db: Database,
  userId: UserId,
  which: readonly SessionId[] | "all",
): Promise<Outcome<undefined>> {
  const [held] = await db.query(seatOf, [userId]);
  if (held === undefined || (which !== "all" && !which.includes(held.sessionId))) return ok();
  return channelActor(env, held.channelId).voiceLeave(userId, "revoked", { sessionId: held.sessionId });
}
