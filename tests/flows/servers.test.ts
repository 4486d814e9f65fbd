import { setTimeout as sleep } from "node:timers/promises";
import type { ChannelId, RoleId, ServerId, UserId } from "@lescopains/protocol/ids";
import { DEFAULT_PERMISSIONS, ALL_PERMISSIONS, PERMISSIONS } from "@lescopains/protocol/permissions";
import { v7 } from "uuid";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "./kit/connection.ts";
import { enroll, type Person, register, serverWith, textChannel } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { type Asked, call, granted } from "./kit/rest.ts";
import { waitFor } from "./kit/wait.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace();
});
afterAll(() => place.stop());

type Five = [Person, Person, Person, Person, Person];
const people = async (count: number) => (await enroll(place, count)) as Five;
const as = (who: Person) => ({ token: who.token });
const join = async (by: Person, id: ServerId, who: Person) => {
  const { code } = await granted(place.url, "createInvite", { ...as(by), params: { id }, body: {} });
  return call(place.url, "joinInvite", { ...as(who), params: { code } });
};

describe("making, changing, deleting", () => {
  test("[SRV1] a new server has its owner, the default role and one text channel", async () => {
    const [owner] = await people(1);
    const socket = await connect(place, owner);
    const server = await granted(place.url, "createServer", { ...as(owner), body: { name: "  Les copains  " } });
    expect(server).toMatchObject({
      name: "Les copains",
      ownerId: owner.id,
      memberCount: 1,
      permissions: String(ALL_PERMISSIONS),
      channels: [{ name: "general", type: "text", position: 0, lastSeq: 0 }],
      roles: [{ name: "everyone", isDefault: true, position: 0, permissions: String(DEFAULT_PERMISSIONS) }],
    });
    expect((await socket.until("server:joined")).server).toEqual(server);
    await socket.must("message:send", { channelId: textChannel(server).id, content: "first", nonce: "1" });
    expect((await socket.until("message:new")).seq).toBe(1);
    const again = await granted(place.url, "getServer", { ...as(owner), params: { id: server.id } });
    expect(again.channels[0]?.lastSeq).toBe(1);
    socket.close();
  });

  test("[SRV5] renaming takes manageServer, handing over the owner and goes to a member", async () => {
    const [owner, friend, stranger] = await people(3);
    const { id } = await serverWith(place, owner, [friend]);
    const socket = await connect(place, friend);
    const patch = (who: Person, body: { name?: string; ownerId?: UserId }) =>
      call(place.url, "patchServer", { ...as(who), params: { id }, body });
    expect(await patch(friend, { name: "mine" })).toMatchObject({ status: 403 });
    expect(await patch(friend, { ownerId: friend.id })).toMatchObject({ status: 403 });
    expect(await patch(owner, { ownerId: stranger.id })).toMatchObject({ status: 404 });
    expect(await patch(owner, { name: "New name" })).toMatchObject({ status: 200, value: { name: "New name" } });
    expect((await socket.until("server:updated")).server.name).toBe("New name");
    expect(await patch(owner, { ownerId: friend.id })).toMatchObject({ value: { ownerId: friend.id } });
    const handed = await socket.until("server:updated", ({ server }) => server.ownerId === friend.id);
    expect(handed.server.permissions).toBe(String(ALL_PERMISSIONS));
    expect(await patch(owner, { name: "back" })).toMatchObject({ status: 403 });
    expect(await patch(friend, { name: "Friend's" })).toMatchObject({ status: 200 });
    socket.close();
  });

  test("[SRV6] deleting takes the owner; everyone gets server:left and nothing of it answers any more", async () => {
    const [owner, friend] = await people(2);
    const server = await serverWith(place, owner, [friend]);
    const { id } = server;
    const socket = await connect(place, friend);
    const channelId = textChannel(server).id;
    await socket.must("message:send", { channelId, content: "x", nonce: "1" });
    expect(await call(place.url, "deleteServer", { ...as(friend), params: { id } })).toMatchObject({ status: 403 });
    expect(await call(place.url, "deleteServer", { ...as(owner), params: { id } })).toMatchObject({ status: 204 });
    expect(await socket.until("server:left")).toEqual({ serverId: id, reason: "deleted" });
    for (const who of [owner, friend]) {
      expect(await call(place.url, "getServer", { ...as(who), params: { id } })).toMatchObject({ status: 404 });
      expect(await call(place.url, "listMessages", { ...as(who), params: { id: channelId }, query: {} })).toMatchObject(
        { status: 404 },
      );
    }
    const refused = await socket.ask("message:send", { channelId, content: "y", nonce: "2" });
    expect(refused).toMatchObject({ ok: false, error: { code: "not_found" } });
    expect((await place.sql.query("SELECT 1 FROM messages WHERE channel_id = $1", [channelId])).rowCount).toBe(0);
    socket.close();
  });
});

/** Every request about a server or its channels, with ids that exist. */
function requests(server: ServerId, channel: ChannelId, role: RoleId, member: UserId) {
  const id = server;
  const overwrite = { type: "member", allow: "0", deny: "0" } as const;
  return {
    getServer: { params: { id } },
    patchServer: { params: { id }, body: { name: "x" } },
    deleteServer: { params: { id } },
    createInvite: { params: { id }, body: {} },
    listInvites: { params: { id } },
    listMembers: { params: { id }, query: {} },
    patchMember: { params: { id, userId: member }, body: { roleIds: [] } },
    removeMember: { params: { id, userId: member } },
    listBans: { params: { id } },
    ban: { params: { id, userId: member }, body: {} },
    unban: { params: { id, userId: member } },
    createRole: { params: { id }, body: { name: "x" } },
    patchRole: { params: { id, roleId: role }, body: { name: "x" } },
    deleteRole: { params: { id, roleId: role } },
    createChannel: { params: { id }, body: { name: "x" } },
    patchChannel: { params: { id: channel }, body: { name: "x" } },
    deleteChannel: { params: { id: channel } },
    listMessages: { params: { id: channel }, query: {} },
    putOverwrite: { params: { id: channel, targetId: member }, body: overwrite },
    deleteOverwrite: { params: { id: channel, targetId: member } },
  } satisfies { [N in Parameters<typeof call>[1]]?: Asked<N> };
}

describe("strangers and members", () => {
  test("[SRV3] every request of a stranger answers as for ids that were never given", async () => {
    const [owner, stranger] = await people(2);
    const server = await serverWith(place, owner);
    const socket = await connect(place, stranger);
    const real = requests(server.id, textChannel(server).id, server.roles[0]?.id ?? ("" as RoleId), owner.id);
    const invented = requests(v7() as ServerId, v7() as ChannelId, v7() as RoleId, v7() as UserId);
    for (const name of Object.keys(real) as (keyof typeof real)[]) {
      const ask = (from: typeof real) => call(place.url, name, { ...as(stranger), ...(from[name] as object) });
      const [known, unknown] = [await ask(real), await ask(invented)];
      expect(known.ok || known.error, name).toEqual(unknown.ok || unknown.error);
      expect(known, name).toMatchObject({ status: 404, error: { code: "not_found" } });
    }
    const refused = await socket.ask("message:send", { channelId: textChannel(server).id, content: "x", nonce: "1" });
    expect(refused).toMatchObject({ ok: false, error: { code: "not_found" } });
    expect(socket.received.map(({ event }) => event)).toEqual(["ready"]);
    socket.close();
  });

  test("[SRV4] a member without a permission is told that it is forbidden", async () => {
    const [owner, friend] = await people(2);
    const server = await serverWith(place, owner, [friend]);
    const all = requests(server.id, textChannel(server).id, server.roles[0]?.id ?? ("" as RoleId), owner.id);
    const open = new Set(["getServer", "createInvite", "listMembers", "listMessages"]);
    for (const name of Object.keys(all) as (keyof typeof all)[]) {
      if (open.has(name)) continue;
      const answer = await call(place.url, name, { ...as(friend), ...(all[name] as object) });
      expect(answer, name).toMatchObject({ status: 403, error: { code: "forbidden" } });
    }
  });

  test("[SRV3] ids of another server's roles, channels and members are nothing here, for its owner too", async () => {
    const [owner, other] = await people(2);
    const [mine, theirs] = [await serverWith(place, owner), await serverWith(place, other)];
    const foreign = requests(mine.id, textChannel(theirs).id, theirs.roles[0]?.id ?? ("" as RoleId), other.id);
    for (const name of [
      "patchMember",
      "removeMember",
      "unban",
      "patchRole",
      "deleteRole",
      "patchChannel",
      "deleteChannel",
    ] as const) {
      const answer = await call(place.url, name, { ...as(owner), ...(foreign[name] as object) });
      expect(answer, name).toMatchObject({ status: 404 });
    }
    const own = textChannel(mine).id;
    for (const [targetId, type] of [
      [other.id, "member"],
      [theirs.roles[0]?.id, "role"],
      [owner.id, "role"],
    ] as const) {
      const body = { type, allow: "0", deny: "0" };
      const params = { id: own, targetId: targetId ?? "" };
      expect(await call(place.url, "putOverwrite", { ...as(owner), params, body })).toMatchObject({ status: 404 });
    }
    const body = { name: "child", parentId: textChannel(theirs).id };
    expect(await call(place.url, "createChannel", { ...as(owner), params: { id: mine.id }, body })).toMatchObject({
      status: 404,
    });
    const params = { id: mine.id, userId: owner.id };
    const roleIds = theirs.roles.map(({ id }) => id);
    expect(await call(place.url, "patchMember", { ...as(owner), params, body: { roleIds } })).toMatchObject({
      status: 404,
    });
  });

  test("[SRV10] members are listed in pages by user id", async () => {
    const [owner, ...others] = await people(8);
    const { id } = await serverWith(place, owner, others);
    const listed: UserId[] = [];
    let after: UserId | undefined;
    for (let pages = 0; pages < 4; pages += 1) {
      const query = after === undefined ? { limit: "3" } : { limit: "3", after };
      const page = await granted(place.url, "listMembers", { ...as(owner), params: { id }, query });
      listed.push(...page.members.map(({ user }) => user.id));
      if (page.next === null) break;
      after = page.next;
    }
    expect(listed).toEqual([owner, ...others].map((who) => who.id).toSorted());
  });
});

describe("leaving and being removed", () => {
  test("[SRV7] after a kick is answered nothing more is delivered to the kicked, and nothing accepted from them", async () => {
    const [owner, friend] = await people(2);
    const server = await serverWith(place, owner, [friend]);
    const channelId = textChannel(server).id;
    const sockets = await Promise.all([connect(place, owner), connect(place, friend), connect(place, friend)]);
    const [ownerSocket, ...friendSockets] = sockets;
    const [first, second] = friendSockets;
    if (ownerSocket === undefined || first === undefined || second === undefined) throw new Error("no sockets");
    // Both write without pause while the kick happens.
    const over = new AbortController();
    const acks: { ok: boolean; askedAt: number; nonce: string }[] = [];
    const write = async (socket: typeof first, prefix: string, collect: boolean) => {
      for (let n = 0; !over.signal.aborted; n += 1) {
        const [askedAt, nonce] = [performance.now(), `${prefix}${n}`];
        const { ok } = await socket.ask("message:send", { channelId, content: nonce, nonce });
        if (collect) acks.push({ ok, askedAt, nonce });
      }
    };
    const writers = [write(ownerSocket, "o", false), write(first, "f", true), write(second, "g", true)];
    await waitFor("a few messages", () => acks.length > 20);
    await granted(place.url, "removeMember", { ...as(owner), params: { id: server.id, userId: friend.id } });
    const kickedAt = performance.now();
    const counts = friendSockets.map((socket) => socket.received.length);
    const { rows: stored } = await place.sql.query<{ seq: number }>(
      "SELECT max(seq)::integer AS seq FROM messages WHERE channel_id = $1 AND author_id = $2",
      [channelId, friend.id],
    );
    await waitFor("the owner to write on", () => ownerSocket.of("message:new").length > (stored[0]?.seq ?? 0) + 20);
    over.abort();
    await Promise.all(writers);
    for (const ack of acks) if (ack.askedAt > kickedAt) expect(ack.ok).toBe(false);
    const { rows } = await place.sql.query<{ seq: number }>(
      "SELECT max(seq)::integer AS seq FROM messages WHERE channel_id = $1 AND author_id = $2",
      [channelId, friend.id],
    );
    expect(rows).toEqual(stored);
    friendSockets.forEach((socket, index) => {
      expect(socket.of("server:left")).toEqual([{ serverId: server.id, reason: "kicked" }]);
      // What was on the wire at the answer may still arrive; what comes after server:left may not.
      const leftAt = socket.received.findIndex(({ event }) => event === "server:left");
      expect(socket.received.slice(leftAt + 1)).toEqual([]);
      expect(counts[index]).toBeLessThanOrEqual(leftAt + 1);
    });
    expect((await ownerSocket.until("member:left")).userId).toBe(friend.id);
    expect(friendSockets.flatMap((socket) => socket.of("member:left"))).toEqual([]);
    for (const who of ["sync", "typing:start", "read:mark"] as const) {
      const body = {
        sync: { channels: { [channelId]: 0 } },
        "typing:start": { channelId },
        "read:mark": { channelId, seq: 1 },
      };
      const answer = await first.ask(who, body[who]);
      if (who === "sync") expect(answer).toEqual({ ok: true, channels: {}, more: false });
      else expect(answer).toMatchObject({ ok: false, error: { code: "not_found" } });
    }
    for (const socket of sockets) socket.close();
  });

  test("[SRV8] members leave, the owner does not", async () => {
    const [owner, friend] = await people(2);
    const { id } = await serverWith(place, owner, [friend]);
    const socket = await connect(place, friend);
    const leave = (who: Person) => call(place.url, "removeMember", { ...as(who), params: { id, userId: who.id } });
    expect(await leave(owner)).toMatchObject({ status: 409, error: { code: "conflict" } });
    expect(await leave(friend)).toMatchObject({ status: 204 });
    expect(await socket.until("server:left")).toEqual({ serverId: id, reason: "left" });
    expect(await leave(friend)).toMatchObject({ status: 404 });
    expect(await join(owner, id, friend)).toMatchObject({ status: 200 });
    await socket.until("server:joined");
    socket.close();
  });

  test("[SRV9] a ban removes, keeps out whoever was never there, and is lifted", async () => {
    const [owner, friend, stranger] = await people(3);
    const { id } = await serverWith(place, owner, [friend]);
    const socket = await connect(place, friend);
    const ban = (userId: UserId, reason?: string) =>
      call(place.url, "ban", { ...as(owner), params: { id, userId }, body: reason === undefined ? {} : { reason } });
    expect(await ban(friend.id, "no fun")).toMatchObject({ status: 204 });
    expect(await socket.until("server:left")).toEqual({ serverId: id, reason: "banned" });
    expect(await ban(stranger.id)).toMatchObject({ status: 204 });
    expect(await ban(v7() as UserId)).toMatchObject({ status: 404 });
    expect(await ban(owner.id)).toMatchObject({ status: 403 });
    const { bans } = await granted(place.url, "listBans", { ...as(owner), params: { id } });
    expect(bans.map(({ user, reason }) => [user.id, reason])).toEqual([
      [stranger.id, null],
      [friend.id, "no fun"],
    ]);
    expect(await join(owner, id, stranger)).toMatchObject({ error: { code: "banned" } });
    await granted(place.url, "unban", { ...as(owner), params: { id, userId: friend.id } });
    expect(await join(owner, id, friend)).toMatchObject({ status: 200 });
    socket.close();
  });

  test("[SRV11] whoever comes back has no roles and no overwrites of their own", async () => {
    const [owner, friend] = await people(2);
    const server = await serverWith(place, owner, [friend]);
    const { id } = server;
    const role = await granted(place.url, "createRole", { ...as(owner), params: { id }, body: { name: "mods" } });
    const params = { id, userId: friend.id };
    await granted(place.url, "patchMember", { ...as(owner), params, body: { roleIds: [role.id] } });
    const target = { id: textChannel(server).id, targetId: friend.id };
    const body = { type: "member", allow: String(PERMISSIONS.manageMessages), deny: "0" } as const;
    await granted(place.url, "putOverwrite", { ...as(owner), params: target, body });
    await granted(place.url, "removeMember", { ...as(friend), params });
    const back = await join(owner, id, friend);
    expect(back.ok && back.value.channels[0]).toMatchObject({
      overwrites: [],
      permissions: String(DEFAULT_PERMISSIONS),
    });
    const { members } = await granted(place.url, "listMembers", { ...as(owner), params: { id }, query: {} });
    expect(members.find(({ user }) => user.id === friend.id)?.roleIds).toEqual([]);
  });
});

describe("accounts", () => {
  test("[SRV15] a new display name reaches the others, and stands in the list", async () => {
    const [owner, friend] = await people(2);
    const { id } = await serverWith(place, owner, [friend]);
    const socket = await connect(place, owner);
    await granted(place.url, "patchSelf", { ...as(friend), body: { displayName: "Zoé" } });
    expect((await socket.until("member:updated")).member.user).toMatchObject({ id: friend.id, displayName: "Zoé" });
    const { members } = await granted(place.url, "listMembers", { ...as(owner), params: { id }, query: {} });
    expect(members.find(({ user }) => user.id === friend.id)?.user.displayName).toBe("Zoé");
    socket.close();
  });

  test("[SRV14] a deleted account leaves its servers; one that owns a server cannot go", async () => {
    const [owner] = await people(1);
    const friend = await register(place);
    const { id } = await serverWith(place, owner, [friend]);
    const own = await serverWith(place, friend);
    const socket = await connect(place, owner);
    const leave = () => call(place.url, "deleteSelf", { ...as(friend), body: { password: friend.password } });
    expect(await leave()).toMatchObject({ status: 409, error: { code: "conflict" } });
    await granted(place.url, "deleteServer", { ...as(friend), params: { id: own.id } });
    expect(await leave()).toMatchObject({ status: 204 });
    expect(await socket.until("member:left")).toEqual({ serverId: id, userId: friend.id });
    const { members } = await granted(place.url, "listMembers", { ...as(owner), params: { id }, query: {} });
    expect(members.map(({ user }) => user.id)).toEqual([owner.id]);
    socket.close();
  });
});

describe("channels", () => {
  test("[CHN1] [CHN2] those who can view a channel are told of it, each with their own permissions", async () => {
    const [owner, friend] = await people(2);
    const { id } = await serverWith(place, owner, [friend]);
    const [ownerSocket, friendSocket] = await Promise.all([connect(place, owner), connect(place, friend)]);
    const body = { name: "plans", topic: "what to do" };
    const made = await granted(place.url, "createChannel", { ...as(owner), params: { id }, body });
    expect(made).toMatchObject({ ...body, position: 1, type: "text", permissions: String(ALL_PERMISSIONS) });
    expect((await ownerSocket.until("channel:created")).channel).toEqual(made);
    expect((await friendSocket.until("channel:created")).channel).toEqual({
      ...made,
      permissions: String(DEFAULT_PERMISSIONS),
    });
    const params = { id: made.id };
    await granted(place.url, "patchChannel", { ...as(owner), params, body: { name: "ideas", topic: null } });
    expect((await friendSocket.until("channel:updated")).channel).toMatchObject({ name: "ideas", topic: null });
    await granted(place.url, "patchChannel", { ...as(owner), params, body: { position: 0 } });
    const server = await granted(place.url, "getServer", { ...as(friend), params: { id } });
    expect(server.channels.map(({ name, position }) => [name, position])).toEqual([
      ["ideas", 0],
      ["general", 1],
    ]);
    await granted(place.url, "deleteChannel", { ...as(owner), params });
    expect(await friendSocket.until("channel:deleted")).toEqual({ serverId: id, channelId: made.id });
    const refused = await friendSocket.ask("message:send", { channelId: made.id, content: "x", nonce: "1" });
    expect(refused).toMatchObject({ ok: false, error: { code: "not_found" } });
    ownerSocket.close();
    friendSocket.close();
  });

  test("[CHN3] encryption is switched on for good, and plain messages are refused from the answer on", async () => {
    const [owner] = await people(1);
    const server = await serverWith(place, owner);
    const channelId = textChannel(server).id;
    const socket = await connect(place, owner);
    await socket.must("message:send", { channelId, content: "plain", nonce: "1" });
    const patch = (body: object) => call(place.url, "patchChannel", { ...as(owner), params: { id: channelId }, body });
    expect(await patch({ encrypted: true })).toMatchObject({ status: 200, value: { encrypted: true, lastSeq: 1 } });
    expect(await socket.ask("message:send", { channelId, content: "plain", nonce: "2" })).toMatchObject({
      ok: false,
      error: { code: "encryption_required" },
    });
    expect(await patch({ encrypted: false })).toMatchObject({ status: 400 });
    expect(await patch({ name: "secret" })).toMatchObject({ value: { encrypted: true } });
    socket.close();
  });

  test("[CHN4] channels nest one level deep; a parent that goes leaves its children", async () => {
    const [owner] = await people(1);
    const { id } = await serverWith(place, owner);
    const make = (parentId: ChannelId | null) =>
      call(place.url, "createChannel", { ...as(owner), params: { id }, body: { name: "c", parentId } });
    const parent = await make(null);
    if (!parent.ok) throw new Error("no parent");
    const child = await make(parent.value.id);
    if (!child.ok) throw new Error("no child");
    expect(await make(child.value.id)).toMatchObject({ status: 400 });
    await granted(place.url, "deleteChannel", { ...as(owner), params: { id: parent.value.id } });
    const server = await granted(place.url, "getServer", { ...as(owner), params: { id } });
    expect(server.channels.find((channel) => channel.id === child.value.id)?.parentId).toBeNull();
  });

  test("[SRV12] changes at the same moment are all made, one after the other", async () => {
    const [owner] = await people(1);
    const { id } = await serverWith(place, owner);
    const made = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        granted(place.url, "createChannel", { ...as(owner), params: { id }, body: { name: `c${index}` } }),
      ),
    );
    expect(new Set(made.map(({ position }) => position)).size).toBe(30);
    const { rows } = await place.sql.query("SELECT version::integer AS version FROM servers WHERE id = $1", [id]);
    expect(rows).toEqual([{ version: 31 }]);
  });
});

describe("when things fail", () => {
  test("[SRV12] a change made behind the actor's back is seen before the next decision", async () => {
    const [owner, friend] = await people(2);
    const { id } = await serverWith(place, owner, [friend]);
    await place.sql.query(
      `WITH gone AS (DELETE FROM server_members WHERE server_id = $1 AND user_id = $2)
       UPDATE servers SET version = version + 1 WHERE id = $1`,
      [id, friend.id],
    );
    const socket = await connect(place, friend);
    const body = { name: "x" };
    await granted(place.url, "createChannel", { ...as(owner), params: { id }, body });
    expect(await call(place.url, "getServer", { ...as(friend), params: { id } })).toMatchObject({ status: 404 });
    expect(socket.of("channel:created")).toEqual([]);
    socket.close();
  });

  test("[SRV12] after a crash of the edge everything is as it was stored", async () => {
    const [owner, friend] = await people(2);
    const { id } = await serverWith(place, owner, [friend]);
    await granted(place.url, "createChannel", { ...as(owner), params: { id }, body: { name: "kept" } });
    const socket = await connect(place, friend);
    await place.stack.workerd.kill9();
    await place.stack.workerd.restart();
    await waitFor("the second ready", () => socket.of("ready").length === 2);
    const server = await granted(place.url, "getServer", { ...as(owner), params: { id } });
    expect(server.channels.map(({ name }) => name)).toEqual(["general", "kept"]);
    expect(socket.of("ready")[1]?.servers[0]?.channels.map(({ name }) => name)).toEqual(["general", "kept"]);
    await granted(place.url, "removeMember", { ...as(owner), params: { id, userId: friend.id } });
    await socket.until("server:left");
    socket.close();
  });

  test("[SRV13] a kick whose fate was not known when it was answered holds as soon as the server is used again", async () => {
    const [owner, friend] = await people(2);
    const server = await serverWith(place, owner, [friend]);
    const { id } = server;
    const channelId = textChannel(server).id;
    const socket = await connect(place, friend);
    await socket.must("message:send", { channelId, content: "x", nonce: "1" });
    const lock = await place.sql.connect();
    await lock.query("BEGIN");
    await lock.query("SELECT 1 FROM servers WHERE id = $1 FOR UPDATE", [id]);
    const params = { id, userId: friend.id };
    // The friend writes all the while, so the channel's actor keeps what it knows of their rights.
    let nonce = 1;
    const write = () => socket.ask("message:send", { channelId, content: "y", nonce: String((nonce += 1)) });
    const removed = new AbortController();
    const writing = (async () => {
      for (; !removed.signal.aborted; await sleep(200)) await write();
    })();
    const answer = await call(place.url, "removeMember", { ...as(owner), params });
    expect(answer).toMatchObject({ status: 503, error: { code: "unavailable" } });
    await lock.query("COMMIT");
    lock.release();
    await waitFor("the kick to be stored", async () => {
      const { rowCount } = await place.sql.query("SELECT 1 FROM server_members WHERE server_id = $1 AND user_id = $2", [
        id,
        friend.id,
      ]);
      return rowCount === 0;
    });
    expect(await call(place.url, "removeMember", { ...as(owner), params })).toMatchObject({ status: 404 });
    await socket.until("server:left");
    removed.abort();
    await writing;
    expect(await write()).toMatchObject({ ok: false, error: { code: "not_found" } });
    socket.close();
  });

  test("[SRV13] without PostgreSQL changes answer unavailable, and all is well when it is back", async () => {
    const [owner] = await people(1);
    const { id } = await serverWith(place, owner);
    await place.stack.postgres?.stop();
    try {
      const answer = await call(place.url, "createChannel", { ...as(owner), params: { id }, body: { name: "x" } });
      expect(answer).toMatchObject({ status: 503, error: { code: "unavailable", retryAfterMs: expect.any(Number) } });
    } finally {
      await place.stack.postgres?.start();
    }
    const name = "after";
    await waitFor("a change", async () => {
      const answer = await call(place.url, "createChannel", { ...as(owner), params: { id }, body: { name } });
      return answer.ok;
    });
    const server = await granted(place.url, "getServer", { ...as(owner), params: { id } });
    expect(server.channels.map((channel) => channel.name)).toEqual(["general", "after"]);
  });
});
