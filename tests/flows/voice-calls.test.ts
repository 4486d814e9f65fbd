import { afterAll, beforeAll, expect, test } from "vitest";
import { type DevicePerson, friends, withAnotherDevice } from "./kit/devices.ts";
import { openDm } from "./kit/direct.ts";
import { opener } from "./kit/opener.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { granted } from "./kit/rest.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace();
});
afterAll(() => place.stop());

const { on } = opener(() => place);

async function conversation(count = 2) {
  const people = (await friends(place, count)) as [DevicePerson, DevicePerson, ...DevicePerson[]];
  const [ana, ...others] = people;
  return { people, channelId: (await openDm(place, ana, ...others)).id };
}

test("[CALL1] who is in the call lets all others ring, on all their devices; a second time it rings already", async () => {
  const { people, channelId } = await conversation();
  const [ana, leo] = people;
  const phone = await withAnotherDevice(place, leo);
  const [a, b, p] = [await on(ana), await on(leo), await on(phone)];
  expect(await a.ask("call:ring", { channelId })).toMatchObject({ error: { code: "conflict" } });
  await a.must("voice:join", { channelId });
  const { callId, until } = await a.must("call:ring", { channelId });
  const ringing = { callId, callerId: ana.id, userIds: [leo.id], until };
  for (const connection of [a, b, p]) expect(await connection.until("call:ringing")).toEqual({ channelId, ...ringing });
  expect((await on(leo)).of("ready")[0]?.voice).toMatchObject([{ channelId, ringing }]);
  expect(await a.ask("call:ring", { channelId })).toMatchObject({ error: { code: "conflict" } });
});

test("[CALL2] an answer stops the ringing everywhere, declining too, and so does coming in", async () => {
  const { people, channelId } = await conversation();
  const [ana, leo] = people;
  const phone = await withAnotherDevice(place, leo);
  const [a, b, p] = [await on(ana), await on(leo), await on(phone)];
  await a.must("voice:join", { channelId });
  for (const [event, reason] of [
    ["call:accept", "accepted"],
    ["call:decline", "declined"],
    ["voice:join", "accepted"],
  ] as const) {
    const { callId } = await a.must("call:ring", { channelId });
    await b.must(event, { channelId });
    const stopped = { channelId, callId, callerId: ana.id, userIds: [leo.id], reason };
    for (const connection of [a, b, p])
      expect(await connection.until("call:stopped", (one) => one.callId === callId)).toEqual(stopped);
  }
  expect(await a.ask("call:ring", { channelId })).toMatchObject({ error: { code: "conflict" } });
});

test("[CALL1] [CALL2] in a group it goes on ringing for the others", async () => {
  const { people, channelId } = await conversation(3);
  const [ana, leo, zoe] = people as [DevicePerson, DevicePerson, DevicePerson];
  const [a, b, z] = [await on(ana), await on(leo), await on(zoe)];
  await a.must("voice:join", { channelId });
  const { callId } = await a.must("call:ring", { channelId });
  await b.must("call:decline", { channelId });
  expect(await z.until("call:stopped")).toMatchObject({ callId, userIds: [leo.id] });
  expect((await on(zoe)).of("ready")[0]?.voice).toMatchObject([{ ringing: { userIds: [zoe.id] } }]);
  await z.must("voice:join", { channelId });
  expect(await b.until("call:stopped", ({ userIds }) => userIds[0] === zoe.id)).toMatchObject({ reason: "accepted" });
  expect((await on(zoe)).of("ready")[0]?.voice).toMatchObject([{ ringing: null }]);
});

test("[CALL2] who is taken out of a group is called no longer, and is told; the others are", async () => {
  const { people, channelId } = await conversation(3);
  const [ana, leo, zoe] = people as [DevicePerson, DevicePerson, DevicePerson];
  const [a, b, z] = [await on(ana), await on(leo), await on(zoe)];
  await a.must("voice:join", { channelId });
  const { callId } = await a.must("call:ring", { channelId });
  const params = { id: channelId, userId: leo.id };
  await granted(place.url, "removeParticipant", { token: ana.token, params });
  const stopped = { channelId, callId, callerId: ana.id, userIds: [leo.id], reason: "cancelled" };
  for (const connection of [a, b, z]) expect(await connection.until("call:stopped")).toEqual(stopped);
  expect((await on(zoe)).of("ready")[0]?.voice).toMatchObject([{ ringing: { userIds: [zoe.id] } }]);
});

test("[CALL3] who called cancels, or hangs up; nobody else can", async () => {
  const { people, channelId } = await conversation();
  const [ana, leo] = people;
  const [a, b] = [await on(ana), await on(leo)];
  await a.must("voice:join", { channelId });
  const first = await a.must("call:ring", { channelId });
  await b.must("call:cancel", { channelId });
  await a.must("call:cancel", { channelId });
  expect(await b.until("call:stopped")).toMatchObject({ callId: first.callId, reason: "cancelled" });
  const second = await a.must("call:ring", { channelId });
  await a.must("voice:leave", { channelId });
  const hungUp = await b.until("call:stopped", ({ callId }) => callId === second.callId);
  expect(hungUp).toMatchObject({ userIds: [leo.id], reason: "cancelled" });
  expect(b.of("call:stopped")).toHaveLength(2);
});

test("[CALL5] nobody rings who has blocked the caller, or was blocked; nobody rings all the time", async () => {
  const { people, channelId } = await conversation();
  const [ana, leo] = people;
  const [a, b] = [await on(ana), await on(leo)];
  await a.must("voice:join", { channelId });
  await place.sql.query("UPDATE friendships SET status = 'blocked' WHERE user_id = $1 AND friend_id = $2", [
    leo.id,
    ana.id,
  ]);
  expect(await a.ask("call:ring", { channelId })).toMatchObject({ error: { code: "forbidden" } });
  await place.sql.query("UPDATE friendships SET status = 'accepted' WHERE user_id = $1", [leo.id]);
  const codes: string[] = [];
  for (let n = 0; n < 12; n += 1) {
    const answer = await a.ask("call:ring", { channelId });
    codes.push(answer.ok ? "rings" : answer.error.code);
    await a.must("call:cancel", { channelId });
  }
  expect(codes.filter((code) => code === "rings")).toHaveLength(9);
  expect(codes.slice(9)).toEqual(["rate_limited", "rate_limited", "rate_limited"]);
  expect(b.of("call:ringing")).toHaveLength(9);
});
