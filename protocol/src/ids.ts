import * as v from "valibot";

/** A UUID in its canonical lower-case form. Ids made by this product are UUIDv7: they sort by time. */
const uuid = v.pipe(
  v.string(),
  v.length(36),
  v.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, "an id is a lower-case UUID"),
);

export const UserId = v.pipe(uuid, v.brand("UserId"));
export type UserId = v.InferOutput<typeof UserId>;

export const SessionId = v.pipe(uuid, v.brand("SessionId"));
export type SessionId = v.InferOutput<typeof SessionId>;

export const ServerId = v.pipe(uuid, v.brand("ServerId"));
export type ServerId = v.InferOutput<typeof ServerId>;

export const RoleId = v.pipe(uuid, v.brand("RoleId"));
export type RoleId = v.InferOutput<typeof RoleId>;

export const ChannelId = v.pipe(uuid, v.brand("ChannelId"));
export type ChannelId = v.InferOutput<typeof ChannelId>;

export const MessageId = v.pipe(uuid, v.brand("MessageId"));
export type MessageId = v.InferOutput<typeof MessageId>;

export const HandoffId = v.pipe(uuid, v.brand("HandoffId"));
export type HandoffId = v.InferOutput<typeof HandoffId>;

/** One stay of a person in a voice channel or a call. */
export const JoinId = v.pipe(uuid, v.brand("JoinId"));
export type JoinId = v.InferOutput<typeof JoinId>;

/** One ringing of a call. */
export const CallId = v.pipe(uuid, v.brand("CallId"));
export type CallId = v.InferOutput<typeof CallId>;

/** Which time of the database this is: another one after it was restored from a backup, and then what came after that backup is unknown. */
export const Generation = v.pipe(uuid, v.brand("Generation"));
export type Generation = v.InferOutput<typeof Generation>;

/**
 * Position of an event in its channel: 1, 2, 3 … without holes, but for a large one where the database was restored. Every event of a channel takes the next one,
 * so a client that sees a hole knows that it missed something and asks `sync`.
 */
export const Seq = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export type Seq = v.InferOutput<typeof Seq>;

/** An instant on the wire: ISO 8601 in UTC with milliseconds. */
export const Timestamp = v.pipe(v.string(), v.isoTimestamp());
export type Timestamp = v.InferOutput<typeof Timestamp>;
