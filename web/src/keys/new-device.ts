/** A device that begins: for a new identity, or for one that came from elsewhere. */
import { generateRegistrationId } from "@lescopains/e2ee/session/keys";
import type { PublishedDevices } from "@lescopains/protocol/keys";
import { toBase64 } from "./base64.ts";
import { type Identity, identityBytes, splitIdentity } from "./identity.ts";
import type { Kit } from "./kit.ts";
import { type LongKeys, makeLongKeys, putLongKeys } from "./prekeys.ts";
import { codecs, type DeviceRecord, KEY } from "./records.ts";
import { bytesCodec } from "./store/codec.ts";
import type { Unit } from "./store/store.ts";

/** A device with its keys, before anyone hears of it. */
export interface NewDevice extends LongKeys {
  readonly device: DeviceRecord;
  readonly identity: Identity;
}

export async function makeDevice(
  kit: Kit,
  identity: Identity,
  { name, restored }: { readonly name: string; readonly restored: boolean },
): Promise<NewDevice> {
  const blank: DeviceRecord = {
    status: "registering",
    deviceId: 1,
    registrationId: generateRegistrationId(kit.platform.random),
    createdAtMs: kit.clock.now(),
    name,
    nextPreKeyId: 1,
    nextSignedId: 1,
    nextKyberId: 1,
    signedId: 0,
    kyberId: 0,
    rotatedAtMs: 0,
    registeredAt: null,
    restored,
    generation: null,
  };
  return { identity, ...(await makeLongKeys(kit, blank, identity)) };
}

/** Makes it this browser's device. Registering it is the next step. */
export async function keepDevice(unit: Unit, made: NewDevice): Promise<void> {
  await forgetEarlierDevice(unit);
  putLongKeys(unit, made);
  unit.put(KEY.identity, bytesCodec, identityBytes(made.identity));
  unit.put(KEY.device, codecs.device, made.device);
}

/** Sessions and keys were another device's, and what was encrypted with them too. Messages stay; those that wait are encrypted anew. */
async function forgetEarlierDevice(unit: Unit): Promise<void> {
  const keys = ["prekey/", "signed/", "kyber/", "bases/", "base/"];
  const prefixes = ["session/", "own/", "holders/", "theirs/", "envelopes/", ...keys];
  for (const prefix of prefixes) for (const key of await unit.keys(prefix)) unit.drop(key);
  for (const key of await unit.keys("outbox/")) {
    const outgoing = await unit.get(key, codecs.outgoing);
    if (outgoing !== undefined) unit.put(key, codecs.outgoing, { ...outgoing, wire: null, to: [] });
  }
}

/**
 * A device of a new identity, put aside beside the one that is in use: nothing of that one is touched before the server has agreed, and what it
 * agreed to is there when its answer was lost.
 */
export async function putAside(kit: Kit, made: NewDevice): Promise<void> {
  const { device, identity, signed, kyber } = made;
  await kit.store.exclusive(async (unit) => {
    unit.put(KEY.next.device, codecs.device, device);
    unit.put(KEY.next.identity, bytesCodec, identityBytes(identity));
    unit.put(KEY.next.signed, codecs.signed, signed);
    unit.put(KEY.next.kyber, codecs.kyber, kyber);
    await unit.commit();
  });
}

export async function readAside(unit: Unit): Promise<NewDevice | undefined> {
  const device = await unit.get(KEY.next.device, codecs.device);
  const bytes = await unit.get(KEY.next.identity, bytesCodec);
  const signed = await unit.get(KEY.next.signed, codecs.signed);
  const kyber = await unit.get(KEY.next.kyber, codecs.kyber);
  if (device === undefined || bytes === undefined || signed === undefined || kyber === undefined) return undefined;
  return { device, identity: splitIdentity(bytes), signed, kyber };
}

export function dropAside(unit: Unit): void {
  for (const key of Object.values(KEY.next)) unit.drop(key);
}

/** What was put aside takes the place of what was in use, and of what belonged to the identity before. */
export async function useAside(kit: Kit, unit: Unit, made: NewDevice): Promise<void> {
  for (const key of [KEY.peer(kit.selfId), KEY.recoveryKey, KEY.nextVault, KEY.vault]) unit.drop(key);
  await keepDevice(unit, made);
  dropAside(unit);
}

/** A start with a new identity whose answer was lost: the server has it, so it holds. */
export async function useAsideIfPublished(kit: Kit, published: PublishedDevices | null): Promise<void> {
  await kit.store.exclusive(async (unit) => {
    const made = await readAside(unit);
    if (made === undefined || published?.identityKey !== toBase64(made.identity.publicKey)) return;
    await useAside(kit, unit, made);
    await unit.commit();
  });
}
