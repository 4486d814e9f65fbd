import { LIMITS } from "@lescopains/protocol/limits";
import type { Instance } from "@lescopains/protocol/instance";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { inviteCode } from "../actors/server/invite-code.ts";
import { secretHash } from "../auth/link-secret.ts";
import { toSelf } from "../db/accounts.ts";
import {
  claimInstance,
  createInstanceInvite,
  instanceInvites,
  type InstanceRow,
  instanceRow,
  patchInstance,
  revokeInstanceInvite,
} from "../db/instance.ts";
import { settings } from "../platform/env.ts";
import { log } from "../platform/logger.ts";
import { VERSION } from "../platform/version.ts";
import { type App, serve } from "./route.ts";

function instance(row: InstanceRow | undefined): Outcome<Instance> {
  return row === undefined ? refuse("forbidden", "this is for operators") : ok({ ...row, version: VERSION });
}

/** What the place is, who may come in, and who runs it first. */
export function instanceRoutes(app: App): void {
  serve(app, "getInstance", async ({ env, db }) => {
    const [row] = await db.query(instanceRow, [settings(env).REGISTRATION]);
    return instance(row);
  });

  serve(app, "claimInstance", async ({ db, user, body }) => {
    const [row] = await db.query(claimInstance, [await secretHash(body.secret), user.sub]);
    if (row === undefined) return refuse("forbidden", "this link was used, or a later start made another one");
    log.info("the instance has its first operator", { userId: user.sub });
    return ok(toSelf(row));
  });

  serve(app, "patchInstance", async ({ env, db, user, body }) => {
    const { name = null, registration = null, serverInvites = null } = body;
    const [row] = await db.query(patchInstance, [
      name,
      registration,
      serverInvites,
      settings(env).REGISTRATION,
      user.sub,
      JSON.stringify(body),
    ]);
    return instance(row);
  });

  serve(app, "listInstanceInvites", async ({ db }) =>
    ok({ invites: await db.query(instanceInvites, [LIMITS.instanceInvites]) }),
  );

  serve(app, "createInstanceInvite", async ({ db, user, body }) => {
    const code = inviteCode((bytes) => crypto.getRandomValues(bytes));
    const [made] = await db.query(createInstanceInvite, [
      user.sub,
      code,
      body.expiresIn,
      body.maxUses,
      LIMITS.instanceInvites,
    ]);
    return made === undefined ? refuse("limit_reached", "there are too many invites already") : ok(made);
  });

  serve(app, "revokeInstanceInvite", async ({ db, user, params }) => {
    const gone = await db.query(revokeInstanceInvite, [user.sub, params.code]);
    return gone.length === 0 ? refuse("invite_invalid", "no such invite") : ok();
  });
}
