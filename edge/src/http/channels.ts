import type { ChannelId } from "@lescopains/protocol/ids";
import { marksOfChannel, serverOfChannel, withChannelMarks } from "../db/channels.ts";
import type { Database } from "../db/port.ts";
import { serverActor } from "../platform/actors.ts";
import type { Env } from "../platform/env.ts";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import { type App, serve } from "./route.ts";

type ServerActor = ReturnType<typeof serverActor>;

export function channelRoutes(app: App): void {
  serve(app, "createChannel", ({ env, params, body, user }) =>
    serverActor(env, params.id).createChannel(user.sub, body),
  );
  serve(app, "patchChannel", async ({ env, db, params, body, user }) => {
    const outcome = await inServer(env, db, params.id, (server) => server.updateChannel(user.sub, params.id, body));
    if (!outcome.ok) return outcome;
    return ok(withChannelMarks(outcome.value, await db.query(marksOfChannel, [user.sub, params.id])));
  });
  serve(app, "deleteChannel", ({ env, db, params, user }) =>
    inServer(env, db, params.id, (server) => server.deleteChannel(user.sub, params.id)),
  );
  serve(app, "putOverwrite", ({ env, db, params: { id, targetId }, body, user }) =>
    inServer(env, db, id, (server) => server.putOverwrite(user.sub, id, targetId, body)),
  );
  serve(app, "deleteOverwrite", ({ env, db, params: { id, targetId }, user }) =>
    inServer(env, db, id, (server) => server.deleteOverwrite(user.sub, id, targetId)),
  );
}

/** Asks the server of a channel. A channel that belongs to none (a direct message) is not found here. */
async function inServer<T>(
  env: Env,
  db: Database,
  channelId: ChannelId,
  ask: (server: ServerActor) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const [channel] = await db.query(serverOfChannel, [channelId]);
  if (channel === undefined) return refuse("not_found", "no such channel");
  return ask(serverActor(env, channel.serverId));
}
