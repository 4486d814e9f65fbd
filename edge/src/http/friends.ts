import { LIMITS } from "@lescopains/protocol/limits";
import { admit, askings } from "../auth/limits.ts";
import { mayReach } from "../db/contacts.ts";
import { ask, friendLists, isAskedBy, part, settle } from "../db/friends.ts";
import { ok, refuse } from "@lescopains/protocol/outcome";
import { tellUsers } from "../platform/tell.ts";
import { type App, serve } from "./route.ts";

/** `/api/friends`: two who have asked each other. */
export function friendRoutes(app: App): void {
  serve(app, "listFriends", async ({ db, user }) => ok(await friendLists(db, user.sub)));

  serve(app, "putFriend", async ({ env, db, user, params: { userId } }) => {
    const admitted = await admit(db, [await askings(env, user.sub)]);
    if (!admitted.ok) return admitted;
    const nobody = refuse("not_found", "nobody that you may reach");
    if (userId === user.sub) return nobody;
    const isAsked = (await db.query(isAskedBy, [user.sub, userId])).length > 0;
    if (!isAsked && !(await mayReach(db, user.sub, [userId]))) return nobody;
    const [asked] = await db.query(ask, [user.sub, userId, LIMITS.friendsPerUser]);
    const [settled] = await db.query(settle, [user.sub, userId]);
    if (settled?.made === true) {
      await tellUsers(env, [userId], { event: "friend:accepted", body: { userId: user.sub } });
      await tellUsers(env, [user.sub], { event: "friend:accepted", body: { userId } });
    } else if (asked?.waits === true && settled?.friends !== true) {
      await tellUsers(env, [userId, user.sub], { event: "friend:requested", body: { fromId: user.sub, toId: userId } });
    } else if (asked?.full === true && settled?.friends !== true) {
      return refuse("limit_reached", "end another friendship first");
    }
    return ok({ friends: settled?.friends === true });
  });

  serve(app, "deleteFriend", async ({ env, db, user, params: { userId } }) => {
    const admitted = await admit(db, [await askings(env, user.sub)]);
    if (!admitted.ok) return admitted;
    const gone = await db.query(part, [user.sub, userId]);
    if (gone.length === 0) return refuse("not_found", "neither a friend nor a request");
    await tellUsers(env, [userId], { event: "friend:removed", body: { userId: user.sub } });
    await tellUsers(env, [user.sub], { event: "friend:removed", body: { userId } });
    return ok();
  });
}
