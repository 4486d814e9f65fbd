import type { UserId } from "@lescopains/protocol/ids";
import { fromBase64, toBase64 } from "./base64.ts";
import { encodeDirect } from "./content.ts";
import { refreshLists } from "./device.ts";
import { queueEnvelopes } from "./envelopes.ts";
import { unlessGone } from "./heal.ts";
import { unlessOffline } from "./inbox.ts";
import type { Kit } from "./kit.ts";
import { devicesOf, readPeer } from "./peers.ts";
import type { CallDevice } from "./port.ts";
import { type Address, addressText } from "./records.ts";
import { beginSessions, ownDevice, withoutSession } from "./sessions.ts";
import type { Unit } from "./store/store.ts";

type Listed = Address & { readonly registrationId: number };

/** Keeps a message of a call for each of these devices that may have it. The outbox sends it. */
export async function queueCallMessage(
  kit: Kit,
  to: readonly CallDevice[],
  body: Uint8Array,
  anew: boolean,
): Promise<void> {
  const asked = await kit.store.exclusive((unit) => unlisted(unit, to));
  if (asked.size > 0) await refreshLists(kit, asked).catch(unlessOffline);
  const wanting = await kit.store.exclusive(async (unit) => {
    const allowed = await allowedOf(kit, unit, to);
    return anew ? allowed : await withoutSession(kit, unit, allowed);
  });
  for (const [, devices] of Map.groupBy(wanting, ({ userId }) => userId)) {
    await beginSessions(kit, devices, anew).catch(unlessGone);
  }
  await kit.store.exclusive(async (unit) => {
    const own = await ownDevice(unit);
    const allowed = await allowedOf(kit, unit, to);
    const missing = new Set((await withoutSession(kit, unit, allowed)).map(addressText));
    const devices = allowed.filter((device) => !missing.has(addressText(device)));
    await queueEnvelopes(kit, unit, own, devices, encodeDirect({ k: "call", b: toBase64(body) }));
    await unit.commit();
  });
}

/** The people with a device that their known list does not have. */
async function unlisted(unit: Unit, to: readonly CallDevice[]): Promise<Set<UserId>> {
  const users = new Set<UserId>();
  for (const { userId, deviceId } of to) {
    const list = (await readPeer(unit, userId))?.list;
    if (list?.devices.some((device) => device.deviceId === deviceId) !== true) users.add(userId);
  }
  return users;
}

/** Those on their account's list, of people whose identity is not in question. */
async function allowedOf(kit: Kit, unit: Unit, to: readonly CallDevice[]): Promise<Listed[]> {
  const own = await ownDevice(unit);
  const users = new Set<UserId>();
  for (const { userId } of to) if (await isHeard(unit, userId)) users.add(userId);
  const wanted = new Set(to.map(addressText));
  const all = await devicesOf(unit, [...users], { userId: kit.selfId, deviceId: own.deviceId });
  return all.filter((device) => wanted.has(addressText(device)));
}

/** Whoever was verified and is now somebody else is neither written to nor listened to in calls, until a person accepts it. */
export async function isHeard(unit: Unit, userId: UserId): Promise<boolean> {
  return (await readPeer(unit, userId))?.trust !== "blocked";
}

/** The identity keys of these people, as this device knows them. */
export async function identitiesOf(kit: Kit, userIds: readonly UserId[]): Promise<ReadonlyMap<UserId, Uint8Array>> {
  const read = async (unit: Unit) => {
    const known = new Map<UserId, Uint8Array>();
    for (const userId of userIds) {
      if (userId === kit.selfId) {
        known.set(userId, (await ownDevice(unit)).identity.publicKey);
        continue;
      }
      const identityKey = (await readPeer(unit, userId))?.identityKey;
      if (typeof identityKey === "string") known.set(userId, fromBase64(identityKey));
    }
    return known;
  };
  const known = await kit.store.exclusive(read);
  const asked = userIds.filter((userId) => !known.has(userId));
  if (asked.length === 0) return known;
  await refreshLists(kit, asked).catch(unlessOffline);
  return await kit.store.exclusive(read);
}
