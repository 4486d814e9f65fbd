import { equal } from "@lescopains/e2ee/bytes";
import { verify } from "@lescopains/e2ee/primitives/curve";
import { archiveSession } from "@lescopains/e2ee/session/record";
import { deviceListBytes } from "@lescopains/protocol/device-list";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import type { PublishedDevices } from "@lescopains/protocol/keys";
import { ApiError } from "../net/api-error.ts";
import { fromBase64 } from "./base64.ts";
import { tellChannels } from "./history.ts";
import { checkOwnIdentity } from "./identity.ts";
import { type Kit, refusal } from "./kit.ts";
import type { PeerState } from "./port.ts";
import { type Address, addressText, type ChannelRecord, codecs, KEY, type PeerRecord } from "./records.ts";
import type { Unit } from "./store/store.ts";

const NOTICES_MAX = 50;

export function peerState(userId: UserId, peer: PeerRecord | undefined): PeerState {
  if (peer === undefined || peer.identityKey === null) return { userId, trust: "unknown", sinceMs: null, devices: 0 };
  return { userId, trust: peer.trust, sinceMs: peer.sinceMs, devices: peer.list?.devices.length ?? 0 };
}

export async function readPeer(unit: Unit, userId: UserId): Promise<PeerRecord | undefined> {
  return await unit.get(KEY.peer(userId), codecs.peer);
}

/**
 * Takes in what the server says of a person's devices, and answers what is known then.
 *
 * A list is believed when the identity that it comes with has signed it. It takes the place of the known one when its version is higher and
 * its identity is the same, or one that was never theirs before: versions go on when an account starts over. An earlier version is an answer
 * that came late, whoever keeps giving it: what is known stays. Another list under the same version, an identity that another one has
 * superseded, and another identity for one's own account are refused.
 *
 * @throws KeysError `list_refused`; nothing has changed then.
 */
export async function learnDevices(
  kit: Kit,
  unit: Unit,
  userId: UserId,
  published: PublishedDevices | null,
): Promise<PeerRecord | undefined> {
  const known = await readPeer(unit, userId);
  // That there is nothing any more is never believed: an account that has devices keeps at least one.
  if (published === null) return known;
  const { identityKey, deviceList } = published;
  await checkSigned(kit, userId, published);
  const signed = deviceListBytes(deviceList);
  if (userId === kit.selfId) await checkOwnIdentity(unit, identityKey);
  const sameIdentity = known?.identityKey === identityKey;
  if (known?.list != null) {
    if (deviceList.version < known.list.version) return known;
    if (deviceList.version === known.list.version) {
      if (sameIdentity && equal(signed, deviceListBytes(known.list))) return known;
      throw refusal("list_refused", "two lists have one version");
    }
  }
  const former = known?.former ?? [];
  if (former.includes(identityKey)) throw refusal("list_refused", "an identity that was superseded came back");
  const superseded = sameIdentity || known?.identityKey == null ? [] : [known.identityKey];
  const next: PeerRecord = {
    userId,
    identityKey,
    sinceMs: sameIdentity ? known.sinceMs : kit.clock.now(),
    trust: userId === kit.selfId ? "trusted" : sameIdentity ? known.trust : trustAfterChange(known),
    list: deviceList,
    former: [...former, ...superseded],
  };
  unit.put(KEY.peer(userId), codecs.peer, next);
  await endSessions(unit, userId, next, sameIdentity);
  if (superseded.length > 0 && userId !== kit.selfId) await noteChange(kit, unit, userId);
  if (!sameIdentity) unit.put(KEY.dirty("peers"), codecs.count, kit.mark());
  return next;
}

/** @throws KeysError `list_refused` unless it is this person's list, signed by the identity that it comes with. */
export async function checkSigned(
  kit: Kit,
  userId: UserId,
  { identityKey, deviceList, deviceListSignature }: PublishedDevices,
): Promise<void> {
  const signed = deviceListBytes(deviceList);
  if (
    deviceList.userId !== userId ||
    !(await verify(kit.platform, fromBase64(identityKey), signed, fromBase64(deviceListSignature)))
  ) {
    throw refusal("list_refused", "a device list is not signed by its identity");
  }
}

/** What is thought of a person whose identity has just become another one. */
export function trustAfterChange(known: PeerRecord | undefined): PeerRecord["trust"] {
  if (known === undefined || known.identityKey === null) return "trusted";
  return known.trust === "verified" || known.trust === "blocked" ? "blocked" : "changed";
}

/** Nothing more is written in a session with a device that is gone, or with one that was made anew. */
async function endSessions(unit: Unit, userId: UserId, peer: PeerRecord, sameIdentity: boolean): Promise<void> {
  for (const key of await unit.keys(`session/${userId}/`)) {
    const deviceId = Number(key.slice(key.lastIndexOf("/") + 1));
    const listed = peer.list?.devices.find((device) => device.deviceId === deviceId);
    const record = await unit.get(key, codecs.session);
    if (record?.current === undefined) continue;
    if (!sameIdentity || listed?.registrationId !== record.current.remoteRegistrationId) {
      unit.put(key, codecs.session, archiveSession(record));
    }
  }
}

/** A line in each conversation with this person. */
async function noteChange(kit: Kit, unit: Unit, userId: UserId): Promise<void> {
  for (const key of await unit.keys("channel/")) {
    const channel = await unit.get(key, codecs.channel);
    if (channel === undefined || !channel.participants.includes(userId)) continue;
    const notice: ChannelRecord["notices"][number] = {
      id: `${userId}/${kit.clock.now()}`,
      channelId: channel.channelId,
      kind: "identity_changed",
      userId,
      afterSeq: channel.seen,
      atMs: kit.clock.now(),
    };
    unit.put(key, codecs.channel, { ...channel, notices: [...channel.notices, notice].slice(-NOTICES_MAX) });
  }
}

/** Asks the server for people's lists and keeps them. What is refused of one person leaves the others. */
export async function refreshPeers(kit: Kit, userIds: Iterable<UserId>): Promise<void> {
  const asked = [...new Set(userIds)].filter((userId) => userId !== kit.selfId);
  const answers = await Promise.all(
    asked.map(async (userId) => {
      try {
        return await kit.server.call("userDevices", { params: { id: userId } });
      } catch (error) {
        // Gone, or out of reach (blocked): nothing is learned of them, and nobody else waits for it.
        if (error instanceof ApiError && error.code === "not_found") return { userId, published: null };
        throw error;
      }
    }),
  );
  if (answers.length === 0) return;
  let refused: unknown;
  await kit.store.exclusive(async (unit) => {
    for (const { userId, published } of answers) {
      try {
        await learnDevices(kit, unit, userId, published);
      } catch (error) {
        refused = error;
      }
    }
    await unit.commit();
  });
  await Promise.all(asked.map((userId) => tellPeer(kit, userId)));
  if (refused !== undefined) throw refused;
}

/** Who reads what is encrypted now, person and identity: whoever takes a person's name later is somebody else. */
export async function readersOf(unit: Unit, userIds: readonly UserId[], writtenAtMs = Infinity): Promise<string[]> {
  const readers: string[] = [];
  for (const userId of userIds) {
    const peer = await readPeer(unit, userId);
    if (typeof peer?.identityKey === "string" && peer.sinceMs <= writtenAtMs) readers.push(readerText(peer));
  }
  return readers;
}

export function readerText({ userId, identityKey }: Pick<PeerRecord, "userId" | "identityKey">): string {
  return `${userId}/${identityKey}`;
}

/** To all tabs. */
export async function tellPeer(kit: Kit, userId: UserId): Promise<void> {
  kit.share({ kind: "peer", userId });
  await showPeer(kit, userId);
}

/** What is known of a person now, and where the conversations with them stand by that. */
export async function showPeer(kit: Kit, userId: UserId): Promise<void> {
  const { state, channelIds } = await kit.store.exclusive(async (unit) => ({
    state: peerState(userId, await readPeer(unit, userId)),
    channelIds: await channelsWith(unit, userId),
  }));
  kit.tell("peer", state);
  await tellChannels(kit, channelIds);
}

export async function channelsWith(unit: Unit, userId: UserId): Promise<ChannelId[]> {
  const found: ChannelId[] = [];
  for (const key of await unit.keys("channel/")) {
    const channel = await unit.get(key, codecs.channel);
    if (channel?.participants.includes(userId) === true) found.push(channel.channelId);
  }
  return found;
}

/** Every device of these people, but the one that asks. */
export async function devicesOf(
  unit: Unit,
  userIds: readonly UserId[],
  own: Address,
): Promise<(Address & { readonly registrationId: number })[]> {
  const all: (Address & { readonly registrationId: number })[] = [];
  for (const userId of userIds) {
    const list = (await readPeer(unit, userId))?.list;
    for (const { deviceId, registrationId } of list?.devices ?? []) {
      if (userId !== own.userId || deviceId !== own.deviceId) all.push({ userId, deviceId, registrationId });
    }
  }
  return all;
}

export function holderText(device: Address & { readonly registrationId: number }): string {
  return `${addressText(device)}/${device.registrationId}`;
}
