import { inviteByCode, serverOfInvite } from "../db/invites.ts";
import { serverActor } from "../platform/actors.ts";
import { ok, refuse } from "@lescopains/protocol/outcome";
import { type App, serve } from "./route.ts";
import { marked } from "./servers.ts";

const INVITE_INVALID = refuse("invite_invalid", "this invite does not work (any more)");

export function inviteRoutes(app: App): void {
  serve(app, "createInvite", ({ env, params, body, user }) => serverActor(env, params.id).createInvite(user.sub, body));
  serve(app, "listInvites", ({ env, params, user }) => serverActor(env, params.id).invites(user.sub));
  serve(app, "joinServer", async ({ env, db, params, body, user }) =>
    marked(db, user.sub, await serverActor(env, params.id).join(user.sub, body.code)),
  );
  serve(app, "getInvite", async ({ db, params }) => {
    const [invite] = await db.query(inviteByCode, [params.code]);
    if (invite === undefined) return INVITE_INVALID;
    const { code, expiresAt, serverId, name, iconUrl, memberCount } = invite;
    return ok({ code, expiresAt, server: { id: serverId, name, iconUrl, memberCount } });
  });
  serve(app, "joinInvite", async ({ env, db, params, user }) => {
    const [invite] = await db.query(serverOfInvite, [params.code]);
    if (invite === undefined) return INVITE_INVALID;
    return marked(db, user.sub, await serverActor(env, invite.serverId).join(user.sub, params.code));
  });
  serve(app, "revokeInvite", async ({ env, db, params, user }) => {
    const [invite] = await db.query(serverOfInvite, [params.code]);
    if (invite === undefined) return INVITE_INVALID;
    return serverActor(env, invite.serverId).revokeInvite(user.sub, params.code, invite.createdBy);
  });
}
