import type { HandoffId } from "@lescopains/protocol/ids";
import { LIMITS, PERIODS } from "@lescopains/protocol/limits";
import { v7 } from "uuid";
import { fillHandoff, openHandoff, takeHandoff, withdrawSurplus } from "../db/handoffs.ts";
import { ok, refuse } from "@lescopains/protocol/outcome";
import { tellUsers } from "../platform/tell.ts";
import { type App, serve } from "./route.ts";

const NO_HANDOFF = refuse("not_found", "no such handoff of this account is open");

/** `/api/keys/handoffs`: a new browser of an account receives its identity from an old one. What passes is sealed, and not kept. */
export function handoffRoutes(app: App): void {
  serve(app, "openHandoff", async ({ db, user, body: { publicKey } }) => {
    const id = v7() as HandoffId;
    const [opened] = await db.query(openHandoff, [id, user.sub, user.sid, publicKey, PERIODS.handoffMs / 1_000]);
    if (opened === undefined) return refuse("session_revoked", "this session has ended");
    const surplus = await db.query(withdrawSurplus, [id, user.sub, LIMITS.handoffsOpen]);
    return surplus.length === 0
      ? ok(opened)
      : refuse("limit_reached", `at most ${LIMITS.handoffsOpen} handoffs are open at once`);
  });

  serve(app, "fillHandoff", async ({ env, db, user, params: { id }, body: { sealed } }) => {
    const [handoff] = await db.query(fillHandoff, [id, user.sub, sealed]);
    if (handoff === undefined) return NO_HANDOFF;
    if (!handoff.filled) return refuse("conflict", "something else was handed over already");
    await tellUsers(env, [user.sub], { event: "keys:handoff", body: { id } });
    return ok();
  });

  serve(app, "takeHandoff", async ({ db, user, params: { id } }) => {
    const [handoff] = await db.query(takeHandoff, [id, user.sub, user.sid]);
    return handoff === undefined ? NO_HANDOFF : ok(handoff);
  });
}
