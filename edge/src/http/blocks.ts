import type { UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { admit, blockings } from "../auth/limits.ts";
import { block, blockedPeople, unblock } from "../db/blocks.ts";
import { findDm } from "../db/dms.ts";
import type { Database } from "../db/port.ts";
import { channelActor } from "../platform/actors.ts";
import type { Env } from "../platform/env.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { tellUsers } from "../platform/tell.ts";
import { type App, serve } from "./route.ts";

/** `/api/blocks`: whom one wants to hear nothing of. The other is not told. */
export function blockRoutes(app: App): void {
  serve(app, "listBlocks", async ({ db, user }) => ok({ users: await db.query(blockedPeople, [user.sub]) }));

  serve(app, "putBlock", async ({ env, db, user, params: { userId } }) => {
    const admitted = await admit(db, [await blockings(env, user.sub)]);
    if (!admitted.ok) return admitted;
    const [row] = await db.query(block, [user.sub, userId, LIMITS.blocksPerUser]);
    if (row?.found !== true) return refuse("not_found", "no such other person");
    if (!row.blocked) return refuse("limit_reached", "take back another block first");
    const quiet = await endWhatGoesOn(env, db, user.sub, userId);
    if (!quiet.ok) return quiet;
    await tellUsers(env, [user.sub], { event: "friend:blocked", body: { userId } });
    return ok();
  });

  serve(app, "deleteBlock", async ({ env, db, user, params: { userId } }) => {
    const admitted = await admit(db, [await blockings(env, user.sub)]);
    if (!admitted.ok) return admitted;
    const [row] = await db.query(unblock, [user.sub, userId]);
    if (row === undefined) return refuse("not_found", "you have not blocked such a person");
    await tellUsers(env, [user.sub], { event: "friend:unblocked", body: { userId } });
    return ok();
  });
}

/** What the two have admitted to their conversation is told, and rings no longer, before the block is answered. */
async function endWhatGoesOn(env: Env, db: Database, by: UserId, userId: UserId): Promise<Outcome<undefined>> {
  const [pair] = await db.query(findDm, [by, userId]);
  return pair === undefined ? ok() : channelActor(env, pair.id).blocked();
}
