import { serverActor } from "../platform/actors.ts";
import { type App, serve } from "./route.ts";

export function memberRoutes(app: App): void {
  serve(app, "listMembers", ({ env, params, query, user }) =>
    serverActor(env, params.id).members(user.sub, query.after, query.limit),
  );
  serve(app, "patchMember", ({ env, params, body, user }) =>
    serverActor(env, params.id).setMemberRoles(user.sub, params.userId, body.roleIds),
  );
  serve(app, "removeMember", ({ env, params, user }) =>
    serverActor(env, params.id).removeMember(user.sub, params.userId),
  );
  serve(app, "listBans", ({ env, params, user }) => serverActor(env, params.id).bans(user.sub));
  serve(app, "ban", ({ env, params, body, user }) =>
    serverActor(env, params.id).ban(user.sub, params.userId, body.reason ?? null),
  );
  serve(app, "unban", ({ env, params, user }) => serverActor(env, params.id).unban(user.sub, params.userId));
}
