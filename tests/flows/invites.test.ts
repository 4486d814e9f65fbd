import type { ServerId } from "@lescopains/protocol/ids";
import { PERMISSIONS } from "@lescopains/protocol/permissions";
import { v7 } from "uuid";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "./kit/connection.ts";
import { enroll, type Person, serverWith } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace();
});
afterAll(() => place.stop());

const people = async (count: number) => (await enroll(place, count)) as [Person, Person, Person, Person, Person];
const invite = (by: Person, id: ServerId, body: { maxUses?: number; expiresIn?: number | null } = {}) =>
  granted(place.url, "createInvite", { token: by.token, params: { id }, body });
const join = (who: Person, code: string) => call(place.url, "joinInvite", { token: who.token, params: { code } });
const memberCount = async (id: ServerId) => {
  const { rows } = await place.sql.query<{ count: number }>(
    "SELECT count(*)::integer AS count FROM server_members WHERE server_id = $1",
    [id],
  );
  return rows[0]?.count;
};

describe("making", () => {
  test("[INV1] a code has ten base-62 characters and ends after seven days unless said otherwise", async () => {
    const [owner] = await people(1);
    const { id } = await serverWith(place, owner);
    const usual = await invite(owner, id);
    expect(usual).toMatchObject({ serverId: id, createdBy: owner.id, maxUses: null, uses: 0 });
    expect(usual.code).toMatch(/^[0-9A-Za-z]{10}$/);
    const lifeMs = Date.parse(usual.expiresAt ?? "") - Date.parse(usual.createdAt);
    expect(Math.round(lifeMs / 1_000)).toBe(7 * 24 * 60 * 60);
    expect((await invite(owner, id, { expiresIn: null, maxUses: 3 })).expiresAt).toBeNull();
  });

  test("[INV1] members may invite by default, and no more once the default role says no", async () => {
    const [owner, friend] = await people(2);
    const server = await serverWith(place, owner, [friend]);
    await invite(friend, server.id);
    const everyone = server.roles.find(({ isDefault }) => isDefault);
    await granted(place.url, "patchRole", {
      token: owner.token,
      params: { id: server.id, roleId: everyone?.id ?? "" },
      body: { permissions: String(PERMISSIONS.viewChannel) },
    });
    expect(
      await call(place.url, "createInvite", { token: friend.token, params: { id: server.id }, body: {} }),
    ).toMatchObject({ status: 403, error: { code: "forbidden" } });
  });

  test("[INV2] beyond a thousand living invites there is no further one; dead ones do not count", async () => {
    const [owner] = await people(1);
    const { id } = await serverWith(place, owner);
    await place.sql.query(
      `INSERT INTO invites (code, server_id, expires_at)
       SELECT lpad(n::text, 10, 'a') , $1, CASE WHEN n <= 10 THEN now() - interval '1 s' END FROM generate_series(1, 1009) n`,
      [id],
    );
    await invite(owner, id);
    expect(await call(place.url, "createInvite", { token: owner.token, params: { id }, body: {} })).toMatchObject({
      status: 409,
      error: { code: "limit_reached" },
    });
    await place.sql.query("DELETE FROM invites WHERE server_id = $1", [id]);
  });
});

describe("joining", () => {
  test("[INV8] the joiner's connections get the server, the others the member, and both talk", async () => {
    const [owner, friend] = await people(2);
    const server = await serverWith(place, owner);
    const [ownerSocket, friendSocket] = await Promise.all([connect(place, owner), connect(place, friend)]);
    const { code } = await invite(owner, server.id);
    const channelId = server.channels[0]?.id ?? ("" as never);
    await ownerSocket.must("message:send", { channelId, content: "before", nonce: "1" });
    const answer = await join(friend, code);
    expect(answer).toMatchObject({ status: 200, value: { id: server.id, memberCount: 2 } });
    const joined = await friendSocket.until("server:joined");
    expect(joined.server).toMatchObject({ id: server.id, memberCount: 2, channels: [{ lastSeq: 1, readSeq: 0 }] });
    const news = await ownerSocket.until("member:joined");
    expect(news.member).toMatchObject({ user: { id: friend.id }, roleIds: [] });
    await friendSocket.must("message:send", { channelId, content: "hello", nonce: "2" });
    await ownerSocket.until("message:new", ({ content }) => content === "hello");
    await ownerSocket.must("message:send", { channelId, content: "welcome", nonce: "3" });
    await friendSocket.until("message:new", ({ content }) => content === "welcome");
    expect(friendSocket.of("member:joined")).toEqual([]);
    ownerSocket.close();
    friendSocket.close();
  });

  test("[INV4] of two hundred people who join at once with a single use, one is in", async () => {
    const [owner, ...others] = await enroll(place, 201);
    if (owner === undefined) throw new Error("nobody");
    const { id } = await serverWith(place, owner);
    const { code } = await invite(owner, id, { maxUses: 1 });
    const answers = await Promise.all(others.map((who) => join(who, code)));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    for (const answer of answers) if (!answer.ok) expect(answer.error.code).toBe("invite_invalid");
    expect(await memberCount(id)).toBe(2);
  });

  test("[INV4] a use is counted for each membership, also when all join at once", async () => {
    const [owner, ...others] = await enroll(place, 21);
    if (owner === undefined) throw new Error("nobody");
    const { id } = await serverWith(place, owner);
    const { code } = await invite(owner, id, { maxUses: 20 });
    const answers = await Promise.all(others.map((who) => join(who, code)));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    expect(await memberCount(id)).toBe(21);
    const { rows } = await place.sql.query("SELECT uses FROM invites WHERE code = $1", [code]);
    expect(rows).toEqual([{ uses: 20 }]);
  });

  test("[INV5] a member who joins again, several times at once, gets the server and counts no use", async () => {
    const [owner, friend] = await people(2);
    const { id } = await serverWith(place, owner);
    const { code } = await invite(owner, id, { maxUses: 5 });
    const answers = await Promise.all(Array.from({ length: 8 }, () => join(friend, code)));
    expect(answers.every((answer) => answer.ok && answer.value.id === id)).toBe(true);
    const { rows } = await place.sql.query("SELECT uses FROM invites WHERE code = $1", [code]);
    expect(rows).toEqual([{ uses: 1 }]);
  });

  test("[INV3] expired, exhausted, revoked, unknown and foreign codes are one and the same refusal", async () => {
    const [owner, friend, other] = await people(3);
    const [server, elsewhere] = [await serverWith(place, owner), await serverWith(place, other)];
    const expired = await invite(owner, server.id);
    await place.sql.query("UPDATE invites SET expires_at = now() - interval '1 s' WHERE code = $1", [expired.code]);
    const exhausted = await invite(owner, server.id, { maxUses: 1 });
    await join(other, exhausted.code);
    const revoked = await invite(owner, server.id);
    await granted(place.url, "revokeInvite", { token: owner.token, params: { code: revoked.code } });
    for (const code of [expired.code, exhausted.code, revoked.code, "0000000000"]) {
      const refusal = { status: 404, error: { code: "invite_invalid" } };
      expect(await join(friend, code)).toMatchObject(refusal);
      expect(await call(place.url, "getInvite", { token: friend.token, params: { code } })).toMatchObject(refusal);
    }
    const valid = await invite(other, elsewhere.id);
    for (const [id, code] of [
      [server.id, valid.code],
      [v7() as ServerId, valid.code],
      [server.id, "not a code"],
    ] as const) {
      expect(
        await call(place.url, "joinServer", { token: friend.token, params: { id }, body: { code } }),
      ).toMatchObject({
        status: 404,
        error: { code: "invite_invalid" },
      });
    }
    expect(await memberCount(server.id)).toBe(2);
  });

  test("[INV6] a banned person learns that they are, if the code is valid", async () => {
    const [owner, friend] = await people(2);
    const { id } = await serverWith(place, owner, [friend]);
    const { code } = await invite(owner, id);
    await granted(place.url, "ban", {
      token: owner.token,
      params: { id, userId: friend.id },
      body: { reason: "spam" },
    });
    expect(await join(friend, code)).toMatchObject({ status: 403, error: { code: "banned" } });
    expect(await join(friend, "0000000000")).toMatchObject({ status: 404, error: { code: "invite_invalid" } });
    await granted(place.url, "unban", { token: owner.token, params: { id, userId: friend.id } });
    expect(await join(friend, code)).toMatchObject({ status: 200 });
  });

  test("[SRV2] a person in a hundred servers neither joins nor makes a further one", async () => {
    const [owner, friend] = await people(2);
    const { id } = await serverWith(place, owner);
    await place.sql.query(
      `WITH made AS (
         INSERT INTO servers (id, name, owner_id) SELECT gen_random_uuid(), 's', $1 FROM generate_series(1, 100) RETURNING id
       ) INSERT INTO server_members (server_id, user_id) SELECT id, $2 FROM made`,
      [owner.id, friend.id],
    );
    const { code } = await invite(owner, id, { maxUses: 1 });
    const refusal = { status: 409, error: { code: "limit_reached" } };
    expect(await join(friend, code)).toMatchObject(refusal);
    expect(await call(place.url, "createServer", { token: friend.token, body: { name: "one more" } })).toMatchObject(
      refusal,
    );
    const { rows } = await place.sql.query("SELECT uses FROM invites WHERE code = $1", [code]);
    expect(rows).toEqual([{ uses: 0 }]);
  });
});

describe("listing, previewing, revoking", () => {
  test("[INV7] listing takes manageServer; revoking also being the maker; strangers see nothing", async () => {
    const [owner, friend, stranger] = await people(3);
    const { id } = await serverWith(place, owner, [friend]);
    const own = await invite(friend, id);
    const owners = await invite(owner, id);
    const list = (who: Person) => call(place.url, "listInvites", { token: who.token, params: { id } });
    expect(await list(stranger)).toMatchObject({ status: 404, error: { code: "not_found" } });
    expect(await list(friend)).toMatchObject({ status: 403, error: { code: "forbidden" } });
    const listed = await list(owner);
    expect(listed.ok && listed.value.invites.map(({ code }) => code)).toEqual(
      expect.arrayContaining([own.code, owners.code]),
    );
    const revoke = (who: Person, code: string) =>
      call(place.url, "revokeInvite", { token: who.token, params: { code } });
    expect(await revoke(stranger, own.code)).toMatchObject({ status: 404, error: { code: "invite_invalid" } });
    expect(await revoke(friend, owners.code)).toMatchObject({ status: 403 });
    expect(await revoke(friend, own.code)).toMatchObject({ status: 204 });
    expect(await revoke(owner, owners.code)).toMatchObject({ status: 204 });
    expect(await revoke(owner, owners.code)).toMatchObject({ status: 404 });
  });

  test("[INV3] a preview says where a valid code leads, and no more", async () => {
    const [owner, friend] = await people(2);
    const { id, name } = await serverWith(place, owner);
    const { code, expiresAt } = await invite(owner, id);
    const preview = await granted(place.url, "getInvite", { token: friend.token, params: { code } });
    expect(preview).toEqual({ code, expiresAt, server: { id, name, iconUrl: null, memberCount: 1 } });
  });
});
