import type { UserId } from "@lescopains/protocol/ids";
import { type Outcome, ok } from "@lescopains/protocol/outcome";
import { serversOfMember } from "../db/accounts.ts";
import type { Database } from "../db/port.ts";
import { serverActor } from "../platform/actors.ts";
import type { Env } from "../platform/env.ts";
import { leaveWith } from "../voice/places.ts";

/** What comes before the end of an account: it leaves its servers, which tell the others, and its place in a voice channel. */
export async function leaveEverything(env: Env, db: Database, userId: UserId): Promise<Outcome<undefined>> {
  const servers = await db.query(serversOfMember, [userId]);
  const left = await Promise.all(servers.map(({ server_id }) => serverActor(env, server_id).forgetMember(userId)));
  // A server that was deleted meanwhile has forgotten everybody.
  const refusal = left.find((outcome) => !outcome.ok && outcome.error.code !== "not_found");
  if (refusal !== undefined && !refusal.ok) return refusal;
  const silent = await leaveWith(env, db, userId, "all");
  return silent.ok || silent.error.code === "not_found" ? ok() : silent;
}
