import type { SessionId, UserId } from "@lescopains/protocol/ids";
import { database } from "../db/port.ts";
import { gatewayActors, type RemoteGateway } from "../platform/actors.ts";
import type { Env } from "../platform/env.ts";
import { log } from "../platform/logger.ts";
import { leaveWith } from "../voice/places.ts";

/**
 * Closes the sockets of sessions that were just deleted, on every gateway, and ends what they hold in voice channels; REST refuses those sessions already.
 * A gateway that fails twice is left behind with an error in the log: its sockets end with their access tokens, 15 minutes at most.
 */
export async function revokeSessions(env: Env, userId: UserId, which: readonly SessionId[] | "all"): Promise<void> {
  if (which.length === 0) return;
  await Promise.all([
    leaveVoice(env, userId, which),
    ...gatewayActors(env).map((gateway) => revokeOn(gateway, userId, which)),
  ]);
}

async function leaveVoice(env: Env, userId: UserId, which: readonly SessionId[] | "all"): Promise<void> {
  try {
    const left = await leaveWith(env, database(env), userId, which);
    if (!left.ok && left.error.code !== "not_found") throw new Error(left.error.message);
  } catch (error) {
    log.error("an ended session keeps its place in a voice channel", error, { userId });
  }
}

async function revokeOn(gateway: RemoteGateway, userId: UserId, which: readonly SessionId[] | "all"): Promise<void> {
  try {
    await gateway.revokeSessions(userId, which);
  } catch {
    // A stub is of no more use after an exception, but the actor behind it starts again at the next call.
    await gateway.revokeSessions(userId, which).catch((error: unknown) => {
      log.error("sockets of ended sessions stay open", error, { userId });
    });
  }
}
