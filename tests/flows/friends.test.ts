import type { UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { v7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
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
const nobody = { friends: [], incoming: [], outgoing: [] };
async function neighbours(): Promise<[Person, Person]> {
  const [ada, bob] = (await enroll(place, 2)) as [Person, Person];
  await serverWith(place, ada, [bob]);
  return [ada, bob];
}
function ask(by: Person, whom: { readonly id: UserId }) {
  return call(place.url, "putFriend", { token: by.token, params: { userId: whom.id } });
}
function part(by: Person, whom: { readonly id: UserId }) {
  return call(place.url, "deleteFriend", { token: by.token, params: { userId: whom.id } });
}
async function lists({ token }: Person) {
  const { friends, incoming, outgoing } = await granted(place.url, "listFriends", { token });
  const ids = (users: readonly { readonly id: UserId }[]) => users.map(({ id }) => id);
  return { friends: ids(friends), incoming: ids(incoming), outgoing: ids(outgoing) };
}

test("[FR1] one asks, the other accepts; both are told, and reach each other without anything else in common", async () => {
  const [ada, bob] = await neighbours();
  const [at, atBob] = [await on({ token: ada.token }), await on({ token: bob.token })];
  expect(await ask(ada, bob)).toMatchObject({ status: 200, value: { friends: false } });
  for (const connection of [at, atBob]) {
    expect(await connection.until("friend:requested")).toEqual({ fromId: ada.id, toId: bob.id });
  }
  expect(await lists(ada)).toEqual({ ...nobody, outgoing: [bob.id] });
  expect(await lists(bob)).toEqual({ ...nobody, incoming: [ada.id] });
  await place.sql.query("DELETE FROM server_members WHERE user_id = $1", [bob.id]);
  expect(await ask(bob, ada)).toMatchObject({ status: 200, value: { friends: true } });
  expect(await at.until("friend:accepted")).toEqual({ userId: bob.id });
  expect(await atBob.until("friend:accepted")).toEqual({ userId: ada.id });
  expect(await lists(ada)).toEqual({ ...nobody, friends: [bob.id] });
  expect(await lists(bob)).toEqual({ ...nobody, friends: [ada.id] });
  const opening = { token: ada.token, body: { userIds: [bob.id] } };
  expect(await call(place.url, "openDm", opening)).toMatchObject({ status: 201 });
});

test("[FR2] both ask at once, many times: they are friends, each told once", async () => {
  const [ada, bob] = await neighbours();
  const [at, atBob] = [await on({ token: ada.token }), await on({ token: bob.token })];
  const answers = await Promise.all(
    Array.from({ length: 16 }, (_, n) => (n % 2 === 0 ? ask(ada, bob) : ask(bob, ada))),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 200));
  expect(await lists(ada)).toEqual({ ...nobody, friends: [bob.id] });
  expect(await lists(bob)).toEqual({ ...nobody, friends: [ada.id] });
  for (const connection of [at, atBob]) {
    await connection.until("friend:accepted");
    expect(connection.of("friend:accepted")).toHaveLength(1);
  }
});

test("[FR3] a request is refused, taken back, a friendship ended: nothing of it is left, both are told", async () => {
  const [ada, bob] = await neighbours();
  const [at, atBob] = [await on({ token: ada.token }), await on({ token: bob.token })];
  await ask(ada, bob);
  expect(await part(bob, ada)).toMatchObject({ status: 204 });
  await ask(ada, bob);
  expect(await part(ada, bob)).toMatchObject({ status: 204 });
  await ask(ada, bob);
  await ask(bob, ada);
  const both = await Promise.all([part(ada, bob), part(bob, ada)]);
  expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 404]);
  await at.until("friend:removed", () => at.of("friend:removed").length === 3);
  await atBob.until("friend:removed", () => atBob.of("friend:removed").length === 3);
  expect(await lists(ada)).toEqual(nobody);
  expect(await lists(bob)).toEqual(nobody);
  expect(await part(ada, bob)).toMatchObject({ status: 404 });
});

test("[FR4] strangers, oneself, nobody, and who blocks or is blocked are not there to be asked", async () => {
  const [ada, bob] = await neighbours();
  const [stranger] = (await enroll(place, 1)) as [Person];
  for (const whom of [stranger, ada, { id: v7() as UserId }])
    expect(await ask(ada, whom)).toMatchObject({ status: 404 });
  await ask(ada, bob);
  await granted(place.url, "putBlock", { token: bob.token, params: { userId: ada.id } });
  expect(await lists(bob)).toEqual(nobody);
  expect(await ask(ada, bob)).toMatchObject({ status: 404 });
  expect(await ask(bob, ada)).toMatchObject({ status: 404 });
  await granted(place.url, "deleteBlock", { token: bob.token, params: { userId: ada.id } });
  expect(await lists(ada)).toEqual(nobody);
});

test("[FR5] 1,000 friends and requests of one's own, 60 changes an hour", async () => {
  const [full, bob] = await neighbours();
  await place.sql.query(
    `WITH many AS (
       INSERT INTO users (id, username, display_name, password_hash)
       SELECT gen_random_uuid(), 'friend' || n, 'Many', 'hash' FROM generate_series(1, $2::int) AS n RETURNING id
     ) INSERT INTO friendships (user_id, friend_id, status) SELECT $1, id, 'pending' FROM many`,
    [full.id, LIMITS.friendsPerUser],
  );
  expect(await ask(full, bob)).toMatchObject({ error: { code: "limit_reached" } });
  expect(await lists(bob)).toEqual(nobody);
  const codes: string[] = [];
  for (let n = 0; n < 64; n += 1) {
    const answer = await (n % 2 === 0 ? ask : part)(bob, full);
    codes.push(answer.ok ? "done" : answer.error.code);
  }
  expect(codes.filter((code) => code === "done").length).toBeGreaterThanOrEqual(60);
  expect(codes.at(-1)).toBe("rate_limited");
});
