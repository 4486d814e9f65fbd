import type { ChannelId, ServerId, UserId } from "@lescopains/protocol/ids";
import type { Access, LocalPresence } from "./messages.ts";

/** A person with at least one socket on this gateway. `S` is the socket. */
export interface LocalUser<S> {
  readonly id: UserId;
  readonly sockets: Set<S>;
  readonly servers: Set<ServerId>;
  presence: LocalPresence;
}

/** What this gateway knows of one server: which local people may view which channel. */
class View {
  /** True once every local member's access is known; after hibernation it has to be asked for. */
  complete = false;
  /** Newest `servers.version` that told of a person, also when it told that they left. */
  readonly versions = new Map<UserId, number>();
  readonly viewers = new Map<ChannelId, Set<UserId>>();
}

/**
 * Who is on this gateway, in which servers, and what they may view. Pure bookkeeping: no clock, no I/O.
 * Everything in it can be rebuilt from the sockets' own data and from the server actors.
 */
export class Roster<S> {
  readonly #users = new Map<UserId, LocalUser<S>>();
  readonly #members = new Map<ServerId, Set<UserId>>();
  readonly #views = new Map<ServerId, View>();
  /** Sockets by channel, flattened for the broadcast; dropped whenever anything changes. */
  readonly #targets = new Map<ChannelId, readonly S[]>();

  user(userId: UserId): LocalUser<S> | undefined {
    return this.#users.get(userId);
  }

  users(): Iterable<LocalUser<S>> {
    return this.#users.values();
  }

  /** Local members of a server. */
  members(serverId: ServerId): ReadonlySet<UserId> {
    return this.#members.get(serverId) ?? new Set();
  }

  /** Adds a socket of a person. */
  add(userId: UserId, socket: S, presence: LocalPresence): LocalUser<S> {
    let user = this.#users.get(userId);
    if (user === undefined) {
      user = { id: userId, sockets: new Set(), servers: new Set(), presence };
      this.#users.set(userId, user);
    }
    user.sockets.add(socket);
    this.#targets.clear();
    return user;
  }

  /** Removes a socket. Answers the person when it was their last one here, and forgets them. */
  remove(userId: UserId, socket: S): LocalUser<S> | undefined {
    const user = this.#users.get(userId);
    if (user === undefined || !user.sockets.delete(socket)) return undefined;
    this.#targets.clear();
    if (user.sockets.size > 0) return undefined;
    this.#users.delete(userId);
    for (const serverId of user.servers) {
      this.#leave(serverId, userId);
      this.#views.get(serverId)?.versions.delete(userId);
    }
    return user;
  }

  /** Notes that a local person is in a server, before it is known what they may view there. */
  join(serverId: ServerId, userId: UserId): void {
    const user = this.#users.get(userId);
    if (user === undefined) return;
    user.servers.add(serverId);
    let members = this.#members.get(serverId);
    if (members === undefined) {
      members = new Set();
      this.#members.set(serverId, members);
      // The first local member: there is nobody else to ask about.
      this.#view(serverId).complete = true;
    }
    members.add(userId);
  }

  /** True when the access of some local member is not known: `apply` what the server actor says, then `completed`. */
  isIncomplete(serverId: ServerId): boolean {
    return this.members(serverId).size > 0 && !this.#view(serverId).complete;
  }

  completed(serverId: ServerId): void {
    this.#view(serverId).complete = true;
  }

  /** After hibernation: members are known from the sockets, their access is not. */
  forgetAccess(): void {
    this.#views.clear();
    this.#targets.clear();
  }

  /** Takes in what a local person may view, unless something newer is known. False: it was older. */
  apply(serverId: ServerId, version: number, { userId, channelIds }: Access): boolean {
    const view = this.#view(serverId);
    if (!this.#users.has(userId) || version < (view.versions.get(userId) ?? 0)) return false;
    view.versions.set(userId, version);
    this.#targets.clear();
    if (channelIds === null) {
      this.#leave(serverId, userId);
      this.#users.get(userId)?.servers.delete(serverId);
      return true;
    }
    this.join(serverId, userId);
    const visible = new Set(channelIds);
    for (const [channelId, viewers] of view.viewers) if (!visible.has(channelId)) viewers.delete(userId);
    for (const channelId of visible) {
      const viewers = view.viewers.get(channelId);
      if (viewers === undefined) view.viewers.set(channelId, new Set([userId]));
      else viewers.add(userId);
    }
    return true;
  }

  /** Sockets of the people here who may view a channel. */
  viewing(serverId: ServerId, channelId: ChannelId): readonly S[] {
    const known = this.#targets.get(channelId);
    if (known !== undefined) return known;
    const targets = this.socketsOf(this.#views.get(serverId)?.viewers.get(channelId) ?? []);
    this.#targets.set(channelId, targets);
    return targets;
  }

  /** Sockets of some people, those who are not here left out. */
  socketsOf(userIds: Iterable<UserId>): readonly S[] {
    const sockets: S[] = [];
    for (const userId of userIds) for (const socket of this.#users.get(userId)?.sockets ?? []) sockets.push(socket);
    return sockets;
  }

  #view(serverId: ServerId): View {
    let view = this.#views.get(serverId);
    if (view === undefined) {
      view = new View();
      this.#views.set(serverId, view);
    }
    return view;
  }

  #leave(serverId: ServerId, userId: UserId): void {
    const view = this.#views.get(serverId);
    for (const viewers of view?.viewers.values() ?? []) viewers.delete(userId);
    const members = this.#members.get(serverId);
    members?.delete(userId);
    if (members?.size === 0) this.#members.delete(serverId);
  }
}
