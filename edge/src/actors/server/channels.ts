import type { Channel, Overwrite } from "@lescopains/protocol/entities";
import type { ChannelId, RoleId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import type { ChannelCreate, ChannelPatch, OverwriteBody } from "@lescopains/protocol/rest";
import { createChannel, deleteChannel, deleteOverwrite, putOverwrite, updateChannel } from "../../db/channels.ts";
import { type Refusal, refuse } from "@lescopains/protocol/outcome";
import type { ServerCore } from "./core.ts";
import { done, type Mutation, refused, STALE } from "./mutation.ts";
import { allowed, allowedIn, member, overwritable, viewable } from "./rules.ts";
import { type ChannelState, moved, type OverwriteState } from "./state.ts";
import { channelView, overwriteView } from "./view.ts";

const NO_CHANNEL: Refusal = refuse("not_found", "no such channel");

/** A new channel stands at the end. */
export function create(userId: UserId, channelId: ChannelId, input: ChannelCreate): Mutation<Channel> {
  return async (core, db) => {
    const { state } = core;
    const denied = allowed(core, userId, "manageChannels");
    if (denied !== null) return refused(denied);
    const parentId = input.parentId ?? null;
    if (parentId !== null) {
      const parent = viewable(core, userId, parentId);
      if (parent === undefined) return refuse("not_found", "no such parent channel");
      if (parent.parentId !== null) return refuse("invalid_request", "channels nest one level deep");
    }
    if (state.channels.size >= LIMITS.channelsPerServer)
      return refuse("limit_reached", "this server has too many channels");
    const position = Math.max(-1, ...[...state.channels.values()].map((channel) => channel.position)) + 1;
    const { name, type, encrypted } = input;
    const topic = input.topic ?? null;
    const [row] = await db.query(createChannel, [
      state.id,
      state.version,
      channelId,
      name,
      type,
      topic,
      encrypted,
      parentId,
      position,
    ]);
    if (row === undefined) return STALE;
    const { createdAt } = row;
    const channel: ChannelState = {
      id: channelId,
      name,
      type,
      topic,
      encrypted,
      parentId,
      position,
      createdAt,
      overwrites: new Map(),
    };
    const apply = () => void state.channels.set(channelId, channel);
    const effects = core.change(row.version, "everyone", apply, { recheck: [] });
    return done(view(core, userId, channel), effects);
  };
}

export function update(userId: UserId, channelId: ChannelId, patch: ChannelPatch): Mutation<Channel> {
  return async (core, db) => {
    const { state } = core;
    const denied = allowedIn(core, userId, channelId, "manageChannels");
    if (denied !== null) return refused(denied);
    const channel = state.channels.get(channelId);
    if (channel === undefined) return NO_CHANNEL;
    if (patch.position !== undefined) {
      // Moving one channel moves others, which takes the permission for all of them.
      const everywhere = allowed(core, userId, "manageChannels");
      if (everywhere !== null) return refused(everywhere);
    }
    const moves = patch.position === undefined ? [] : moved(state.channels.values(), channelId, patch.position, 0);
    const next: ChannelState = {
      ...channel,
      name: patch.name ?? channel.name,
      topic: patch.topic === undefined ? channel.topic : patch.topic,
      encrypted: channel.encrypted || patch.encrypted === true,
      position: moves.find(({ id }) => id === channelId)?.position ?? channel.position,
    };
    const [row] = await db.query(updateChannel, [
      state.id,
      state.version,
      channelId,
      next.name,
      next.topic,
      next.encrypted,
      moves.map(({ id }) => id),
      moves.map(({ position }) => position),
    ]);
    if (row === undefined) return STALE;
    const apply = () => {
      for (const { id, position } of moves) {
        const other = state.channels.get(id);
        if (other !== undefined) state.channels.set(id, { ...other, position });
      }
      state.channels.set(channelId, next);
    };
    const effects = core.change(row.version, "everyone", apply, {
      channels: [channelId, ...moves.map(({ id }) => id)],
      recheck: [],
    });
    const sealed = next.encrypted && !channel.encrypted ? [channelId] : [];
    return done(view(core, userId, next), { ...effects, reload: [channelId], sealed });
  };
}

/** Deletes a channel with its messages. */
export function remove(userId: UserId, channelId: ChannelId): Mutation<undefined> {
  return async (core, db) => {
    const { state } = core;
    const denied = allowedIn(core, userId, channelId, "manageChannels");
    if (denied !== null) return refused(denied);
    const [row] = await db.query(deleteChannel, [state.id, state.version, channelId]);
    if (row === undefined) return STALE;
    const orphans = [...state.channels.values()].filter(({ parentId }) => parentId === channelId);
    const apply = () => {
      state.channels.delete(channelId);
      for (const orphan of orphans) state.channels.set(orphan.id, { ...orphan, parentId: null });
    };
    const effects = core.change(row.version, "everyone", apply, {
      channels: orphans.map(({ id }) => id),
      recheck: [],
    });
    return done(undefined, { ...effects, removed: [channelId] });
  };
}

export function overwrite(
  userId: UserId,
  channelId: ChannelId,
  targetId: RoleId | UserId,
  body: OverwriteBody,
): Mutation<Overwrite> {
  return async (core, db) => {
    const { state } = core;
    const channel = state.channels.get(channelId);
    if (member(core, userId) !== null || channel === undefined) return NO_CHANNEL;
    const before = channel.overwrites.get(targetId);
    const [allow, deny] = [BigInt(body.allow), BigInt(body.deny)];
    const after: OverwriteState = { targetId, targetType: body.type, allow, deny };
    const verdict = overwritable(core, userId, channelId, before, after);
    if (verdict !== null) return refused(verdict);
    if (before === undefined && channel.overwrites.size >= LIMITS.overwritesPerChannel) {
      return refuse("limit_reached", "this channel has too many overwrites");
    }
    const [row] = await db.query(putOverwrite, [
      state.id,
      state.version,
      channelId,
      targetId,
      body.type,
      String(allow),
      String(deny),
    ]);
    if (row === undefined) return STALE;
    const overwrites = new Map(channel.overwrites).set(targetId, after);
    return done(overwriteView(after), rewrite(core, row.version, { ...channel, overwrites }));
  };
}

export function removeOverwrite(userId: UserId, channelId: ChannelId, targetId: RoleId | UserId): Mutation<undefined> {
  return async (core, db) => {
    const { state } = core;
    const channel = state.channels.get(channelId);
    if (member(core, userId) !== null || channel === undefined) return NO_CHANNEL;
    const before = channel.overwrites.get(targetId);
    const verdict = overwritable(core, userId, channelId, before, undefined);
    if (verdict !== null) return refused(verdict);
    if (before === undefined) return refuse("not_found", "no such overwrite");
    const [row] = await db.query(deleteOverwrite, [state.id, state.version, channelId, targetId]);
    if (row === undefined) return STALE;
    const overwrites = new Map(channel.overwrites);
    overwrites.delete(targetId);
    return done(undefined, rewrite(core, row.version, { ...channel, overwrites }));
  };
}

function rewrite(core: ServerCore, version: number, channel: ChannelState) {
  return core.change(version, "everyone", () => void core.state.channels.set(channel.id, channel), {
    channels: [channel.id],
    recheck: [channel.id],
  });
}

function view(core: ServerCore, userId: UserId, channel: ChannelState): Channel {
  return channelView(core.state.id, channel, core.access(userId)?.channels.get(channel.id) ?? 0n);
}
