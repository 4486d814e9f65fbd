import type { DeviceId } from "@lescopains/protocol/device-list";
import type { Self } from "@lescopains/protocol/entities";
import type { Generation } from "@lescopains/protocol/ids";
import { verifyAccessToken } from "../../auth/access-token.ts";
import { accountOfSession } from "../../db/gateway.ts";
import { type Database, DatabaseError } from "../../db/port.ts";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import type { SocketData } from "./socket-data.ts";

/** What a client names itself with. */
interface Credentials {
  readonly token?: unknown;
  readonly deviceId?: unknown;
}

/** Who connects: the account, and what the socket keeps of it. */
export interface Arrival {
  readonly account: Self;
  readonly generation: Generation;
  readonly data: Pick<SocketData, "userId" | "sessionId" | "deviceId" | "expiresAt">;
}

/**
 * Who sends a CONNECT packet: its token must be good and its session alive. It speaks for a device when it names the one that its session
 * has. Refuses as `verifyAccessToken`, with `session_revoked` or `unavailable`.
 */
export async function arrivalOf(
  jwtSecret: string,
  db: Database,
  auth: unknown,
  nowMs: number,
): Promise<Outcome<Arrival>> {
  const { token, deviceId: named } = typeof auth === "object" && auth !== null ? (auth as Credentials) : {};
  const claims = await verifyAccessToken(jwtSecret, token, nowMs);
  if (!claims.ok) return claims;
  const { sub: userId, sid: sessionId, exp: expiresAt } = claims.value;
  try {
    const [row] = await db.query(accountOfSession, [sessionId, userId]);
    if (row === undefined) return refuse("session_revoked", "the session has ended");
    const { deviceId: bound, generation, ...account } = row;
    const deviceId: DeviceId | null = bound === named ? bound : null;
    return ok({ account, generation, data: { userId, sessionId, deviceId, expiresAt } });
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.kind !== "unavailable") throw error;
    return refuse("unavailable", "the database is not reachable", { retryAfterMs: 2_000 });
  }
}
