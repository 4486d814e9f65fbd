import type { AnyDown } from "@lescopains/protocol/down";
import type { ChannelId, RoleId, ServerId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { ALL_PERMISSIONS, DEFAULT_PERMISSIONS, PERMISSIONS } from "@lescopains/protocol/permissions";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Database } from "../../db/port.ts";
import * as channels from "./channels.ts";
import { type Effects, ServerCore } from "./core.ts";
import * as membership from "./membership.ts";
import { type Mutation, STALE } from "./mutation.ts";
import { PresenceTable } from "./presence.ts";
import * as roles from "./roles.ts";
import * as settings from "./settings.ts";
import { memberState, type ServerState } from "./state.ts";

const SERVER = "server" as ServerId;
const EVERYONE = "role-0" as RoleId;
const id = (kind: string, index: number) => `${kind}-${index}`;
const userId = (index: number) => id("user", index) as UserId;
const channelId = (index: number) => id("channel", index) as ChannelId;
const roleId = (index: number) => id("role", index) as RoleId;

const USERS = 6;
const CHANNELS = 4;

/** Owner user-0 and members up to `members`; a default role; one channel that all may view. */
function newState(members = 4): ServerState {
  const everyone = {
    id: EVERYONE,
    name: "everyone",
    permissions: DEFAULT_PERMISSIONS,
    color: null,
    position: 0,
    isDefault: true,
  };
  const general = {
    id: channelId(0),
    name: "general",
    type: "text" as const,
    topic: null,
    position: 0,
    parentId: null,
    encrypted: false,
    createdAt: "2026-11-01T00:00:00.000Z",
    overwrites: new Map(),
  };
  return {
    id: SERVER,
    name: "Friends",
    iconUrl: null,
    ownerId: userId(0),
    encrypted: false,
    createdAt: "2026-11-01T00:00:00.000Z",
    version: 1,
    defaultRoleId: EVERYONE,
    roles: new Map([[EVERYONE, everyone]]),
    channels: new Map([[general.id, general]]),
    members: new Map(Array.from({ length: members }, (_, index) => [userId(index), newMember(index)])),
  };
}

function newMember(index: number) {
  const user = { id: userId(index), username: `user${index}`, displayName: `User ${index}` };
  return memberState(user, [], "2026-11-01T00:00:00.000Z");
}

/** PostgreSQL that says yes to everything, as one that nobody else writes to does. */
function agreeing(core: ServerCore): Database {
  return {
    query: async <Row>(_statement: unknown, values: readonly unknown[]): Promise<Row[]> => {
      const joiner = String(values[3]);
      const row = {
        version: core.state.version + 1,
        createdAt: "2026-11-02T00:00:00.000Z",
        joinedAt: "2026-11-02T00:00:00.000Z",
        username: joiner,
        displayName: joiner,
        marks: null,
        id: SERVER,
      };
      return [row as Row];
    },
  };
}

/** What gateways, channel actors and clients know, from nothing but what they are told. */
class World {
  readonly viewing = new Map<UserId, Set<ChannelId>>();
  /** Of each client: permissions by channel, permissions in the server, roles by id. */
  readonly clients = new Map<UserId, Client>();
  /** Of each channel actor: permissions it keeps. */
  readonly kept = new Map<ChannelId, Map<UserId, bigint>>();

  connect(core: ServerCore, user: UserId): void {
    const server = core.view(user);
    if (server === undefined) return;
    core.presence.set(user, 0, { status: "online" });
    this.viewing.set(user, new Set(server.channels.map((channel) => channel.id)));
    this.clients.set(user, clientOf(server));
  }

  /** Every channel actor asks for everyone. */
  ask(core: ServerCore): void {
    for (const channel of core.state.channels.keys()) {
      const bits = new Map<UserId, bigint>();
      for (let index = 0; index < USERS; index += 1) {
        const known = core.access(userId(index));
        if (known !== undefined) bits.set(userId(index), known.channels.get(channel) ?? 0n);
      }
      this.kept.set(channel, bits);
    }
  }

  told({ access, events, recheck, removed }: Effects): void {
    const before = new Set(this.viewing.keys());
    for (const { userId: user, channelIds } of access) {
      if (channelIds === null) this.viewing.delete(user);
      else if (this.clients.has(user) || CONNECTED.has(user)) this.viewing.set(user, new Set(channelIds));
    }
    for (const { to, event } of events) {
      for (const user of to === "members" ? this.viewing.keys() : to) {
        if (before.has(user) || CONNECTED.has(user)) this.#receive(user, event);
      }
    }
    for (const channel of recheck === "all" ? [...this.kept.keys()] : recheck) this.kept.delete(channel);
    for (const channel of removed ?? []) this.kept.delete(channel);
  }

  #receive(user: UserId, { event, body }: AnyDown): void {
    if (event === "server:joined") this.clients.set(user, clientOf(body.server));
    if (event === "server:left") this.clients.delete(user);
    const client = this.clients.get(user);
    if (client === undefined) return;
    if (event === "server:updated") Object.assign(client, clientOf(body.server));
    if (event === "channel:created" || event === "channel:updated") {
      if (event === "channel:created") expect(client.channels.has(body.channel.id)).toBe(false);
      if (event === "channel:updated") expect(client.channels.has(body.channel.id)).toBe(true);
      client.channels.set(body.channel.id, JSON.stringify(body.channel));
    }
    if (event === "channel:deleted") client.channels.delete(body.channelId);
    if (event === "role:created" || event === "role:updated") client.roles.set(body.role.id, JSON.stringify(body.role));
    if (event === "role:deleted") client.roles.delete(body.roleId);
  }
}

interface Client {
  permissions: string;
  name: string;
  channels: Map<string, string>;
  roles: Map<string, string>;
}

function clientOf(server: NonNullable<ReturnType<ServerCore["view"]>>): Client {
  return {
    permissions: server.permissions,
    name: server.name,
    channels: new Map(server.channels.map((channel) => [channel.id, JSON.stringify(channel)])),
    roles: new Map(server.roles.map((role) => [role.id, JSON.stringify(role)])),
  };
}

/** People with a socket, members or not. */
const CONNECTED = new Set([0, 1, 2, 4].map(userId));

const SOME_BITS = [
  PERMISSIONS.viewChannel,
  PERMISSIONS.sendMessages,
  PERMISSIONS.manageRoles,
  PERMISSIONS.manageChannels,
  PERMISSIONS.kickMembers,
  PERMISSIONS.administrator,
];
const bitSet = fc.subarray(SOME_BITS).map((chosen) => chosen.reduce((all, bit) => all | bit, 0n));
const anyUser = fc.nat(USERS - 1).map(userId);
/** Most attempts come from those who may do something. */
const actor = fc.constantFrom(0, 0, 0, 1, 1, 2, 3).map(userId);
const anyChannel = fc.nat(CHANNELS - 1).map(channelId);
const anyRole = fc.nat(3).map(roleId);

const mutation: fc.Arbitrary<Mutation<unknown>> = fc.oneof(
  fc.tuple(anyUser).map(([who]) => membership.join(who, "code")),
  fc.tuple(actor, anyUser).map(([by, who]) => membership.remove(by, who)),
  fc.tuple(actor, anyUser).map(([by, who]) => membership.ban(by, who, null)),
  fc
    .tuple(actor, anyUser, fc.uniqueArray(anyRole, { maxLength: 3 }))
    .map(([by, who, ids]) => membership.setRoles(by, who, ids)),
  fc
    .tuple(actor, anyRole, bitSet)
    .map(([by, role, bits]) => roles.create(by, role, { name: "r", permissions: String(bits), color: null })),
  fc
    .tuple(actor, anyRole, bitSet, fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }))
    .map(([by, role, bits, position]) =>
      roles.update(
        by,
        role,
        position === undefined ? { permissions: String(bits) } : { position, permissions: String(bits) },
      ),
    ),
  fc.tuple(actor, anyRole).map(([by, role]) => roles.remove(by, role)),
  fc
    .tuple(actor, anyChannel)
    .map(([by, channel]) => channels.create(by, channel, { name: channel, type: "text", encrypted: false })),
  fc
    .tuple(actor, anyChannel, fc.option(fc.nat(5), { nil: undefined }))
    .map(([by, channel, position]) =>
      channels.update(by, channel, position === undefined ? { name: "renamed" } : { position }),
    ),
  fc.tuple(actor, anyChannel).map(([by, channel]) => channels.remove(by, channel)),
  fc.tuple(actor, anyChannel, fc.oneof(anyRole, anyUser), bitSet, bitSet).map(([by, channel, target, allow, deny]) =>
    channels.overwrite(by, channel, target, {
      type: target.startsWith("role") ? "role" : "member",
      allow: String(allow),
      deny: String(deny & ~allow),
    }),
  ),
  fc
    .tuple(actor, anyChannel, fc.oneof(anyRole, anyUser))
    .map(([by, channel, target]) => channels.removeOverwrite(by, channel, target)),
  fc.tuple(actor, anyUser).map(([by, who]) => settings.update(by, { ownerId: who })),
  fc.tuple(actor, fc.constantFrom("A", "B")).map(([by, name]) => settings.update(by, { name })),
);

async function run(core: ServerCore, world: World, one: Mutation<unknown>): Promise<boolean> {
  const sizes = [core.state.roles.size, core.state.channels.size];
  const outcome = await one(core, agreeing(core));
  if (outcome === STALE || !outcome.ok) {
    expect([core.state.roles.size, core.state.channels.size]).toEqual(sizes);
    return false;
  }
  const { effects } = outcome.value;
  if (effects === undefined) return true;
  world.told(effects);
  for (const user of CONNECTED) {
    if (core.state.members.has(user)) core.presence.set(user, 0, { status: "online" });
  }
  return true;
}

/** Everything that was told is what a fresh computation gives. */
function agrees(core: ServerCore, world: World): void {
  const fresh = new ServerCore(core.state, new PresenceTable(250));
  for (const user of CONNECTED) {
    const server = fresh.view(user);
    expect(core.view(user)).toEqual(server);
    expect(world.viewing.get(user)).toEqual(server && new Set(server.channels.map((channel) => channel.id)));
    const client = world.clients.get(user);
    expect(client).toEqual(server && clientOf(server));
    for (const channel of core.state.channels.values()) {
      if (world.viewing.get(user)?.has(channel.id) !== true) continue;
      expect((fresh.access(user)?.channels.get(channel.id) ?? 0n) & PERMISSIONS.viewChannel).not.toBe(0n);
    }
  }
  for (const [channel, bits] of world.kept) {
    for (const [user, kept] of bits) expect(fresh.access(user)?.channels.get(channel) ?? 0n).toBe(kept);
  }
}

function start(members?: number): { core: ServerCore; world: World } {
  const core = new ServerCore(newState(members), new PresenceTable(250));
  const world = new World();
  for (const user of CONNECTED) world.connect(core, user);
  world.ask(core);
  return { core, world };
}

test("[PERM11] after any changes, gateways, channels and clients know what computing anew would give", async () => {
  let changes = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { maxLength: 60, size: "max" }), async (steps) => {
      const { core, world } = start();
      // The owner gives rights away first, so that others than the owner change things too.
      await run(
        core,
        world,
        roles.create(userId(0), roleId(1), { name: "mods", permissions: String(ALL_PERMISSIONS & ~1n), color: null }),
      );
      await run(core, world, membership.setRoles(userId(0), userId(1), [roleId(1)]));
      for (const step of steps) {
        if (await run(core, world, withNewIds(core, step))) changes += 1;
        agrees(core, world);
        world.ask(core);
      }
    }),
    { seed: 20_261_107, numRuns: 300 },
  );
  expect(changes).toBeGreaterThan(1_000);
});

/** Creations whose id is taken are left out: the actor makes new ids. */
function withNewIds(core: ServerCore, step: Mutation<unknown>): Mutation<unknown> {
  return async (_core, db) => {
    const before = new Set([...core.state.roles.keys(), ...core.state.channels.keys()]);
    const guard: Database = {
      query: async (statement, values) => {
        const created = statement.name === "create_role" || statement.name === "create_channel";
        if (created && before.has(values[2] as RoleId)) return [];
        return db.query(statement, values);
      },
    };
    return step(core, guard);
  };
}

test("[PERM6] nobody but the owner ever changes what the owner may do, or removes them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { maxLength: 40, size: "max" }), async (steps) => {
      const { core, world } = start();
      for (const step of steps) {
        await run(core, world, withNewIds(core, step));
        const { ownerId } = core.state;
        expect(core.state.members.has(ownerId)).toBe(true);
        expect(core.permissions(ownerId)).toBe(ALL_PERMISSIONS);
        expect(core.access(ownerId)?.channels.size).toBe(core.state.channels.size);
      }
    }),
    { seed: 20_261_108, numRuns: 100 },
  );
});

test("[PERM10] thousands of members with the same roles are told with one list and one event for each channel", async () => {
  const { core } = start(3_000);
  for (const user of core.state.members.keys()) core.presence.set(user, 0, { status: "online" });
  const hide = { type: "role", allow: "0", deny: String(PERMISSIONS.viewChannel) } as const;
  const outcome = await channels.overwrite(userId(0), channelId(0), EVERYONE, hide)(core, agreeing(core));
  if (outcome === STALE || !outcome.ok) throw new Error("the owner may hide a channel");
  const { access, events } = outcome.value.effects ?? { access: [], events: [] };
  expect(access).toHaveLength(2_999);
  expect(new Set(access.map(({ channelIds }) => channelIds)).size).toBe(1);
  expect(events.map(({ event }) => event.event).toSorted()).toEqual(["channel:deleted", "channel:updated"]);
});

test("[CHN6] a move of many channels is one server:updated for each group of readers", async () => {
  const { core, world } = start();
  for (let index = 1; index <= 30; index += 1) {
    await run(core, world, channels.create(userId(0), channelId(index), { name: "c", type: "text", encrypted: false }));
  }
  const outcome = await channels.update(userId(0), channelId(30), { position: 0 })(core, agreeing(core));
  if (outcome === STALE || !outcome.ok) throw new Error("the owner may move a channel");
  const names = outcome.value.effects?.events.map(({ event }) => event.event);
  expect(names).toEqual(["server:updated", "server:updated"]);
  const order = core.view(userId(1))?.channels.map((channel) => channel.id);
  expect(order?.slice(0, 2)).toEqual([channelId(30), channelId(0)]);
});

test("[SRV12] a change that the database did not take changes nothing here", async () => {
  const { core } = start();
  const before = structuredClone(core.state);
  const refusing: Database = { query: async () => [] };
  for (const one of [
    membership.remove(userId(0), userId(1)),
    channels.remove(userId(0), channelId(0)),
    roles.create(userId(0), roleId(1), { name: "r", permissions: "0" }),
    settings.update(userId(0), { name: "other" }),
  ]) {
    expect(await one(core, refusing)).toBe(STALE);
  }
  expect(core.state).toEqual(before);
});

test("[SRV16] beyond the bounds of channels, roles, overwrites and members there is no further one", async () => {
  const { core } = start();
  const { state } = core;
  const code = async (one: Mutation<unknown>) => {
    const outcome = await one(core, agreeing(core));
    return outcome === STALE || outcome.ok ? outcome : outcome.error.code;
  };
  const general = state.channels.get(channelId(0));
  const everyone = state.roles.get(EVERYONE);
  if (general === undefined || everyone === undefined) throw new Error("no channel, no role");
  for (let index = 1; index < LIMITS.channelsPerServer; index += 1) {
    state.channels.set(channelId(index), { ...general, id: channelId(index) });
  }
  expect(await code(channels.create(userId(0), channelId(9_999), { name: "c", type: "text", encrypted: false }))).toBe(
    "limit_reached",
  );
  for (let index = 1; index < LIMITS.rolesPerServer; index += 1) {
    state.roles.set(roleId(index), { ...everyone, id: roleId(index), isDefault: false, position: index });
  }
  expect(await code(roles.create(userId(0), roleId(9_999), { name: "r", permissions: "0" }))).toBe("limit_reached");
  const overwrites = new Map(
    Array.from({ length: LIMITS.overwritesPerChannel }, (_, index) => [
      roleId(index),
      { targetId: roleId(index), targetType: "role" as const, allow: 0n, deny: 0n },
    ]),
  );
  state.channels.set(general.id, { ...general, overwrites });
  const body = { type: "member", allow: "0", deny: "0" } as const;
  expect(await code(channels.overwrite(userId(0), general.id, userId(1), body))).toBe("limit_reached");
  const known = channels.overwrite(userId(0), general.id, roleId(1), { ...body, type: "role" });
  expect(await code(known)).toMatchObject({ ok: true });
  for (let index = state.members.size; index < LIMITS.membersPerServer; index += 1) {
    state.members.set(userId(index), newMember(index));
  }
  expect(await code(membership.join(userId(99_999), "code"))).toBe("limit_reached");
});

test("[PERM10] with 5,000 people online and 100 channels an attach costs no more than one person's view", async () => {
  const { core } = start(5_000);
  const general = core.state.channels.get(channelId(0));
  if (general === undefined) throw new Error("no channel");
  for (let index = 1; index < 100; index += 1) {
    core.state.channels.set(channelId(index), { ...general, id: channelId(index) });
  }
  core.change(2, [], () => {});
  let computed = 0;
  const { channels: all } = core.state;
  const values = all.values.bind(all);
  all.values = () => {
    computed += 1;
    return values();
  };
  for (const user of core.state.members.keys()) {
    core.presence.set(user, 0, { status: "online" });
    expect(core.view(user)?.channels.length).toBe(100);
    expect(core.presence.shownTo(user, 500).length).toBeLessThanOrEqual(500);
  }
  // The owner's profile and everyone else's, each with its view; and one look for overwrites of single members.
  expect(computed).toBeLessThanOrEqual(5);
});
