import type { AnyDown } from "@lescopains/protocol/down";
import type { Server } from "@lescopains/protocol/entities";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import type { PermissionBits } from "@lescopains/protocol/permissions";
import { AccessTable, type Profile } from "./access.ts";
import type { PresenceTable } from "./presence.ts";
import type { ServerState } from "./state.ts";
import { channelView, serverView } from "./view.ts";

/** What must be told after a change, before it is answered. Fits `ServerChange` of the gateway. */
export interface Effects {
  readonly version: number;
  /** Of connected people whose set of viewable channels is another one now. */
  readonly access: { readonly userId: UserId; readonly channelIds: ChannelId[] | null }[];
  readonly events: { readonly to: "members" | readonly UserId[]; readonly event: AnyDown }[];
  /** Channels whose actors must forget the permissions they keep. */
  readonly recheck: "all" | readonly ChannelId[];
  /** Channels whose own row changed. */
  readonly reload?: readonly ChannelId[];
  /** Of those, the ones that were plain and are encrypted now. */
  readonly sealed?: readonly ChannelId[];
  /** Channels that were deleted. */
  readonly removed?: readonly ChannelId[];
  /** The server itself was deleted: nothing of it may be used any more. */
  readonly isGone?: true;
}

/** What a change touches beside permissions. */
export interface Touched {
  /** The server's own row: everyone is told. */
  readonly server?: boolean;
  /** Rows of channels: whoever can view them is told. */
  readonly channels?: readonly ChannelId[];
  /** Told first. */
  readonly events?: Effects["events"];
  /** Where cached permissions may be wrong now; all channels unless said. */
  readonly recheck?: Effects["recheck"];
}

/** More changed channels than this for one group of people: they get the whole server once instead. */
const MANY_CHANNELS = 20;

/** A server in memory: its state, who may do what in it, who is connected. Decides what to tell whom after a change. */
export class ServerCore {
  readonly state: ServerState;
  readonly presence: PresenceTable;
  readonly #access: AccessTable;
  readonly #views = new WeakMap<Profile, Server>();
  #sorted: { readonly version: number; readonly ids: readonly UserId[] } | undefined;

  constructor(state: ServerState, presence: PresenceTable) {
    this.state = state;
    this.presence = presence;
    this.#access = new AccessTable(state);
  }

  /** What a member may do; undefined for anyone else. */
  access(userId: UserId): Profile | undefined {
    return this.#access.of(userId);
  }

  /** Permissions in the server at large; none for anyone but members. */
  permissions(userId: UserId): PermissionBits {
    return this.#access.of(userId)?.server ?? 0n;
  }

  /** The server as a member sees it (marks are 0); undefined for anyone else. */
  view(userId: UserId): Server | undefined {
    const profile = this.#access.of(userId);
    return profile && this.#viewOf(profile);
  }

  /** Connected members, but for one. */
  others(userId: UserId): UserId[] {
    return [...this.presence.users()].filter((other) => other !== userId);
  }

  /** What every connected person may view now, for gateways that may hold something older. */
  currentAccess(): Effects["access"] {
    return [...this.presence.users()].map((userId) => ({
      userId,
      channelIds: this.#access.of(userId)?.channelIds ?? null,
    }));
  }

  /**
   * Makes a change that may move permissions and says what follows for connected people: which channels they gained and
   * lost, and the changed views, grouped so that readers who see the same get one event.
   * @param scope whose permissions can change at all
   */
  change(version: number, scope: "everyone" | readonly UserId[], mutate: () => void, touched: Touched = {}): Effects {
    const users = scope === "everyone" ? [...this.presence.users()] : scope.filter((id) => this.presence.isOnline(id));
    const before = users.map((userId) => this.#access.of(userId));
    mutate();
    this.state.version = version;
    this.#access.forget();
    const groups = grouped(users, before, (userId) => this.#access.of(userId));
    const access: Effects["access"] = [];
    const events = [...(touched.events ?? [])];
    const audiences = new Map<string, Audience>();
    for (const group of groups) this.#compare(group, touched, access, events, audiences);
    for (const { channelId, bits, users: to } of audiences.values()) {
      const channel = this.state.channels.get(channelId);
      if (channel === undefined) continue;
      events.push({
        to,
        event: { event: "channel:updated", body: { channel: channelView(this.state.id, channel, bits) } },
      });
    }
    return { version, access, events, recheck: touched.recheck ?? "all" };
  }

  /** One group of people with the same permissions before and the same after. */
  #compare(
    { users, before, after }: Group,
    touched: Touched,
    access: Effects["access"],
    events: Effects["events"],
    audiences: Map<string, Audience>,
  ): void {
    if (before === undefined || after === undefined) return;
    const { id, channels } = this.state;
    const lost = before.channelIds.filter((channelId) => !after.channels.has(channelId));
    const gained = after.channelIds.filter((channelId) => !before.channels.has(channelId));
    if (lost.length > 0 || gained.length > 0) {
      for (const userId of users) access.push({ userId, channelIds: after.channelIds });
    }
    for (const channelId of lost) {
      events.push({ to: users, event: { event: "channel:deleted", body: { serverId: id, channelId } } });
    }
    for (const channelId of gained) {
      const channel = channels.get(channelId);
      const bits = after.channels.get(channelId);
      if (channel === undefined || bits === undefined) continue;
      events.push({
        to: users,
        event: { event: "channel:created", body: { channel: channelView(id, channel, bits) } },
      });
    }
    const changed = after.channelIds.filter((channelId) => {
      const bits = before.channels.get(channelId);
      return (
        bits !== undefined && (bits !== after.channels.get(channelId) || touched.channels?.includes(channelId) === true)
      );
    });
    if (touched.server === true || before.server !== after.server || changed.length > MANY_CHANNELS) {
      events.push({ to: users, event: { event: "server:updated", body: { server: this.#viewOf(after) } } });
      return;
    }
    for (const channelId of changed) {
      const bits = after.channels.get(channelId) ?? 0n;
      const key = `${channelId} ${bits}`;
      const audience = audiences.get(key);
      if (audience === undefined) audiences.set(key, { channelId, bits, users: [...users] });
      else audience.users.push(...users);
    }
  }

  /** Member ids in the order of pages. */
  memberIds(): readonly UserId[] {
    if (this.#sorted?.version !== this.state.version) {
      this.#sorted = { version: this.state.version, ids: [...this.state.members.keys()].toSorted() };
    }
    return this.#sorted.ids;
  }

  #viewOf(profile: Profile): Server {
    let view = this.#views.get(profile);
    if (view === undefined) {
      view = serverView(this.state, profile);
      this.#views.set(profile, view);
    }
    return { ...view, memberCount: this.state.members.size };
  }
}

interface Audience {
  readonly channelId: ChannelId;
  readonly bits: PermissionBits;
  readonly users: UserId[];
}

interface Group {
  readonly users: UserId[];
  readonly before: Profile | undefined;
  readonly after: Profile | undefined;
}

function grouped(
  users: readonly UserId[],
  before: readonly (Profile | undefined)[],
  after: (userId: UserId) => Profile | undefined,
): Group[] {
  const groups = new Map<Profile | undefined, Map<Profile | undefined, Group>>();
  users.forEach((userId, index) => {
    const [was, is] = [before[index], after(userId)];
    let byAfter = groups.get(was);
    if (byAfter === undefined) groups.set(was, (byAfter = new Map()));
    const group = byAfter.get(is);
    if (group === undefined) byAfter.set(is, { users: [userId], before: was, after: is });
    else group.users.push(userId);
  });
  return [...groups.values()].flatMap((byAfter) => [...byAfter.values()]);
}
