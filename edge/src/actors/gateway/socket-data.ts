import { DeviceId } from "@lescopains/protocol/device-list";
import { StatusChoice } from "@lescopains/protocol/entities";
import { ServerId, SessionId, UserId } from "@lescopains/protocol/ids";
import * as v from "valibot";

/** What a socket's attachment keeps through hibernation: at most 100 servers, so about 4 KB of the 16 there are. */
export const SocketData = v.object({
  userId: UserId,
  sessionId: SessionId,
  /** The device that the socket speaks for; null: none. */
  deviceId: v.nullable(DeviceId),
  /** When the access token ends, in seconds since the epoch. */
  expiresAt: v.number(),
  status: StatusChoice,
  customStatus: v.optional(v.string()),
  serverIds: v.array(ServerId),
});
export type SocketData = v.InferOutput<typeof SocketData>;
