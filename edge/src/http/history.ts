import { channelActor } from "../platform/actors.ts";
import { type App, serve } from "./route.ts";

export function historyRoutes(app: App): void {
  serve(app, "listMessages", ({ env, params, query, user }) =>
    channelActor(env, params.id).history(user.sub, user.sid, query),
  );
}
