import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import type { PermissionBits } from "@lescopains/protocol/permissions";
import { channelPermissions, serverPermissions } from "../../permissions/compute.ts";
import type { MemberState, ServerState } from "./state.ts";

/** What everyone with the same roles (and without overwrites of their own) may do. */
export interface Profile {
  /** In the server at large. */
  readonly server: PermissionBits;
  /** The channels that may be viewed, each with what may be done there. */
  readonly channels: ReadonlyMap<ChannelId, PermissionBits>;
  readonly channelIds: ChannelId[];
}

/** Combinations of roles kept; a server with more starts over, which costs time and nothing else. */
const MAX_PROFILES = 2_000;

/**
 * Who may do what in a server, computed once for each combination of roles: thousands of members have a handful of
 * combinations. Members with an overwrite of their own somewhere have a profile of their own.
 */
export class AccessTable {
  readonly #state: ServerState;
  readonly #profiles = new Map<string, Profile>();
  #personal: Set<string> | undefined;

  constructor(state: ServerState) {
    this.#state = state;
  }

  /** The profile of a member; undefined for anyone else. The same object for all who share it, until `forget`. */
  of(userId: UserId): Profile | undefined {
    const member = this.#state.members.get(userId);
    if (member === undefined) return undefined;
    const isOwner = this.#state.ownerId === userId;
    const key = isOwner
      ? "owner"
      : this.#withOwnOverwrites().has(userId)
        ? `${userId}@${member.roleKey}`
        : member.roleKey;
    const known = this.#profiles.get(key);
    if (known !== undefined) return known;
    if (this.#profiles.size >= MAX_PROFILES) this.#profiles.clear();
    const profile = compute(this.#state, member, isOwner);
    this.#profiles.set(key, profile);
    return profile;
  }

  /** To be called after roles, channels, overwrites, the owner or a name changed. */
  forget(): void {
    this.#profiles.clear();
    this.#personal = undefined;
  }

  #withOwnOverwrites(): Set<string> {
    if (this.#personal !== undefined) return this.#personal;
    const personal = new Set<string>();
    for (const { overwrites } of this.#state.channels.values()) {
      for (const { targetId, targetType } of overwrites.values()) if (targetType === "member") personal.add(targetId);
    }
    this.#personal = personal;
    return personal;
  }
}

function compute(state: ServerState, member: MemberState, isOwner: boolean): Profile {
  const roles = [state.defaultRoleId, ...member.roleIds].map((id) => state.roles.get(id)?.permissions ?? 0n);
  const server = serverPermissions(isOwner, roles);
  const holder = { userId: member.user.id, defaultRoleId: state.defaultRoleId, roleIds: member.roleIds };
  const channels = new Map<ChannelId, PermissionBits>();
  for (const channel of state.channels.values()) {
    const bits = channelPermissions(server, channel.overwrites, holder);
    if (bits !== 0n) channels.set(channel.id, bits);
  }
  return { server, channels, channelIds: [...channels.keys()] };
}
