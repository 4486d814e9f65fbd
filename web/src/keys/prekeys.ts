import {
  generateKyberPreKey,
  generatePreKeys,
  generateSignedPreKey,
  type KyberPreKey,
  type SignedPreKey,
} from "@lescopains/e2ee/session/keys";
import type { KyberPreKey as PublicKyberPreKey, SignedPreKey as PublicSignedPreKey } from "@lescopains/protocol/keys";
import { LIMITS } from "@lescopains/protocol/limits";
import { toBase64 } from "./base64.ts";
import type { Identity } from "./identity.ts";
import type { Kit } from "./kit.ts";
import { codecs, type DeviceRecord, KEY } from "./records.ts";
import { ownDevice } from "./sessions.ts";
import type { Unit } from "./store/store.ts";

/** One-time keys of a kind that the server is given, when it has few. */
const KEPT = 100;
/** Made in one go, so that a message that came meanwhile is not kept waiting for longer than some milliseconds. */
const MADE_AT_ONCE = 25;
/** Others take keys meanwhile: what is missing then is made when the server says so. */
const ROUNDS_MAX = 8;
const ROTATE_EVERY_MS = 7 * 24 * 60 * 60_000;
/** A message that began a session may wait 30 days for its device; the keys that it names must be there then. */
const KEPT_AFTER_MS = 37 * 24 * 60 * 60_000;

export function publicSigned({ id, keyPair, signature }: SignedPreKey): PublicSignedPreKey {
  return { keyId: id, publicKey: toBase64(keyPair.publicKey), signature: toBase64(signature) };
}

export function publicKyber({ id, keyPair, signature }: KyberPreKey): PublicKyberPreKey {
  return { keyId: id, publicKey: toBase64(keyPair.publicKey), signature: toBase64(signature) };
}

/** The keys of a device that are not used up. */
export interface LongKeys {
  readonly signed: SignedPreKey;
  readonly kyber: KyberPreKey;
}

/** A signed prekey and a Kyber key of last resort; `device` counts them. */
export async function makeLongKeys(
  kit: Kit,
  device: DeviceRecord,
  identity: Identity,
): Promise<LongKeys & { readonly device: DeviceRecord }> {
  const nowMs = kit.clock.now();
  const signed = await generateSignedPreKey(kit.platform, identity, device.nextSignedId, nowMs);
  const kyber = await generateKyberPreKey(kit.platform, identity, device.nextKyberId, nowMs);
  return {
    device: {
      ...device,
      nextSignedId: signed.id + 1,
      nextKyberId: kyber.id + 1,
      signedId: signed.id,
      kyberId: kyber.id,
      rotatedAtMs: nowMs,
    },
    signed,
    kyber,
  };
}

export function putLongKeys(unit: Unit, { signed, kyber }: LongKeys): void {
  unit.put(KEY.signed(signed.id), codecs.signed, signed);
  unit.put(KEY.kyber(kyber.id), codecs.kyber, kyber);
  unit.put(KEY.lastResort(kyber.id), codecs.bases, []);
}

/** Gives the server further one-time keys when it has few, and new signed ones every week. */
export async function replenish(kit: Kit): Promise<void> {
  await kit.locks.ifFree(`lescopains:prekeys:${kit.selfId}`, async () => await fillUp(kit));
}

async function fillUp(kit: Kit): Promise<void> {
  const { deviceId, rotatedAtMs } = await kit.store.exclusive(ownDevice);
  if (kit.clock.now() - rotatedAtMs > ROTATE_EVERY_MS) await rotate(kit);
  let counts = await kit.server.call("countPreKeys", { query: { deviceId } });
  if (Math.min(counts.preKeys, counts.kyberPreKeys) >= LIMITS.preKeysLow) return;
  for (let round = 0; round < ROUNDS_MAX && (counts.preKeys < KEPT || counts.kyberPreKeys < KEPT); round += 1) {
    const ec = Math.min(MADE_AT_ONCE, Math.max(0, KEPT - counts.preKeys));
    const kyber = Math.min(MADE_AT_ONCE, Math.max(0, KEPT - counts.kyberPreKeys));
    const body = await makeOneTimeKeys(kit, ec, kyber);
    counts = await kit.server.call("addPreKeys", { body: { deviceId, ...body } });
  }
}

/** Their private halves are kept before the public ones leave; an id is never given out twice. */
async function makeOneTimeKeys(kit: Kit, ecCount: number, kyberCount: number) {
  return await kit.store.exclusive(async (unit) => {
    const { identity, ...device } = await ownDevice(unit);
    const keys = await generatePreKeys(kit.platform, device.nextPreKeyId, ecCount);
    const kyberKeys: KyberPreKey[] = [];
    for (let index = 0; index < kyberCount; index += 1) {
      const id = device.nextKyberId + index;
      kyberKeys.push(await generateKyberPreKey(kit.platform, identity, id, kit.clock.now()));
    }
    for (const key of keys) unit.put(KEY.preKey(key.id), codecs.preKey, key);
    for (const key of kyberKeys) unit.put(KEY.kyber(key.id), codecs.kyber, key);
    const nextPreKeyId = device.nextPreKeyId + ecCount;
    const nextKyberId = device.nextKyberId + kyberCount;
    unit.put(KEY.device, codecs.device, { ...device, nextPreKeyId, nextKyberId });
    await unit.commit();
    return {
      preKeys: keys.map(({ id, keyPair }) => ({ keyId: id, publicKey: toBase64(keyPair.publicKey) })),
      kyberPreKeys: kyberKeys.map(publicKyber),
    };
  });
}

async function rotate(kit: Kit): Promise<void> {
  const made = await kit.store.exclusive(async (unit) => {
    const { identity, ...device } = await ownDevice(unit);
    const keys = await makeLongKeys(kit, device, identity);
    putLongKeys(unit, keys);
    // The server is asked first: until it has them, the old ones are the present ones.
    unit.put(KEY.device, codecs.device, { ...keys.device, rotatedAtMs: device.rotatedAtMs });
    await dropOldKeys(kit, unit);
    await unit.commit();
    return keys;
  });
  const { signed, kyber, device } = made;
  await kit.server.call("addPreKeys", {
    body: { deviceId: device.deviceId, signedPreKey: publicSigned(signed), kyberPreKey: publicKyber(kyber) },
  });
  await kit.store.exclusive(async (unit) => {
    const { identity: _, ...now } = await ownDevice(unit);
    unit.put(KEY.device, codecs.device, { ...now, rotatedAtMs: kit.clock.now() });
    await unit.commit();
  });
}

/** A message may name a key that was the present one when it was written: its days are counted from when the next took its place. */
async function dropOldKeys(kit: Kit, unit: Unit): Promise<void> {
  const oldestMs = kit.clock.now() - KEPT_AFTER_MS;
  for (const [id, next] of replacedIds(await unit.keys("signed/"))) {
    const successor = await unit.get(KEY.signed(next), codecs.signed);
    if (successor !== undefined && successor.createdAtMs < oldestMs) unit.drop(KEY.signed(id));
  }
  for (const [id, next] of replacedIds(await unit.keys("bases/"))) {
    const successor = await unit.get(KEY.kyber(next), codecs.kyber);
    if (successor === undefined || successor.createdAtMs >= oldestMs) continue;
    for (const base of await unit.keys(`base/${id}/`)) unit.drop(base);
    unit.drop(KEY.lastResort(id));
    unit.drop(KEY.kyber(id));
  }
}

/** Each id but the newest, with the one that came after it. */
function replacedIds(keys: readonly string[]): (readonly [id: number, next: number])[] {
  const ids = keys.map((key) => Number(key.slice(key.indexOf("/") + 1))).toSorted((a, b) => a - b);
  return ids.slice(1).map((next, index) => [ids[index] ?? next, next]);
}
