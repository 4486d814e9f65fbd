import type { DeviceId } from "@lescopains/protocol/device-list";
import type { ChannelId, MessageId, UserId } from "@lescopains/protocol/ids";
import type { MessageSend } from "@lescopains/protocol/up";
import { v7 } from "uuid";
import { type Database, DatabaseError } from "../../db/port.ts";
import { type AudienceValues, insertSealed, judgeSealed, SENDER_KEY, type Verdict } from "../../db/sealed.ts";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import type { Sealed, Told } from "../gateway/messages.ts";
import { newSealed, passing, type Sent, type Write } from "./core.ts";
import type { Written } from "./store.ts";

const NO_DEVICE = refuse("device_required", "this connection speaks for no device");

type Send = Extract<Write, { kind: "send" }>;

/** Stores a sealed message, if it is for exactly the devices of now. Throws `DatabaseError` of kind `unavailable`. */
export async function seal(db: Database, channelId: ChannelId, write: Send): Promise<Written> {
  const { userId, deviceId, input } = write;
  if (deviceId === null) return { outcome: NO_DEVICE };
  try {
    const [row] = await db.query(insertSealed, [
      ...audience(channelId, userId, deviceId, input),
      v7() as MessageId,
      input.nonce,
      input.content,
    ]);
    if (row === undefined) return { outcome: refuse("not_found", "no such channel") };
    const { id, seq, createdAt, known } = row;
    if (id === null || seq === null || createdAt === null) return { outcome: refusedBy(row) };
    const outcome = ok({ id, seq, createdAt });
    if (known) return { outcome };
    const event = newSealed(channelId, write, deviceId, { id, seq, createdAt });
    return { outcome, event, sealed: contents(userId, deviceId, input) };
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.kind === "unavailable") throw error;
    // A device was revoked, or this nonce stored, by a statement that ran beside this one: the next try finds out.
    if (error.kind === "foreign_key" || error.kind === "unique")
      return { outcome: refuse("unavailable", "try again", { retryAfterMs: 100 }) };
    return { outcome: refuse("invalid_request", "the message can't be stored") };
  }
}

/** Whether a message that is not stored may be passed on; then its answer, and how it is told. */
export async function pass(
  db: Database,
  channelId: ChannelId,
  write: Send,
  nowMs: number,
): Promise<Outcome<{ readonly sent: Sent; readonly told: Told }>> {
  const { userId, deviceId, input } = write;
  if (deviceId === null) return NO_DEVICE;
  const [verdict] = await db.query(judgeSealed, audience(channelId, userId, deviceId, input));
  if (verdict === undefined) return refuse("not_found", "no such channel");
  if (!verdict.fits) return refusedBy(verdict);
  const sent = { id: v7() as MessageId, seq: 0, createdAt: new Date(nowMs).toISOString() };
  const event = passing(channelId, userId, deviceId, input.nonce, sent.createdAt);
  return ok({ sent, told: { event, sealed: contents(userId, deviceId, input) } });
}

function contents(userId: UserId, deviceId: DeviceId, { ciphertexts, content }: MessageSend): Sealed {
  const from = { userId, deviceId };
  return ciphertexts === undefined
    ? { from, shared: { type: SENDER_KEY, body: content } }
    : { from, each: ciphertexts };
}

function audience(
  channelId: ChannelId,
  userId: UserId,
  deviceId: DeviceId,
  { ciphertexts = [], listVersions }: MessageSend,
): AudienceValues {
  const versions = Object.entries(listVersions ?? {}) as [UserId, number][];
  return [
    channelId,
    userId,
    deviceId,
    ciphertexts.map((one) => one.userId),
    ciphertexts.map((one) => one.deviceId),
    ciphertexts.map(({ type }) => type),
    ciphertexts.map(({ body }) => body),
    versions.map(([user]) => user),
    versions.map(([, version]) => version),
    listVersions !== undefined,
  ];
}

function refusedBy({ sender, audience: someone, blocked, missing, extra, versions }: Verdict): Outcome<never> {
  if (!sender) return refuse("device_required", "this device is not on its account's list");
  if (blocked) return refuse("forbidden", "one of you has blocked the other");
  if (!someone && missing.length === 0 && extra.length === 0)
    return refuse("conflict", "nobody else here has a device yet");
  return refuse("devices_changed", "the devices here are others by now", { details: { missing, extra, versions } });
}
