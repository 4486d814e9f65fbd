import type { Channel, DirectChannel, Role, Server } from "@lescopains/protocol/entities";
import type { ChannelId, RoleId, ServerId } from "@lescopains/protocol/ids";
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { perId } from "./per-id.ts";

/** The servers and channels that one may see. */
export interface Directory {
  readonly servers: ReadonlySignal<readonly Server[]>;
  readonly dms: ReadonlySignal<readonly DirectChannel[]>;
  readonly server: (serverId: ServerId) => ReadonlySignal<Server | undefined>;
  readonly channels: (serverId: ServerId) => ReadonlySignal<readonly Channel[]>;
  readonly channel: (channelId: ChannelId) => ReadonlySignal<Channel | DirectChannel | undefined>;
  /** Everything anew, at `ready`. */
  readonly replace: (servers: readonly Server[], dms: readonly DirectChannel[]) => void;
  readonly putServer: (server: Server) => void;
  readonly dropServer: (serverId: ServerId) => void;
  readonly putChannel: (channel: Channel | DirectChannel) => void;
  readonly dropChannel: (channelId: ChannelId) => void;
  readonly putRole: (role: Role) => void;
  readonly dropRole: (serverId: ServerId, roleId: RoleId) => void;
  /** Someone joined (1) or left (-1). */
  readonly addMembers: (serverId: ServerId, delta: 1 | -1) => void;
}

export function createDirectory(): Directory {
  /** A Map keeps the order in which servers were first put: that of joining. */
  const byId = signal<ReadonlyMap<ServerId, Server>>(new Map());
  const dms = signal<readonly DirectChannel[]>([]);
  const channelsById = computed(
    () =>
      new Map(
        [...[...byId.value.values()].flatMap((server) => server.channels), ...dms.value].map((one) => [one.id, one]),
      ),
  );

  function update(serverId: ServerId, change: (server: Server) => Server): void {
    const server = byId.peek().get(serverId);
    if (server !== undefined) byId.value = new Map(byId.peek()).set(serverId, change(server));
  }

  return {
    servers: computed(() => [...byId.value.values()]),
    dms,
    server: perId((serverId) => computed(() => byId.value.get(serverId))),
    channels: perId((serverId) => computed(() => (byId.value.get(serverId)?.channels ?? []).toSorted(byPosition))),
    channel: perId((channelId) => computed(() => channelsById.value.get(channelId))),
    replace(servers, directs) {
      byId.value = new Map(servers.map((server) => [server.id, server]));
      dms.value = directs;
    },
    putServer(server) {
      byId.value = new Map(byId.peek()).set(server.id, server);
    },
    dropServer(serverId) {
      const next = new Map(byId.peek());
      if (next.delete(serverId)) byId.value = next;
    },
    putChannel(channel) {
      if (isDirect(channel)) {
        dms.value = [...dms.peek().filter(({ id }) => id !== channel.id), channel];
        return;
      }
      if (channel.serverId === null) return;
      update(channel.serverId, (server) => ({
        ...server,
        channels: [...server.channels.filter(({ id }) => id !== channel.id), channel],
      }));
    },
    dropChannel(channelId) {
      const channel = channelsById.peek().get(channelId);
      if (channel === undefined) return;
      if (isDirect(channel)) {
        dms.value = dms.peek().filter(({ id }) => id !== channelId);
        return;
      }
      if (channel.serverId === null) return;
      update(channel.serverId, (server) => ({
        ...server,
        channels: server.channels.filter(({ id }) => id !== channelId),
      }));
    },
    putRole(role) {
      update(role.serverId, (server) => ({
        ...server,
        roles: [...server.roles.filter(({ id }) => id !== role.id), role],
      }));
    },
    dropRole(serverId, roleId) {
      update(serverId, (server) => ({ ...server, roles: server.roles.filter(({ id }) => id !== roleId) }));
    },
    addMembers(serverId, delta) {
      update(serverId, (server) => ({ ...server, memberCount: Math.max(1, server.memberCount + delta) }));
    },
  };
}

function byPosition(a: Channel, b: Channel): number {
  return a.position - b.position || (a.id < b.id ? -1 : 1);
}

/** A conversation of people rather than a channel of a server. */
function isDirect(channel: Channel | DirectChannel): channel is DirectChannel {
  return "participants" in channel;
}
