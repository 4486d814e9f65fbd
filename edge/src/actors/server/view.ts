import type { Channel, Member, Overwrite, Presence, Role, Server } from "@lescopains/protocol/entities";
import type { ServerId } from "@lescopains/protocol/ids";
import type { PermissionBits } from "@lescopains/protocol/permissions";
import type { Profile } from "./access.ts";
import {
  type ChannelState,
  inOrder,
  type MemberState,
  type OverwriteState,
  type RoleState,
  type ServerState,
} from "./state.ts";

export function roleView(serverId: ServerId, role: RoleState): Role {
  return { ...role, serverId, permissions: String(role.permissions) };
}

export function overwriteView(overwrite: OverwriteState): Overwrite {
  return { ...overwrite, allow: String(overwrite.allow), deny: String(overwrite.deny) };
}

/** A channel for readers with these permissions. `lastSeq`, `messageSeq` and `readSeq` are 0 until `withMarks` (db/channels.ts) fills them. */
export function channelView(serverId: ServerId, channel: ChannelState, bits: PermissionBits): Channel {
  return {
    ...channel,
    serverId,
    overwrites: [...channel.overwrites.values()].map(overwriteView),
    permissions: String(bits),
    lastSeq: 0,
    messageSeq: 0,
    readSeq: 0,
  };
}

/** A server for members of this profile; marks are 0. */
export function serverView(state: ServerState, profile: Profile): Server {
  const { id, name, iconUrl, ownerId, encrypted, createdAt, members } = state;
  const channels: Channel[] = [];
  for (const channel of inOrder(state.channels.values())) {
    const bits = profile.channels.get(channel.id);
    if (bits !== undefined) channels.push(channelView(id, channel, bits));
  }
  const roles = inOrder(state.roles.values()).map((role) => roleView(id, role));
  const permissions = String(profile.server);
  return { id, name, iconUrl, ownerId, encrypted, createdAt, memberCount: members.size, permissions, channels, roles };
}

export function memberView(member: MemberState, presence: Omit<Presence, "userId">): Member {
  return { user: member.user, roleIds: [...member.roleIds], joinedAt: member.joinedAt, ...presence };
}
