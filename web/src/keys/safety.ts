import { ProtocolError } from "@lescopains/e2ee/errors";
import { safetyNumber } from "@lescopains/e2ee/safety-number/safety-number";
import { compareScannable } from "@lescopains/e2ee/safety-number/scannable";
import type { Sha512 } from "@lescopains/e2ee/safety-number/sha512";
import type { UserId } from "@lescopains/protocol/ids";
import { fromBase64, uuidBytes } from "./base64.ts";
import { encodeDirect } from "./content.ts";
import { queueEnvelopes } from "./envelopes.ts";
import { type Kit, refusal } from "./kit.ts";
import { devicesOf, peerState, readPeer, refreshPeers, tellPeer } from "./peers.ts";
import type { PeerState, SafetyNumber } from "./port.ts";
import { codecs, KEY } from "./records.ts";
import { ownDevice, withoutSession } from "./sessions.ts";
import type { Unit } from "./store/store.ts";

interface Numbered extends SafetyNumber {
  /** The identity that the number was computed of. */
  readonly identityKey: string;
}

export async function safetyNumberOf(kit: Kit, userId: UserId, sha512: Sha512): Promise<Numbered> {
  let known = await kit.store.exclusive((unit) => readPeer(unit, userId));
  if (known?.identityKey == null) {
    await refreshPeers(kit, [userId]);
    known = await kit.store.exclusive((unit) => readPeer(unit, userId));
  }
  if (known?.identityKey == null) throw refusal("no_devices", "they have no identity yet");
  const { identityKey, trust } = known;
  const own = await kit.store.exclusive(ownDevice);
  const { digits, scannable } = await safetyNumber(
    { accountId: uuidBytes(kit.selfId), identityKey: own.identity.publicKey },
    { accountId: uuidBytes(userId), identityKey: fromBase64(identityKey) },
    sha512,
  );
  return { userId, digits, code: scannable, trust, identityKey };
}

export async function scan(
  kit: Kit,
  userId: UserId,
  code: Uint8Array,
  sha512: Sha512,
): Promise<{ readonly result: "match" | "mismatch" | "not_a_code"; readonly peer: PeerState }> {
  const number = await safetyNumberOf(kit, userId, sha512);
  let result: "match" | "mismatch" | "not_a_code";
  try {
    const compared = compareScannable(number.code, code);
    result = compared === "same" ? "match" : compared === "different" ? "mismatch" : "not_a_code";
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    result = "not_a_code";
  }
  if (result !== "not_a_code") await mark(kit, number, result === "match");
  return { result, peer: await stateOf(kit, userId) };
}

/** @throws KeysError `conflict` when the number is no longer what was compared. */
export async function verifyPeer(
  kit: Kit,
  userId: UserId,
  { digits, verified }: { readonly digits: string; readonly verified: boolean },
  sha512: Sha512,
): Promise<PeerState> {
  const number = await safetyNumberOf(kit, userId, sha512);
  if (verified && number.digits !== digits) throw refusal("conflict", "the safety number has changed");
  await mark(kit, number, verified);
  return await stateOf(kit, userId);
}

async function stateOf(kit: Kit, userId: UserId): Promise<PeerState> {
  return await kit.store.exclusive(async (unit) => peerState(userId, await readPeer(unit, userId)));
}

/** Marks the identity that was compared, if it is still the present one, and tells one's own other devices. */
async function mark(kit: Kit, { userId, identityKey }: Numbered, verified: boolean): Promise<void> {
  await kit.store.exclusive(async (unit) => {
    const peer = await readPeer(unit, userId);
    if (peer?.identityKey !== identityKey) throw refusal("conflict", "the identity has changed meanwhile");
    unit.put(KEY.peer(userId), codecs.peer, { ...peer, trust: verified ? "verified" : "trusted" });
    unit.put(KEY.dirty("peers"), codecs.count, kit.mark());
    await tellOwnDevices(kit, unit, { userId, identityKey, verified });
    await unit.commit();
  });
  await tellPeer(kit, userId);
}

async function tellOwnDevices(
  kit: Kit,
  unit: Unit,
  { userId, identityKey, verified }: { userId: UserId; identityKey: string; verified: boolean },
): Promise<void> {
  const own = await ownDevice(unit);
  const devices = await devicesOf(unit, [kit.selfId], { userId: kit.selfId, deviceId: own.deviceId });
  const missing = new Set((await withoutSession(kit, unit, devices)).map(({ deviceId }) => deviceId));
  const told = devices.filter(({ deviceId }) => !missing.has(deviceId));
  const content = encodeDirect({ k: "verified", u: userId, identityKey, on: verified });
  await queueEnvelopes(kit, unit, own, told, content);
}

/** Goes on with an identity as it is now, without having compared. */
export async function acceptPeer(kit: Kit, userId: UserId): Promise<PeerState> {
  await kit.store.exclusive(async (unit) => {
    const peer = await readPeer(unit, userId);
    if (peer !== undefined && (peer.trust === "blocked" || peer.trust === "changed")) {
      unit.put(KEY.peer(userId), codecs.peer, { ...peer, trust: "trusted" });
      unit.put(KEY.dirty("peers"), codecs.count, kit.mark());
    }
    await unit.commit();
  });
  await tellPeer(kit, userId);
  return await stateOf(kit, userId);
}
