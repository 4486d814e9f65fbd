import type { UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { v7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DevicePerson, friends, withAnotherDevice } from "./kit/devices.ts";
import { openDm, pairwise, said, words } from "./kit/direct.ts";
import { enroll, type Person, serverWith } from "./kit/people.ts";
import { opener } from "./kit/opener.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace({ GATEWAY_SHARDS: "2" });
});
afterAll(() => place.stop());

const { on } = opener(() => place);
async function pair(): Promise<[DevicePerson, DevicePerson]> {
  return (await friends(place, 2)) as [DevicePerson, DevicePerson];
}
function block(by: Person, whom: { readonly id: UserId }) {
  return call(place.url, "putBlock", { token: by.token, params: { userId: whom.id } });
}
function unblock(by: Person, whom: { readonly id: UserId }) {
  return call(place.url, "deleteBlock", { token: by.token, params: { userId: whom.id } });
}
async function blockedBy(person: Person): Promise<UserId[]> {
  return (await granted(place.url, "listBlocks", { token: person.token })).users.map(({ id }) => id);
}

test("[BL1] from the answer on neither writes to the other, and everything goes through again when it is taken back", async () => {
  const [ada, bob] = await pair();
  await serverWith(place, ada, [bob]);
  const { id: channelId } = await openDm(place, ada, bob);
  const [at, atBob] = [await on(ada), await on(bob)];
  await at.must("message:send", pairwise(channelId, "before", bob));
  expect(await block(bob, ada)).toMatchObject({ status: 204 });
  const envelope = { toUserId: bob.id, toDeviceId: 1, type: 2, body: "AA==" } as const;
  for (const [connection, person, other] of [
    [at, ada, bob],
    [atBob, bob, ada],
  ] as const) {
    const message = pairwise(channelId, "blocked", other);
    expect(await connection.ask("message:send", message)).toMatchObject({ error: { code: "forbidden" } });
    const passing = { ...message, ephemeral: true };
    expect(await connection.ask("message:send", passing)).toMatchObject({ error: { code: "forbidden" } });
    expect(await connection.ask("keys:send", { messages: [{ ...envelope, toUserId: other.id }] })).toMatchObject({
      error: { code: "not_found" },
    });
    const opening = { token: person.token, body: { userIds: [other.id] } };
    expect(await call(place.url, "openDm", opening)).toMatchObject({ status: 404 });
    const asking = { token: person.token, params: { id: other.id } };
    expect(await call(place.url, "userDevices", asking)).toMatchObject({ status: 404 });
  }
  expect(await unblock(bob, ada)).toMatchObject({ status: 204 });
  await at.must("message:send", pairwise(channelId, "after", bob));
  await atBob.until("message:new", (message) => words(message)?.startsWith("after") === true);
  expect(said(atBob, channelId).map(({ seq }) => seq)).toEqual([1, 2]);
});

test("[BL1] while messages come all the time, nothing more arrives after the answer", async () => {
  const [ada, bob] = await pair();
  const { id: channelId } = await openDm(place, ada, bob);
  const [at, atBob] = [await on(ada), await on(bob)];
  let stored = 0;
  const writing = (async () => {
    for (let n = 0; ; n += 1) {
      const answer = await at.ask("message:send", pairwise(channelId, `m${n}`, bob));
      if (!answer.ok) return answer.error.code;
      stored += 1;
    }
  })();
  await atBob.until("message:new", ({ seq }) => seq === 5);
  expect(await block(bob, ada)).toMatchObject({ status: 204 });
  const { rows } = await place.sql.query<{ n: number }>("SELECT last_seq::int AS n FROM channels WHERE id = $1", [
    channelId,
  ]);
  expect(await writing).toBe("forbidden");
  expect(rows).toEqual([{ n: stored }]);
  await atBob.until("message:new", ({ seq }) => seq === stored);
  expect(said(atBob, channelId)).toHaveLength(stored);
});

test("[BL1] groups go on, but nobody adds who has blocked them or is blocked", async () => {
  const [ada, bob, cleo] = (await friends(place, 3)) as [DevicePerson, DevicePerson, DevicePerson];
  const shared = await openDm(place, cleo, ada, bob);
  await block(bob, ada);
  const [at, atBob] = [await on(ada), await on(bob)];
  await at.must("message:send", pairwise(shared.id, "all", bob, cleo));
  await atBob.until("message:new");
  const body = { userIds: [bob.id, cleo.id] };
  expect(await call(place.url, "openDm", { token: ada.token, body })).toMatchObject({ status: 404 });
});

test("[BL2] what rings between the two ends, and nothing rings again", async () => {
  const [ada, bob] = await pair();
  const { id: channelId } = await openDm(place, ada, bob);
  const [at, atBob] = [await on(ada), await on(bob)];
  await at.must("voice:join", { channelId });
  const { callId } = await at.must("call:ring", { channelId });
  await atBob.until("call:ringing");
  await block(bob, ada);
  for (const connection of [at, atBob]) {
    expect(await connection.until("call:stopped")).toMatchObject({ callId, userIds: [bob.id], reason: "cancelled" });
  }
  expect(await at.ask("call:ring", { channelId })).toMatchObject({ error: { code: "forbidden" } });
});

test("[BL3] the blocking person's connections are told and find it in ready; the other is told nothing", async () => {
  const [ada, bob] = await pair();
  const phone = await withAnotherDevice(place, ada);
  const [at, atPhone, atBob] = [await on(ada), await on(phone), await on(bob)];
  expect(at.of("ready")[0]?.blocked).toEqual([]);
  await block(ada, bob);
  for (const connection of [at, atPhone]) {
    expect(await connection.until("friend:blocked")).toEqual({ userId: bob.id });
  }
  expect((await on(ada)).of("ready")[0]?.blocked).toEqual([bob.id]);
  expect((await on(bob)).of("ready")[0]?.blocked).toEqual([]);
  expect(await granted(place.url, "listBlocks", { token: ada.token })).toMatchObject({ users: [{ id: bob.id }] });
  expect(await blockedBy(bob)).toEqual([]);
  await unblock(ada, bob);
  for (const connection of [at, atPhone]) {
    expect(await connection.until("friend:unblocked")).toEqual({ userId: bob.id });
  }
  expect(atBob.received.map(({ event }) => event).filter((event) => event.startsWith("friend:"))).toEqual([]);
});

test("[BL4] a stranger can be blocked, oneself and nobody cannot; many times at once is once", async () => {
  const [ada, stranger] = (await enroll(place, 2)) as [Person, Person];
  const answers = await Promise.all(Array.from({ length: 8 }, () => block(ada, stranger)));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 204));
  expect(await blockedBy(ada)).toEqual([stranger.id]);
  expect(await block(ada, ada)).toMatchObject({ status: 404 });
  expect(await block(ada, { id: v7() as UserId })).toMatchObject({ status: 404 });
  expect(await unblock(stranger, ada)).toMatchObject({ status: 404 });
});

test("[BL5] both block each other at once; one of them takes it back, and still nothing goes through", async () => {
  const [ada, bob] = await pair();
  const { id: channelId } = await openDm(place, ada, bob);
  const at = await on(ada);
  const answers = await Promise.all([block(ada, bob), block(bob, ada)]);
  expect(answers.map(({ status }) => status)).toEqual([204, 204]);
  expect(await unblock(ada, bob)).toMatchObject({ status: 204 });
  const message = pairwise(channelId, "hello?", bob);
  expect(await at.ask("message:send", message)).toMatchObject({ error: { code: "forbidden" } });
  expect(await blockedBy(bob)).toEqual([ada.id]);
  await unblock(bob, ada);
  await at.must("message:send", message);
  const { rows } = await place.sql.query("SELECT FROM friendships WHERE $1 IN (user_id, friend_id)", [ada.id]);
  expect(rows).toHaveLength(0);
});

test("[BL6] one blocks 1,000 people, and 60 times an hour", async () => {
  const [ada, bob, full] = (await enroll(place, 3)) as [Person, Person, Person];
  await place.sql.query(
    `WITH many AS (
       INSERT INTO users (id, username, display_name, password_hash)
       SELECT gen_random_uuid(), 'many' || n, 'Many', 'hash' FROM generate_series(1, $2::int) AS n RETURNING id
     ) INSERT INTO friendships (user_id, friend_id, status) SELECT $1, id, 'blocked' FROM many`,
    [full.id, LIMITS.blocksPerUser],
  );
  expect(await block(full, bob)).toMatchObject({ error: { code: "limit_reached" } });
  const codes: string[] = [];
  for (let n = 0; n < 64; n += 1) {
    const answer = await (n % 2 === 0 ? block : unblock)(ada, bob);
    codes.push(answer.ok ? "done" : answer.error.code);
  }
  expect(codes.filter((code) => code === "done").length).toBeGreaterThanOrEqual(60);
  expect(codes.at(-1)).toBe("rate_limited");
});
