import { randomBytes, randomInt } from "node:crypto";
import { nobleCurve, type Platform } from "@lescopains/e2ee/platform";
import { generateKeyPair, type KeyPair, sign } from "@lescopains/e2ee/primitives/curve";
import {
  deviceBindingBytes,
  type DeviceList,
  deviceListBytes,
  type ListedDevice,
} from "@lescopains/protocol/device-list";
import type { DeviceBody, KyberPreKey, PreKey, SignedPreKey } from "@lescopains/protocol/keys";
import { v7 } from "uuid";
import { signAccessToken } from "../../../edge/src/auth/access-token.ts";
import type { SessionId } from "@lescopains/protocol/ids";
import { enroll, type Person } from "./people.ts";
import type { Place } from "./place.ts";
import { granted } from "./rest.ts";

const platform: Platform = { random: (length) => new Uint8Array(randomBytes(length)), curve: nobleCurve };

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** An account's identity key, as its devices share it. */
export interface Identity {
  readonly keys: KeyPair;
  readonly publicKey: string;
}

export async function newIdentity(): Promise<Identity> {
  const keys = await generateKeyPair(platform);
  return { keys, publicKey: base64(keys.publicKey) };
}

export async function signedBy({ keys }: Identity, bytes: Uint8Array): Promise<string> {
  return base64(await sign(platform, keys.privateKey, bytes));
}

/** A public key of the right type and length. The server never computes with one. */
function publicKey(type: 5 | 8): Uint8Array {
  return new Uint8Array([type, ...randomBytes(type === 5 ? 32 : 1_568)]);
}

/** One-time keys with ids from `first` on. */
export function preKeys(count: number, first = 1): PreKey[] {
  return Array.from({ length: count }, (_, n) => ({ keyId: first + n, publicKey: base64(publicKey(5)) }));
}

export async function signedPreKey(identity: Identity, keyId = 1): Promise<SignedPreKey> {
  const key = publicKey(5);
  return { keyId, publicKey: base64(key), signature: await signedBy(identity, key) };
}

export async function kyberPreKey(identity: Identity, keyId = 1): Promise<KyberPreKey> {
  const key = publicKey(8);
  return { keyId, publicKey: base64(key), signature: await signedBy(identity, key) };
}

export function kyberPreKeys(identity: Identity, count: number, first = 1): Promise<KyberPreKey[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => kyberPreKey(identity, first + n)));
}

export function newDevice(deviceId: number): ListedDevice {
  return { deviceId, registrationId: randomInt(1, 16_384), createdAt: Date.now() };
}

export async function signedList(
  identity: Identity,
  deviceList: DeviceList,
): Promise<{ deviceList: DeviceList; deviceListSignature: string }> {
  return { deviceList, deviceListSignature: await signedBy(identity, deviceListBytes(deviceList)) };
}

/** Everything that `PUT /api/keys/device` takes, signed for the sign-in that sends it. */
export async function deviceBody(
  { sessionId }: Pick<Person, "sessionId">,
  identity: Identity,
  deviceList: DeviceList,
  device: ListedDevice,
): Promise<DeviceBody> {
  const binding = { userId: deviceList.userId, sessionId, ...device };
  return {
    deviceId: device.deviceId,
    registrationId: device.registrationId,
    identityKey: identity.publicKey,
    signedPreKey: await signedPreKey(identity),
    kyberPreKey: await kyberPreKey(identity),
    name: `device ${device.deviceId}`,
    ...(await signedList(identity, deviceList)),
    bindingSignature: await signedBy(identity, deviceBindingBytes(binding)),
  };
}

/** Someone who speaks for a device of their account. */
export interface DevicePerson extends Person {
  readonly identity: Identity;
  readonly deviceId: number;
  readonly device: ListedDevice;
}

/** A further sign-in of a person, as `enroll` makes the first. */
export async function anotherSession<P extends Person>(place: Place, person: P): Promise<P> {
  const sessionId = v7() as SessionId;
  const token = await signAccessToken(place.jwtSecret, person.id, sessionId, Date.now());
  await place.sql.query(
    "INSERT INTO sessions (id, user_id, name, expires_at) VALUES ($1, $2, 'another', now() + interval '1 day')",
    [sessionId, person.id],
  );
  return { ...person, sessionId, token };
}

/** Registers a person's first device. */
export async function withDevice<P extends Person>(place: Place, person: P): Promise<P & DevicePerson> {
  const identity = await newIdentity();
  const device = newDevice(1);
  const deviceList = { userId: person.id, version: 1, devices: [device] };
  await granted(place.url, "putDevice", {
    token: person.token,
    body: await deviceBody(person, identity, deviceList, device),
  });
  return { ...person, identity, deviceId: 1, device };
}

/** Signs the person in once more, and registers a further device there. */
export async function withAnotherDevice(place: Place, person: DevicePerson): Promise<DevicePerson> {
  const there = await anotherSession(place, person);
  const { published } = await granted(place.url, "listDevices", { token: there.token });
  if (published === null) throw new Error("a further device has a first one before it");
  const { version, devices } = published.deviceList;
  const device = newDevice(Math.max(...devices.map(({ deviceId }) => deviceId)) + 1);
  const deviceList = { userId: person.id, version: version + 1, devices: [...devices, device] };
  const body = await deviceBody(there, person.identity, deviceList, device);
  await granted(place.url, "putDevice", { token: there.token, body });
  return { ...there, deviceId: device.deviceId, device };
}

/** People with a device each, who know one another: each is a friend of all others. */
export async function friends(place: Place, count: number): Promise<DevicePerson[]> {
  const people = await enroll(place, count);
  await befriend(place, people);
  return Promise.all(people.map((person) => withDevice(place, person)));
}

export async function befriend(place: Place, people: readonly Person[]): Promise<void> {
  await place.sql.query(
    `INSERT INTO friendships (user_id, friend_id, status)
     SELECT a, b, 'accepted' FROM unnest($1::uuid[]) AS a, unnest($1::uuid[]) AS b WHERE a <> b ON CONFLICT DO NOTHING`,
    [people.map(({ id }) => id)],
  );
}
