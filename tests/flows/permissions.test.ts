import type { ChannelId, RoleId, ServerId, UserId } from "@lescopains/protocol/ids";
import { ALL_PERMISSIONS, DEFAULT_PERMISSIONS, type Permission, PERMISSIONS } from "@lescopains/protocol/permissions";
import type { MemberPatch, RolePatch } from "@lescopains/protocol/rest";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "./kit/connection.ts";
import { enroll, type Person, serverWith, textChannel } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace({ GATEWAY_SHARDS: "3" });
});
afterAll(() => place.stop());

const bits = (...names: Permission[]) => String(names.reduce((all, name) => all | PERMISSIONS[name], 0n));
const as = (who: Person) => ({ token: who.token });

/** A server of `owner` with three friends, and the short ways to change it. */
async function scene() {
  const [owner, ann, bob, carl] = (await enroll(place, 4)) as [Person, Person, Person, Person];
  const server = await serverWith(place, owner, [ann, bob, carl]);
  const { id } = server;
  const everyone = server.roles.find(({ isDefault }) => isDefault)?.id ?? ("" as RoleId);
  const channelId = textChannel(server).id;
  const role = (by: Person, name: string, permissions = "0") =>
    call(place.url, "createRole", { ...as(by), params: { id }, body: { name, permissions } });
  const made = async (name: string, permissions?: string) => {
    const answer = await role(owner, name, permissions);
    if (!answer.ok) throw new Error(answer.error.code);
    return answer.value.id;
  };
  const patchRole = (by: Person, roleId: RoleId, body: RolePatch) =>
    call(place.url, "patchRole", { ...as(by), params: { id, roleId }, body });
  const setRoles = (by: Person, who: Person, roleIds: MemberPatch["roleIds"]) =>
    call(place.url, "patchMember", { ...as(by), params: { id, userId: who.id }, body: { roleIds } });
  const overwrite = (
    by: Person,
    targetId: RoleId | UserId,
    change: { allow?: string; deny?: string },
    channel = channelId,
  ) => {
    const type = [owner, ann, bob, carl].some((who) => who.id === (targetId as string)) ? "member" : "role";
    const body = { type, allow: "0", deny: "0", ...change } as const;
    return call(place.url, "putOverwrite", { ...as(by), params: { id: channel, targetId }, body });
  };
  return { owner, ann, bob, carl, id, everyone, channelId, role, made, patchRole, setRoles, overwrite };
}

const channelsOf = async (who: Person, id: ServerId): Promise<ChannelId[]> =>
  (await granted(place.url, "getServer", { ...as(who), params: { id } })).channels.map((channel) => channel.id);

describe("seeing and writing", () => {
  test("[PERM3] a channel that is hidden from someone is not there for them: no list, event, history, sync", async () => {
    const { owner, ann, bob, id, everyone, channelId, overwrite } = await scene();
    const sockets = await Promise.all([connect(place, owner), connect(place, ann), connect(place, bob)]);
    const [ownerSocket, annSocket, bobSocket] = sockets;
    await annSocket.must("message:send", { channelId, content: "seen", nonce: "1" });
    await overwrite(owner, everyone, { deny: bits("viewChannel") });
    await overwrite(owner, bob.id, { allow: bits("viewChannel") });
    expect(await annSocket.until("channel:deleted")).toEqual({ serverId: id, channelId });
    await bobSocket.until("channel:created");
    const before = annSocket.received.length;
    await ownerSocket.must("message:send", { channelId, content: "secret", nonce: "2" });
    await bobSocket.until("message:new", ({ content }) => content === "secret");
    expect(await channelsOf(ann, id)).toEqual([]);
    expect(await channelsOf(bob, id)).toEqual([channelId]);
    const history = await call(place.url, "listMessages", { ...as(ann), params: { id: channelId }, query: {} });
    expect(history).toMatchObject({ status: 404, error: { code: "not_found" } });
    for (const event of ["message:send", "message:edit", "message:delete", "typing:start", "read:mark"] as const) {
      const body = { channelId, content: "x", nonce: "3", seq: 1, messageId: id };
      expect(await annSocket.ask(event, body as never), event).toMatchObject({
        ok: false,
        error: { code: "not_found" },
      });
    }
    expect(await annSocket.must("sync", { channels: { [channelId]: 0 } })).toEqual({
      ok: true,
      channels: {},
      more: false,
    });
    // Who is online is told up to a second later, of people, not of the channel.
    const after = annSocket.received.slice(before).filter(({ event }) => event !== "presence:update");
    expect(after).toEqual([]);
    const again = await connect(place, ann);
    expect(again.of("ready")[0]?.servers[0]?.channels).toEqual([]);
    for (const socket of [...sockets, again]) socket.close();
  });

  test("[PERM4] someone who may view but not write is refused, from the answer of the change on", async () => {
    const { owner, ann, everyone, channelId, overwrite } = await scene();
    const socket = await connect(place, ann);
    await socket.must("message:send", { channelId, content: "1", nonce: "1" });
    expect(await overwrite(owner, everyone, { deny: bits("sendMessages") })).toMatchObject({ status: 200 });
    expect(await socket.ask("message:send", { channelId, content: "2", nonce: "2" })).toMatchObject({
      ok: false,
      error: { code: "forbidden" },
    });
    expect(await socket.ask("typing:start", { channelId })).toMatchObject({ ok: false });
    const updated = await socket.until("channel:updated");
    expect(BigInt(updated.channel.permissions) & PERMISSIONS.sendMessages).toBe(0n);
    const params = { id: channelId, targetId: everyone };
    await granted(place.url, "deleteOverwrite", { ...as(owner), params });
    await socket.must("message:send", { channelId, content: "3", nonce: "3" });
    socket.close();
  });

  test("[PERM2] the member's overwrite beats the roles', theirs the default role's", async () => {
    const { owner, ann, everyone, channelId, made, setRoles, overwrite } = await scene();
    const writers = await made("writers");
    await setRoles(owner, ann, [writers]);
    const socket = await connect(place, ann);
    let nonce = 0;
    const maySend = async () =>
      (await socket.ask("message:send", { channelId, content: "x", nonce: String((nonce += 1)) })).ok;
    const steps: [RoleId | UserId, { allow?: string; deny?: string }, boolean][] = [
      [everyone, { deny: bits("sendMessages") }, false],
      [writers, { allow: bits("sendMessages") }, true],
      [ann.id, { deny: bits("sendMessages") }, false],
      [ann.id, { allow: bits("sendMessages") }, true],
    ];
    for (const [target, change, expected] of steps) {
      expect(await overwrite(owner, target, change)).toMatchObject({ status: 200 });
      expect(await maySend()).toBe(expected);
    }
    socket.close();
  });

  test("[PERM9] rights taken while messages are on their way: nothing is accepted after the answer", async () => {
    const { owner, ann, channelId, made, setRoles, patchRole, everyone } = await scene();
    await patchRole(owner, everyone, { permissions: bits("viewChannel", "readHistory") });
    const writers = await made("writers", bits("sendMessages"));
    const socket = await connect(place, ann);
    for (let round = 0; round < 5; round += 1) {
      await setRoles(owner, ann, [writers]);
      await socket.must("message:send", { channelId, content: "in", nonce: `in${round}` });
      const flood = Array.from({ length: 20 }, (_, n) =>
        socket.ask("message:send", { channelId, content: "flood", nonce: `${round}-${n}` }),
      );
      await setRoles(owner, ann, []);
      const { rows } = await place.sql.query<{ count: number }>(
        "SELECT count(*)::integer AS count FROM messages WHERE channel_id = $1",
        [channelId],
      );
      const late = await socket.ask("message:send", { channelId, content: "late", nonce: `late${round}` });
      expect(late).toMatchObject({ ok: false, error: { code: "forbidden" } });
      await Promise.all(flood);
      const after = await place.sql.query("SELECT count(*)::integer AS count FROM messages WHERE channel_id = $1", [
        channelId,
      ]);
      expect(after.rows).toEqual(rows);
    }
    socket.close();
  });
});

describe("rank", () => {
  test("[PERM6] one acts only upon lower ranks, administrators too", async () => {
    const { owner, ann, bob, carl, id, made, setRoles, patchRole } = await scene();
    // Each new role goes to the bottom: admins above mods above guests.
    const admins = await made("admins", bits("administrator"));
    const mods = await made("mods", bits("kickMembers", "banMembers", "manageRoles"));
    const guests = await made("guests");
    await setRoles(owner, ann, [admins]);
    await setRoles(owner, bob, [mods]);
    await setRoles(owner, carl, [mods]);
    const kick = (by: Person, who: Person) =>
      call(place.url, "removeMember", { ...as(by), params: { id, userId: who.id } });
    const ban = (by: Person, who: Person) =>
      call(place.url, "ban", { ...as(by), params: { id, userId: who.id }, body: {} });
    for (const [by, who] of [
      [bob, carl],
      [bob, ann],
      [bob, owner],
      [ann, owner],
    ] as const) {
      expect(await kick(by, who)).toMatchObject({ status: 403 });
      expect(await ban(by, who)).toMatchObject({ status: 403 });
      expect(await setRoles(by, who, [])).toMatchObject({ status: 403 });
    }
    expect(await patchRole(ann, admins, { name: "kings" })).toMatchObject({ status: 403 });
    expect(await patchRole(bob, mods, { name: "kings" })).toMatchObject({ status: 403 });
    expect(await patchRole(bob, guests, { name: "visitors" })).toMatchObject({ status: 200 });
    expect(await kick(ann, bob)).toMatchObject({ status: 204 });
    expect(await setRoles(ann, carl, [guests])).toMatchObject({ status: 200 });
  });

  test("[ROLE1] [ROLE2] a new role stands at the bottom; roles move only below one's own", async () => {
    const { owner, ann, id, everyone, made, setRoles, patchRole, role } = await scene();
    const top = await made("top", bits("manageRoles"));
    const [one, two] = [await made("one"), await made("two")];
    const order = async () => {
      const { roles } = await granted(place.url, "getServer", { ...as(owner), params: { id } });
      return roles.map((each) => [each.name, each.position]);
    };
    expect(await order()).toEqual([
      ["everyone", 0],
      ["two", 1],
      ["one", 2],
      ["top", 3],
    ]);
    await setRoles(owner, ann, [top]);
    expect(await patchRole(ann, two, { position: 2 })).toMatchObject({ status: 200, value: { position: 2 } });
    expect(await patchRole(ann, two, { position: 3 })).toMatchObject({ status: 403 });
    expect(await patchRole(ann, top, { position: 1 })).toMatchObject({ status: 403 });
    expect(await patchRole(owner, everyone, { position: 2 })).toMatchObject({ status: 400 });
    expect(await role(ann, "three")).toMatchObject({ status: 201, value: { position: 1 } });
    expect(await patchRole(owner, top, { position: 1 })).toMatchObject({ value: { position: 1 } });
    expect(await order()).toEqual([
      ["everyone", 0],
      ["top", 1],
      ["three", 2],
      ["one", 3],
      ["two", 4],
    ]);
    expect(await patchRole(ann, one, { name: "x" })).toMatchObject({ status: 403 });
  });

  test("[PERM7] nobody gives what they lack, by role or by assignment", async () => {
    const { owner, ann, bob, made, setRoles, patchRole, role } = await scene();
    const mods = await made("mods", bits("manageRoles", "kickMembers"));
    const strong = await made("strong", bits("banMembers"));
    const weak = await made("weak", bits("kickMembers"));
    await setRoles(owner, ann, [mods]);
    expect(await role(ann, "coup", bits("banMembers"))).toMatchObject({ status: 403 });
    expect(await role(ann, "coup", bits("administrator"))).toMatchObject({ status: 403 });
    expect(await patchRole(ann, weak, { permissions: bits("kickMembers", "banMembers") })).toMatchObject({
      status: 403,
    });
    expect(await setRoles(ann, bob, [strong])).toMatchObject({ status: 403 });
    expect(await setRoles(ann, ann, [mods, strong])).toMatchObject({ status: 403 });
    expect(await setRoles(ann, bob, [weak])).toMatchObject({ status: 200, value: { roleIds: [weak] } });
    // Taking away is free, also what one lacks.
    expect(await patchRole(ann, strong, { permissions: "0" })).toMatchObject({ status: 200 });
    expect(await setRoles(ann, ann, [])).toMatchObject({ status: 403 });
  });

  test("[PERM5] [PERM8] overwrites: manageRoles in the channel, lower targets, own bits, never administrator", async () => {
    const { owner, ann, bob, channelId, everyone, made, setRoles, overwrite } = await scene();
    const keepers = await made("keepers", bits("manageRoles"));
    const guests = await made("guests");
    await setRoles(owner, ann, [keepers]);
    expect(await overwrite(bob, guests, { allow: bits("sendMessages") })).toMatchObject({ status: 403 });
    expect(await overwrite(ann, guests, { deny: bits("sendMessages") })).toMatchObject({ status: 200 });
    expect(await overwrite(ann, everyone, { deny: bits("attachFiles") })).toMatchObject({ status: 200 });
    expect(await overwrite(ann, bob.id, { allow: bits("sendMessages") })).toMatchObject({ status: 200 });
    expect(await overwrite(ann, guests, { allow: bits("manageMessages") })).toMatchObject({ status: 403 });
    expect(await overwrite(ann, keepers, { allow: bits("sendMessages") })).toMatchObject({ status: 403 });
    expect(await overwrite(ann, ann.id, { allow: bits("sendMessages") })).toMatchObject({ status: 403 });
    expect(await overwrite(ann, owner.id, { deny: bits("viewChannel") })).toMatchObject({ status: 403 });
    expect(await overwrite(owner, guests, { allow: bits("administrator") })).toMatchObject({ status: 400 });
    // What the owner gave there, someone who lacks it can neither change nor remove.
    await overwrite(owner, guests, { allow: bits("manageMessages") });
    expect(await overwrite(ann, guests, {})).toMatchObject({ status: 403 });
    const params = { id: channelId, targetId: guests };
    expect(await call(place.url, "deleteOverwrite", { ...as(ann), params })).toMatchObject({ status: 403 });
    expect(await call(place.url, "deleteOverwrite", { ...as(owner), params })).toMatchObject({ status: 204 });
    expect(await call(place.url, "deleteOverwrite", { ...as(owner), params })).toMatchObject({ status: 404 });
  });
});

describe("what people are told", () => {
  test("[ROLE3] [ROLE5] roles: everyone is told; a deleted role is taken from members and channels", async () => {
    const { owner, ann, bob, id, channelId, everyone, made, setRoles, overwrite } = await scene();
    const [annSocket, bobSocket] = await Promise.all([connect(place, ann), connect(place, bob)]);
    await overwrite(owner, everyone, { deny: bits("viewChannel") });
    const insiders = await made("insiders", bits("manageMessages"));
    await overwrite(owner, insiders, { allow: bits("viewChannel") });
    await bobSocket.until("channel:deleted");
    expect((await bobSocket.until("role:created")).role.id).toBe(insiders);
    await setRoles(owner, bob, [insiders]);
    expect((await annSocket.until("member:updated")).member).toMatchObject({
      user: { id: bob.id },
      roleIds: [insiders],
    });
    const seen = await bobSocket.until("channel:created");
    expect(seen.channel.permissions).toBe(String(DEFAULT_PERMISSIONS | PERMISSIONS.manageMessages));
    const access = await bobSocket.until("server:updated");
    expect(access.server.permissions).toBe(String(DEFAULT_PERMISSIONS | PERMISSIONS.manageMessages));
    expect(annSocket.of("channel:created")).toEqual([]);
    expect(annSocket.of("server:updated")).toEqual([]);
    await bobSocket.must("message:send", { channelId, content: "in", nonce: "1" });
    await granted(place.url, "deleteRole", { ...as(owner), params: { id, roleId: insiders } });
    expect(await annSocket.until("role:deleted")).toEqual({ serverId: id, roleId: insiders });
    expect(await bobSocket.ask("message:send", { channelId, content: "out", nonce: "2" })).toMatchObject({ ok: false });
    const server = await granted(place.url, "getServer", { ...as(owner), params: { id } });
    expect(server.channels[0]?.overwrites.map(({ targetId }) => targetId)).toEqual([everyone]);
    const { members } = await granted(place.url, "listMembers", { ...as(ann), params: { id }, query: {} });
    expect(members.flatMap(({ roleIds }) => roleIds)).toEqual([]);
    const { rows } = await place.sql.query("SELECT DISTINCT roles::text FROM server_members WHERE server_id = $1", [
      id,
    ]);
    expect(rows).toEqual([{ roles: "{}" }]);
    annSocket.close();
    bobSocket.close();
  });

  test("[PERM1] an administrator sees and writes everywhere, and stops when the role goes", async () => {
    const { owner, ann, id, channelId, everyone, made, setRoles, overwrite } = await scene();
    await overwrite(owner, everyone, { deny: bits("viewChannel") });
    const admins = await made("admins", bits("administrator"));
    const socket = await connect(place, ann);
    expect(socket.of("ready")[0]?.servers[0]?.channels).toEqual([]);
    await setRoles(owner, ann, [admins]);
    expect((await socket.until("channel:created")).channel.permissions).toBe(String(ALL_PERMISSIONS));
    await socket.must("message:send", { channelId, content: "x", nonce: "1" });
    await setRoles(owner, ann, []);
    expect(await socket.ask("message:send", { channelId, content: "y", nonce: "2" })).toMatchObject({ ok: false });
    expect(await channelsOf(ann, id)).toEqual([]);
    socket.close();
  });

  test("[PERM9] a stranger who was refused in a channel can write there as soon as they have joined", async () => {
    const { owner, id, channelId } = await scene();
    const [late] = (await enroll(place, 1)) as [Person];
    const socket = await connect(place, late);
    expect(await socket.ask("message:send", { channelId, content: "x", nonce: "1" })).toMatchObject({ ok: false });
    const { code } = await granted(place.url, "createInvite", { ...as(owner), params: { id }, body: {} });
    await granted(place.url, "joinInvite", { ...as(late), params: { code } });
    await socket.must("message:send", { channelId, content: "y", nonce: "2" });
    socket.close();
  });
});
