import type { SessionId, UserId } from "@lescopains/protocol/ids";
import { gatewayActors, type RemoteGateway } from "../platform/actors.ts";
import type { Env } from "../platform/env.ts";
import { log } from "../platform/logger.ts";

/**
 * Closes the sockets of sessions that were just deleted, on every gateway; REST refuses those sessions already.
 * A gateway that fails twice is left behind with an error in the log: its sockets end with their access tokens, 15 minutes at most.
 */
export async function revokeSessions(env: Env, userId: UserId, which: readonly SessionId[] | "all"): Promise<void> {
  if (which.length === 0) return;
  await Promise.all(gatewayActors(env).map((gateway) => revokeOn(gateway, userId, which)));
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
