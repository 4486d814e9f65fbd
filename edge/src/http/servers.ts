import type { Server } from "@lescopains/protocol/entities";
import type { ServerId, UserId } from "@lescopains/protocol/ids";
import { v7 } from "uuid";
import { serverMarks, withMarks } from "../db/channels.ts";
import type { Database } from "../db/port.ts";
import { serverActor } from "../platform/actors.ts";
import { type Outcome, ok } from "@lescopains/protocol/outcome";
import { type App, serve } from "./route.ts";

export function serverRoutes(app: App): void {
  serve(app, "createServer", ({ env, body, user }) => serverActor(env, v7() as ServerId).create(user.sub, body.name));
  serve(app, "getServer", async ({ env, db, params, user }) =>
    marked(db, user.sub, await serverActor(env, params.id).view(user.sub)),
  );
  serve(app, "patchServer", async ({ env, db, params, body, user }) =>
    marked(db, user.sub, await serverActor(env, params.id).update(user.sub, body)),
  );
  serve(app, "deleteServer", ({ env, params, user }) => serverActor(env, params.id).destroy(user.sub));
}

/** The server with where its channels stand and how far this person has read them. */
export async function marked(db: Database, userId: UserId, outcome: Outcome<Server>): Promise<Outcome<Server>> {
  if (!outcome.ok) return outcome;
  return ok(withMarks(outcome.value, await db.query(serverMarks, [userId, outcome.value.id])));
}
