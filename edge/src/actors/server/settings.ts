import type { Server } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import type { ServerPatch } from "@lescopains/protocol/rest";
import { deleteServer, updateServer } from "../../db/servers.ts";
import type { ServerCore } from "./core.ts";
import { done, type Mutation, NO_SERVER, refused, STALE } from "./mutation.ts";
import { allowed, owner, type Verdict } from "./rules.ts";

/** [SRV5] Renames the server (`manageServer`) or hands it over (the owner, to a member). */
export function update(userId: UserId, patch: ServerPatch): Mutation<Server> {
  return async (core, db) => {
    const { state } = core;
    const verdict = updatable(core, userId, patch);
    if (verdict !== null) return refused(verdict);
    const name = patch.name ?? state.name;
    const ownerId = patch.ownerId ?? state.ownerId;
    if (name !== state.name || ownerId !== state.ownerId) {
      const [row] = await db.query(updateServer, [state.id, state.version, name, ownerId]);
      if (row === undefined) return STALE;
      const isHandedOver = ownerId !== state.ownerId;
      const effects = core.change(row.version, "everyone", () => Object.assign(state, { name, ownerId }), {
        server: true,
        recheck: isHandedOver ? "all" : [],
      });
      const renamed = core.view(userId);
      return renamed === undefined ? NO_SERVER : done(renamed, effects);
    }
    const view = core.view(userId);
    return view === undefined ? NO_SERVER : done(view);
  };
}

function updatable(core: ServerCore, userId: UserId, { name, ownerId }: ServerPatch): Verdict {
  if (ownerId !== undefined) {
    const denied = owner(core, userId);
    if (denied !== null) return denied;
    if (!core.state.members.has(ownerId)) return { code: "not_found", message: "the new owner is not a member" };
  }
  return name === undefined && ownerId !== undefined ? null : allowed(core, userId, "manageServer");
}

/** Deletes the server with everything in it. The actor has no state after it. */
export function destroy(userId: UserId): Mutation<undefined> {
  return async (core, db) => {
    const { state, presence } = core;
    const denied = owner(core, userId);
    if (denied !== null) return refused(denied);
    const [row] = await db.query(deleteServer, [state.id, state.version]);
    if (row === undefined) return STALE;
    const users = [...presence.users()];
    const body = { serverId: state.id, reason: "deleted" } as const;
    return done(undefined, {
      version: state.version + 1,
      access: users.map((id) => ({ userId: id, channelIds: null })),
      events: users.length === 0 ? [] : [{ to: users, event: { event: "server:left", body } }],
      recheck: "all",
      isGone: true,
    });
  };
}
