import type { DeviceList } from "@lescopains/protocol/device-list";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect } from "./kit/connection.ts";
import {
  anotherSession,
  befriend,
  deviceBody,
  type DevicePerson,
  friends,
  kyberPreKey,
  newDevice,
  newIdentity,
  preKeys,
  signedBy,
  signedList,
  signedPreKey,
  withAnotherDevice,
  withDevice,
} from "./kit/devices.ts";
import { enroll, type Person, register } from "./kit/people.ts";
import { opener } from "./kit/opener.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { waitFor } from "./kit/wait.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace();
});
afterAll(() => place.stop());

const { on, keep } = opener(() => place);

async function someone(): Promise<Person> {
  const [person] = await enroll(place, 1);
  if (person === undefined) throw new Error("nobody came");
  return person;
}

async function presentList(person: Person): Promise<DeviceList> {
  const { published } = await granted(place.url, "listDevices", { token: person.token });
  if (published === null) throw new Error("no list");
  return published.deviceList;
}

async function revoke(person: DevicePerson, ...deviceIds: number[]) {
  const list = await presentList(person);
  const devices = list.devices.filter(({ deviceId }) => !deviceIds.includes(deviceId));
  const body = await signedList(person.identity, { ...list, version: list.version + 1, devices });
  return call(place.url, "putDevices", { token: person.token, body });
}

test("[KEY1] a first device publishes list 1, a second one list 2, and friends see both as they were signed", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const second = await withAnotherDevice(place, ada);
  const { published } = await granted(place.url, "userDevices", { token: bob.token, params: { id: ada.id } });
  expect(published?.identityKey).toBe(ada.identity.publicKey);
  expect(published?.deviceList).toEqual({ userId: ada.id, version: 2, devices: [ada.device, second.device] });
  const own = await granted(place.url, "listDevices", { token: second.token });
  expect(own.published).toEqual(published);
  expect(own.devices).toMatchObject([
    { deviceId: 1, name: "device 1", current: false },
    { deviceId: 2, name: "device 2", current: true },
  ]);
});

test("[KEY1] a first list with another version or another device, of another person, or without the device is refused", async () => {
  const ada = await someone();
  const identity = await newIdentity();
  const device = newDevice(1);
  const put = async (list: DeviceList) =>
    call(place.url, "putDevice", { token: ada.token, body: await deviceBody(ada, identity, list, device) });
  for (const list of [
    { userId: ada.id, version: 1_001, devices: [device] },
    { userId: ada.id, version: 1, devices: [device, newDevice(2)] },
    { userId: (await someone()).id, version: 1, devices: [device] },
    { userId: ada.id, version: 1, devices: [newDevice(2)] },
    { userId: ada.id, version: 1, devices: [{ ...device, registrationId: (device.registrationId % 16_000) + 1 }] },
  ])
    expect(await put(list)).toMatchObject({ ok: false, error: { code: "invalid_request" } });
  expect((await granted(place.url, "listDevices", { token: ada.token })).published).toBeNull();
});

test("[KEY2] whatever another key has signed is refused, and nothing is stored", async () => {
  const ada = await someone();
  const [identity, mallory] = [await newIdentity(), await newIdentity()];
  const device = newDevice(1);
  const list = { userId: ada.id, version: 1, devices: [device] };
  const good = await deviceBody(ada, identity, list, device);
  const zero = Buffer.concat([Buffer.from([5]), Buffer.alloc(32)]).toString("base64");
  const signature = await signedBy(mallory, Buffer.from("anything"));
  for (const forged of [
    { ...good, deviceListSignature: signature },
    { ...good, ...(await signedList(mallory, list)) },
    { ...good, signedPreKey: await signedPreKey(mallory) },
    { ...good, kyberPreKey: await kyberPreKey(mallory) },
    { ...good, signedPreKey: { ...good.signedPreKey, publicKey: (await signedPreKey(identity)).publicKey } },
    { ...good, identityKey: mallory.publicKey },
    { ...good, identityKey: zero },
  ])
    expect(await call(place.url, "putDevice", { token: ada.token, body: forged })).toMatchObject({
      ok: false,
      status: 400,
      error: { code: "signature_invalid" },
    });
  const { rows } = await place.sql.query("SELECT FROM device_lists WHERE user_id = $1", [ada.id]);
  expect(rows).toHaveLength(0);
});

test("[KEY2] neither a list of revocation nor a one-time Kyber key that another key has signed is stored", async () => {
  const ada = await withDevice(place, await someone());
  const other = await withAnotherDevice(place, ada);
  const mallory = await newIdentity();
  const list = await presentList(ada);
  const body = await signedList(mallory, { ...list, version: 3, devices: [ada.device] });
  const forged = { ok: false, error: { code: "signature_invalid" } };
  expect(await call(place.url, "putDevices", { token: ada.token, body })).toMatchObject(forged);
  const upload = {
    deviceId: other.deviceId,
    kyberPreKeys: [await kyberPreKey(ada.identity, 5), await kyberPreKey(mallory, 6)],
  };
  expect(await call(place.url, "addPreKeys", { token: other.token, body: upload })).toMatchObject(forged);
  expect(await presentList(ada)).toEqual(list);
  const counts = await granted(place.url, "countPreKeys", { token: other.token, query: { deviceId: "2" } });
  expect(counts.kyberPreKeys).toBe(0);
});

test("[KEY3] a version that is not later, or much later, is a conflict that shows the present list", async () => {
  const ada = await withDevice(place, await someone());
  await withAnotherDevice(place, ada);
  const list = await presentList(ada);
  for (const version of [1, 1_003, 2_147_483_647]) {
    const body = await signedList(ada.identity, { ...list, version, devices: [ada.device] });
    const answer = await call(place.url, "putDevices", { token: ada.token, body });
    expect(answer).toMatchObject({
      ok: false,
      status: 409,
      error: { code: "conflict", details: { deviceList: list } },
    });
  }
  // The present list with other contents is as wrong.
  const body = await signedList(ada.identity, { ...list, devices: [ada.device] });
  expect(await call(place.url, "putDevices", { token: ada.token, body })).toMatchObject({
    ok: false,
    error: { code: "conflict" },
  });
});

test("[KEY3] of 12 devices that register at once with the same version one does", async () => {
  const ada = await withDevice(place, await someone());
  const list = await presentList(ada);
  const answers = await Promise.all(
    Array.from({ length: 12 }, async (_, n) => {
      const there = await anotherSession(place, ada);
      const device = newDevice(n + 2);
      const next = { ...list, version: 2, devices: [...list.devices, device] };
      const body = await deviceBody(there, ada.identity, next, device);
      return call(place.url, "putDevice", { token: there.token, body });
    }),
  );
  expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  for (const answer of answers) if (!answer.ok) expect(answer.error.code).toBe("conflict");
  expect(await presentList(ada)).toMatchObject({ version: 2 });
  const { rows } = await place.sql.query("SELECT FROM devices WHERE user_id = $1", [ada.id]);
  expect(rows).toHaveLength(2);
});

test("[KEY3] the same request again changes nothing and is granted", async () => {
  const ada = await someone();
  const identity = await newIdentity();
  const device = newDevice(1);
  const body = await deviceBody(ada, identity, { userId: ada.id, version: 1, devices: [device] }, device);
  const first = await granted(place.url, "putDevice", { token: ada.token, body });
  const again = await granted(place.url, "putDevice", { token: ada.token, body: { ...body, name: "renamed" } });
  expect(again.published).toEqual(first.published);
  expect(again.devices).toMatchObject([{ name: "renamed" }]);
});

test("[KEY4] another identity needs the password; then the others' devices are gone and those who talk with the person are told", async () => {
  const [bob] = (await friends(place, 1)) as [DevicePerson];
  const registered = await register(place);
  await befriend(place, [bob, registered]);
  const ada = await withDevice(place, registered);
  const second = await withAnotherDevice(place, ada);
  await granted(place.url, "openDm", { token: bob.token, body: { userIds: [ada.id] } });
  const [atBob, atSecond] = [await on(bob), await on(second)];

  const identity = await newIdentity();
  const device = newDevice(1);
  const body = await deviceBody(ada, identity, { userId: ada.id, version: 3, devices: [device] }, device);
  const refused = await call(place.url, "putDevice", { token: ada.token, body });
  expect(refused).toMatchObject({
    ok: false,
    error: { code: "conflict", details: { identityKey: ada.identity.publicKey } },
  });
  const wrong = { ...body, reset: { password: "not this one" } };
  expect(await call(place.url, "putDevice", { token: ada.token, body: wrong })).toMatchObject({
    ok: false,
    error: { code: "invalid_credentials" },
  });
  expect((await presentList(ada)).version).toBe(2);

  const reset = { ...body, reset: { password: registered.password } };
  const done = await granted(place.url, "putDevice", { token: ada.token, body: reset });
  expect(done.published).toMatchObject({ identityKey: identity.publicKey, deviceList: { version: 3 } });
  expect(done.devices).toMatchObject([{ deviceId: 1, current: true }]);
  await atBob.until(
    "keys:changed",
    ({ userId, identityKey }) => userId === ada.id && identityKey === identity.publicKey,
  );
  await atSecond.until("session:revoked");
  expect(await call(place.url, "getSelf", { token: second.token })).toMatchObject({
    ok: false,
    error: { code: "session_revoked" },
  });
});

test("[KEY7] a revoked device is gone before the answer: keys, envelopes, session, socket", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const lost = await withAnotherDevice(place, ada);
  await granted(place.url, "addPreKeys", { token: lost.token, body: { deviceId: 2, preKeys: preKeys(5) } });
  const [atLost, atBob] = [await on(lost), await on(bob)];
  await atBob.must("keys:send", { messages: [{ toUserId: ada.id, toDeviceId: 2, type: 3, body: "AA==" }] });

  const answer = await revoke(ada, 2);
  expect(answer).toMatchObject({ ok: true, value: { devices: [{ deviceId: 1 }] } });
  expect(await call(place.url, "getSelf", { token: lost.token })).toMatchObject({ error: { code: "session_revoked" } });
  await waitFor("the socket to close", () => atLost.closes.length > 0);
  expect(atLost.of("session:revoked")).toHaveLength(1);
  for (const table of ["devices", "device_keys", "prekeys", "envelopes"]) {
    const { rows } = await place.sql.query(`SELECT FROM ${table} WHERE user_id = $1 AND device_id = 2`, [ada.id]);
    expect(rows, table).toHaveLength(0);
  }
  const { bundles } = await granted(place.url, "claimKeys", { token: bob.token, params: { id: ada.id } });
  expect(bundles.map(({ deviceId }) => deviceId)).toEqual([1]);
  const late = await atBob.ask("keys:send", {
    messages: [{ toUserId: ada.id, toDeviceId: 2, type: 3, body: "AA==" }],
  });
  expect(late).toMatchObject({ ok: false, error: { code: "devices_changed" } });
});

test("[KEY7] a list that adds or changes a line is no revocation, nor may a device change another's line", async () => {
  const ada = await withDevice(place, await someone());
  await withAnotherDevice(place, ada);
  const list = await presentList(ada);
  const changed = list.devices.map((device) => ({ ...device, createdAt: device.createdAt + 1 }));
  for (const devices of [[...list.devices, newDevice(9)], changed]) {
    const body = await signedList(ada.identity, { ...list, version: 3, devices });
    expect(await call(place.url, "putDevices", { token: ada.token, body })).toMatchObject({
      error: { code: "invalid_request" },
    });
  }
  const third = newDevice(3);
  for (const devices of [
    [...changed, third],
    [...list.devices, newDevice(4), third],
  ]) {
    const body = await deviceBody(ada, ada.identity, { ...list, version: 3, devices }, third);
    expect(await call(place.url, "putDevice", { token: ada.token, body })).toMatchObject({
      error: { code: "invalid_request" },
    });
  }
  expect(await presentList(ada)).toEqual(list);
});

test("[KEY8] another sign-in takes a device over, and who spoke for it before no longer does", async () => {
  const ada = await withDevice(place, await someone());
  const [before, nameless] = [await on(ada), await connect(place, { token: ada.token })];
  keep(nameless);
  expect(before.of("ready")[0]?.deviceId).toBe(1);
  expect(nameless.of("ready")[0]?.deviceId).toBeNull();

  const there = await anotherSession(place, ada);
  expect((await on(there)).of("ready")[0]?.deviceId).toBeNull();
  const list = await presentList(ada);
  const body = await deviceBody(there, ada.identity, list, ada.device);
  await granted(place.url, "putDevice", { token: there.token, body });
  await waitFor("the old socket to come back without the device", () => before.of("ready").length === 2);
  expect(before.of("ready")[1]?.deviceId).toBeNull();
  expect(nameless.closes).toEqual([]);
  expect((await on(there)).of("ready")[0]?.deviceId).toBe(1);
  const upload = { deviceId: 1, preKeys: preKeys(1) };
  expect(await call(place.url, "addPreKeys", { token: ada.token, body: upload })).toMatchObject({
    ok: false,
    status: 403,
    error: { code: "device_required" },
  });
});

test("[KEY8] a sign-in has no device that the identity key has not given to it, whatever else of the device it shows", async () => {
  const ada = await withDevice(place, await someone());
  const at = await on(ada);
  const thief = await anotherSession(place, ada);
  const list = await presentList(ada);
  const own = await deviceBody(ada, ada.identity, list, ada.device);
  const mallory = await newIdentity();
  const forged = await deviceBody(thief, mallory, list, ada.device);
  const elsewhere = await deviceBody(thief, ada.identity, list, { ...ada.device, deviceId: 2 });
  for (const { bindingSignature } of [own, forged, elsewhere])
    expect(
      await call(place.url, "putDevice", { token: thief.token, body: { ...own, bindingSignature } }),
    ).toMatchObject({ ok: false, status: 400, error: { code: "signature_invalid" } });
  expect((await on(thief)).of("ready")[0]?.deviceId).toBeNull();
  expect(at.closes).toEqual([]);
  expect((await granted(place.url, "listDevices", { token: ada.token })).devices).toMatchObject([{ current: true }]);
});

test("[KEY10] any of an account's devices is named from any sign-in of it, and from no other account's", async () => {
  const ada = await withDevice(place, await someone());
  const second = await withAnotherDevice(place, ada);
  const bob = await someone();
  const rename = (person: Person, deviceId: string) =>
    call(place.url, "renameDevice", { token: person.token, params: { deviceId }, body: { name: "the kitchen" } });
  expect(await rename(second, "1")).toMatchObject({
    ok: true,
    value: { devices: [{ name: "the kitchen" }, { name: "device 2" }] },
  });
  expect(await rename(ada, "3")).toMatchObject({ ok: false, error: { code: "not_found" } });
  expect(await rename(bob, "1")).toMatchObject({ ok: false, error: { code: "not_found" } });
});

test("[KEY9] a device made anew under an old id begins with nothing", async () => {
  const ada = await withDevice(place, await someone());
  await granted(place.url, "addPreKeys", { token: ada.token, body: { deviceId: 1, preKeys: preKeys(20) } });
  const at = await on(ada);
  await at.must("keys:send", { messages: [{ toUserId: ada.id, toDeviceId: 1, type: 3, body: "AA==" }] });
  const device = { ...newDevice(1), registrationId: (ada.device.registrationId % 16_000) + 1 };
  const body = await deviceBody(ada, ada.identity, { userId: ada.id, version: 2, devices: [device] }, device);
  await granted(place.url, "putDevice", { token: ada.token, body });
  const counts = await granted(place.url, "countPreKeys", { token: ada.token, query: { deviceId: "1" } });
  expect(counts).toMatchObject({ preKeys: 0, kyberPreKeys: 0 });
  const { rows } = await place.sql.query("SELECT queued FROM devices WHERE user_id = $1", [ada.id]);
  expect(rows).toEqual([{ queued: 0 }]);
  await granted(place.url, "addPreKeys", { token: ada.token, body: { deviceId: 1, preKeys: preKeys(3) } });
});

test("[KEY1] an account has at most six devices", async () => {
  const ada = await withDevice(place, await someone());
  for (let n = 0; n < 5; n += 1) await withAnotherDevice(place, ada);
  await expect(withAnotherDevice(place, ada)).rejects.toThrow("invalid_request");
});

test("[KEY16] an account changes its devices 60 times an hour", async () => {
  const ada = await withDevice(place, await someone());
  const body = await deviceBody(ada, ada.identity, await presentList(ada), ada.device);
  const answers = await Promise.all(
    Array.from({ length: 64 }, () => call(place.url, "putDevice", { token: ada.token, body })),
  );
  const refused = answers.filter((answer) => !answer.ok);
  expect(refused.length).toBeGreaterThanOrEqual(4);
  for (const answer of refused) expect(answer).toMatchObject({ status: 429, error: { code: "rate_limited" } });
});
