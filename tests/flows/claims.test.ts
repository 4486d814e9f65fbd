import { LIMITS } from "@lescopains/protocol/limits";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  befriend,
  deviceBody,
  type DevicePerson,
  friends,
  kyberPreKey,
  kyberPreKeys,
  preKeys,
  signedPreKey,
  withAnotherDevice,
  withDevice,
} from "./kit/devices.ts";
import { enroll, type Person, serverWith } from "./kit/people.ts";
import { opener } from "./kit/opener.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace();
});
afterAll(() => place.stop());

const { on } = opener(() => place);

async function upload(person: DevicePerson, count: number, first = 1) {
  const body = {
    deviceId: person.deviceId,
    preKeys: preKeys(count, first),
    kyberPreKeys: await kyberPreKeys(person.identity, count, first),
  };
  const counts = await granted(place.url, "addPreKeys", { token: person.token, body });
  return { ...body, counts };
}

function claim(by: Person, of: Person, devices?: string) {
  return call(place.url, "claimKeys", {
    token: by.token,
    params: { id: of.id },
    query: devices === undefined ? {} : { devices },
  });
}

test("[KEY12] of 200 claims at once each gets a key of its own while there are any, and none is handed out twice", async () => {
  const [ada, ...others] = (await enroll(place, 21)) as [Person, ...Person[]];
  await befriend(place, [ada, ...others]);
  const target = await withDevice(place, ada);
  const given = await upload(target, 100);
  const startedMs = performance.now();
  const answers = await Promise.all(others.flatMap((other) => Array.from({ length: 10 }, () => claim(other, target))));
  console.log(`200 claims of 1 device in ${Math.round(performance.now() - startedMs)} ms`);
  const bundles = answers.map((answer) => {
    if (!answer.ok) throw new Error(answer.error.code);
    const [bundle] = answer.value.bundles;
    if (bundle === undefined) throw new Error("no bundle");
    return bundle;
  });
  const ec = bundles.flatMap(({ preKey }) => (preKey === null ? [] : [preKey]));
  const kyber = bundles
    .map((bundle) => bundle.kyberPreKey)
    .filter(({ keyId, publicKey }) =>
      given.kyberPreKeys.some((key) => key.keyId === keyId && key.publicKey === publicKey),
    );
  expect(ec.toSorted((a, b) => a.keyId - b.keyId)).toEqual(given.preKeys);
  expect(new Set(kyber.map(({ publicKey }) => publicKey)).size).toBe(100);
  expect(kyber).toHaveLength(100);
  const { rows } = await place.sql.query("SELECT FROM prekeys WHERE user_id = $1 AND NOT used", [ada.id]);
  expect(rows).toHaveLength(0);
});

test("[KEY13] without one-time keys a bundle has the last-resort key, with them one of each, signed as they came", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const first = await claim(bob, ada);
  if (!first.ok) throw new Error(first.error.code);
  expect(first.value.bundles).toMatchObject([{ deviceId: 1, registrationId: ada.device.registrationId, preKey: null }]);
  const lastResort = first.value.bundles[0]?.kyberPreKey;
  const given = await upload(ada, 2);
  const second = await claim(bob, ada);
  if (!second.ok) throw new Error(second.error.code);
  expect(second.value.bundles[0]).toMatchObject({ preKey: given.preKeys[0], kyberPreKey: given.kyberPreKeys[0] });
  await claim(bob, ada);
  const last = await claim(bob, ada);
  if (!last.ok) throw new Error(last.error.code);
  expect(last.value.bundles[0]).toMatchObject({ preKey: null, kyberPreKey: lastResort });
});

test("[KEY13] a claim may be for some devices only, and takes nothing from the others", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const second = await withAnotherDevice(place, ada);
  await upload(ada, 3);
  await upload(second, 3);
  const one = await claim(bob, ada, "2,77");
  if (!one.ok) throw new Error(one.error.code);
  expect(one.value.bundles.map(({ deviceId }) => deviceId)).toEqual([2]);
  const count = (deviceId: string) => granted(place.url, "countPreKeys", { token: ada.token, query: { deviceId } });
  expect(await count("1")).toMatchObject({ preKeys: 3, kyberPreKeys: 3 });
  expect(await count("2")).toMatchObject({ preKeys: 2, kyberPreKeys: 2 });
  const both = await claim(bob, ada);
  expect(both.ok && both.value.bundles.length).toBe(2);
});

test("[KEY11] ids that were there before are passed over, used or not, and at most 200 unused keys of a kind are kept", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const given = await upload(ada, 100);
  expect(given.counts).toMatchObject({ preKeys: 100, kyberPreKeys: 100 });
  await claim(bob, ada);
  // The same upload again, its answer having been lost: key 1 is used and does not come back.
  const { counts: _, ...body } = given;
  expect(await granted(place.url, "addPreKeys", { token: ada.token, body })).toMatchObject({ preKeys: 99 });
  expect((await upload(ada, 100, 101)).counts).toMatchObject({ preKeys: 199, kyberPreKeys: 199 });
  const more = { deviceId: 1, preKeys: preKeys(2, 201) };
  expect(await call(place.url, "addPreKeys", { token: ada.token, body: more })).toMatchObject({
    ok: false,
    error: { code: "limit_reached" },
  });
  expect((await granted(place.url, "countPreKeys", { token: ada.token, query: { deviceId: "1" } })).preKeys).toBe(199);
  const rotated = await signedPreKey(ada.identity, 2);
  await granted(place.url, "addPreKeys", { token: ada.token, body: { deviceId: 1, signedPreKey: rotated } });
  const answer = await claim(bob, ada);
  expect(answer.ok && answer.value.bundles[0]?.signedPreKey).toEqual(rotated);
});

test("[KEY11] nobody uploads keys for another device, another account, or without one", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const second = await withAnotherDevice(place, ada);
  const [nobody] = (await enroll(place, 1)) as [Person];
  for (const [person, deviceId] of [
    [second, 1],
    [ada, 2],
    [bob, 2],
    [nobody, 1],
  ] as const)
    expect(
      await call(place.url, "addPreKeys", { token: person.token, body: { deviceId, preKeys: preKeys(1) } }),
    ).toMatchObject({ ok: false, error: { code: "device_required" } });
  expect(await call(place.url, "countPreKeys", { token: bob.token, query: { deviceId: "2" } })).toMatchObject({
    error: { code: "not_found" },
  });
});

test("[KEY11] a signed key or a key of last resort that was replaced does not come back", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const { published } = await granted(place.url, "listDevices", { token: ada.token });
  if (published === null) throw new Error("no list");
  const first = await deviceBody(ada, ada.identity, published.deviceList, ada.device);
  const later = { signedPreKey: await signedPreKey(ada.identity, 9), kyberPreKey: await kyberPreKey(ada.identity, 9) };
  await granted(place.url, "addPreKeys", { token: ada.token, body: { deviceId: 1, ...later } });
  const other = { signedPreKey: await signedPreKey(ada.identity, 9), kyberPreKey: await kyberPreKey(ada.identity, 8) };
  await granted(place.url, "putDevice", { token: ada.token, body: first });
  await granted(place.url, "addPreKeys", { token: ada.token, body: { deviceId: 1, ...other } });
  const answer = await claim(bob, ada);
  expect(answer.ok && answer.value.bundles[0]).toMatchObject(later);
});

test("[KEY14] a device that has fewer than ten keys is told when it connects", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  await upload(ada, 10);
  await claim(bob, ada);
  expect(await (await on(ada)).until("keys:low")).toEqual({ remaining: 9 });
});

test("[KEY14] a claim that leaves fewer than ten keys tells the device, and no other", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const second = await withAnotherDevice(place, ada);
  await upload(ada, 11);
  await upload(second, 50);
  const [atFirst, atSecond] = [await on(ada), await on(second)];
  await claim(bob, ada);
  await claim(bob, ada);
  expect(await atFirst.until("keys:low")).toEqual({ remaining: 9 });
  await claim(bob, ada);
  await atFirst.until("keys:low", ({ remaining }) => remaining === 8);
  expect(atSecond.of("keys:low")).toHaveLength(0);
});

test("[KEY15] lists and keys are for who shares a server, a friendship or a conversation, and for nobody who is blocked", async () => {
  const people = await enroll(place, 5);
  const [ada, neighbour, friend, partner, stranger] = people as [Person, Person, Person, Person, Person];
  const target = await withDevice(place, ada);
  await serverWith(place, ada, [neighbour]);
  await befriend(place, [ada, friend]);
  await befriend(place, [ada, partner]);
  await granted(place.url, "openDm", { token: partner.token, body: { userIds: [ada.id] } });
  await place.sql.query("DELETE FROM friendships WHERE user_id = $1 OR friend_id = $1", [partner.id]);
  for (const person of [neighbour, friend, partner, ada]) {
    expect(await claim(person, target)).toMatchObject({ ok: true });
    expect(await call(place.url, "userDevices", { token: person.token, params: { id: ada.id } })).toMatchObject({
      ok: true,
    });
  }
  const hidden = { ok: false, status: 404, error: { code: "not_found" } };
  const asks = async (person: Person) => {
    expect(await claim(person, target)).toMatchObject(hidden);
    expect(await call(place.url, "userDevices", { token: person.token, params: { id: ada.id } })).toMatchObject(hidden);
  };
  await asks(stranger);
  const block = (by: Person, whom: Person) =>
    place.sql.query(
      `INSERT INTO friendships VALUES ($1, $2, 'blocked') ON CONFLICT (user_id, friend_id) DO UPDATE SET status = 'blocked'`,
      [by.id, whom.id],
    );
  await block(ada, neighbour);
  await block(friend, ada);
  await block(ada, partner);
  for (const person of [neighbour, friend, partner]) await asks(person);
  // Someone who asked for a friendship that was not accepted is a stranger.
  await place.sql.query("INSERT INTO friendships VALUES ($1, $2, 'pending')", [stranger.id, ada.id]);
  await asks(stranger);
});

test("[KEY16] one person takes another's keys twenty times an hour, however many requests there are at once", async () => {
  const [ada, bob, cleo] = (await friends(place, 3)) as [DevicePerson, DevicePerson, DevicePerson];
  await upload(ada, 50);
  const answers = await Promise.all(Array.from({ length: 40 }, () => claim(bob, ada)));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(20);
  for (const answer of answers)
    if (!answer.ok) expect(answer).toMatchObject({ status: 429, error: { code: "rate_limited" } });
  expect((await granted(place.url, "countPreKeys", { token: ada.token, query: { deviceId: "1" } })).preKeys).toBe(30);
  expect(await claim(cleo, ada)).toMatchObject({ ok: true });
  expect(await claim(bob, cleo)).toMatchObject({ ok: true });
});

test("[KEY25] what is too large is refused before it is read, and what is not base64 before it is stored", async () => {
  const ada = await withDevice(place, (await enroll(place, 1))[0] as Person);
  const post = (body: BodyInit) =>
    fetch(`${place.url}/api/keys/prekeys`, {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${ada.token}`, "content-type": "application/json" },
    });
  // The first byte too many; bodies of 10 MB, whose senders may be cut off, are tried on every route by [FZ2].
  expect((await post("x".repeat(LIMITS.preKeysBodyBytes + 1))).status).toBe(413);
  expect((await post(`{"deviceId":1,"preKeys":[${"0,".repeat(100_000)}0]}`)).status).toBe(400);
  const key = preKeys(1)[0];
  for (const publicKey of ["", "AA==", `${key?.publicKey.slice(0, -4)}!!!!`, `${key?.publicKey}AAAA`, "B".repeat(44)])
    expect((await post(JSON.stringify({ deviceId: 1, preKeys: [{ keyId: 1, publicKey }] }))).status, publicKey).toBe(
      400,
    );
  expect((await post(JSON.stringify({ deviceId: 1, preKeys: preKeys(101) }))).status).toBe(400);
  const most = JSON.stringify({
    deviceId: 1,
    preKeys: preKeys(100, 900_000_000),
    kyberPreKeys: await kyberPreKeys(ada.identity, 100, 900_000_000),
  });
  console.log(`an upload of 100 keys of each kind has ${most.length} bytes`);
  const startedMs = performance.now();
  expect((await post(most)).status).toBe(200);
  console.log(`and takes ${Math.round(performance.now() - startedMs)} ms`);
});
