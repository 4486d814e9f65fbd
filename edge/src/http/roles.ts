import { serverActor } from "../platform/actors.ts";
import { type App, serve } from "./route.ts";

export function roleRoutes(app: App): void {
  serve(app, "createRole", ({ env, params, body, user }) => serverActor(env, params.id).createRole(user.sub, body));
  serve(app, "patchRole", ({ env, params, body, user }) =>
    serverActor(env, params.id).updateRole(user.sub, params.roleId, body),
  );
  serve(app, "deleteRole", ({ env, params, user }) => serverActor(env, params.id).deleteRole(user.sub, params.roleId));
}
