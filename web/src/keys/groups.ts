import { decryptFromGroup, encryptForGroup } from "@lescopains/e2ee/group/cipher";
import { createDistribution, processDistribution } from "@lescopains/e2ee/group/distribution";
import { createSenderKey } from "@lescopains/e2ee/group/sender-key";
import { ProtocolError } from "@lescopains/e2ee/errors";
import type { ChannelId } from "@lescopains/protocol/ids";
import { fromBase64, toBase64, uuidBytes } from "./base64.ts";
import { encodeDirect } from "./content.ts";
import { queueEnvelopes } from "./envelopes.ts";
import type { Kit } from "./kit.ts";
import { holderText } from "./peers.ts";
import { type Address, codecs, KEY } from "./records.ts";
import type { OwnDevice } from "./sessions.ts";
import type { Unit } from "./store/store.ts";

type Device = Address & { readonly registrationId: number };

/**
 * Encrypts one message for a whole group. Who does not have our sender key yet gets it by an envelope that is queued in the same unit;
 * when somebody who has it is no longer among `devices`, a new key takes its place first.
 */
export async function encryptGroup(
  kit: Kit,
  unit: Unit,
  own: OwnDevice,
  channelId: ChannelId,
  devices: readonly Device[],
  plaintext: Uint8Array,
): Promise<string> {
  const present = new Set(devices.map(holderText));
  let record = await unit.get(KEY.own(channelId), codecs.senderKey);
  let holders = (await unit.get(KEY.holders(channelId), codecs.holders)) ?? [];
  if (record === undefined || holders.some((holder) => !present.has(holder))) {
    record = await createSenderKey(kit.platform, record ?? null);
    holders = [];
  }
  const without = devices.filter((device) => !holders.includes(holderText(device)));
  if (without.length > 0) {
    const d = toBase64(createDistribution(record, uuidBytes(channelId)));
    await queueEnvelopes(kit, unit, own, without, encodeDirect({ k: "senderKey", c: channelId, d }));
  }
  const done = await encryptForGroup(kit.platform, record, uuidBytes(channelId), plaintext);
  unit.put(KEY.own(channelId), codecs.senderKey, done.record);
  unit.put(KEY.holders(channelId), codecs.holders, [...present]);
  return toBase64(done.message);
}

/** @throws ProtocolError; nothing has changed in the unit then. */
export async function decryptGroup(
  kit: Kit,
  unit: Unit,
  channelId: ChannelId,
  sender: Address,
  body: string,
): Promise<Uint8Array> {
  const key = KEY.theirs(channelId, sender);
  const record = await unit.get(key, codecs.senderKey);
  if (record === undefined) throw new ProtocolError("no_sender_key", "No sender key of this device is known.");
  const done = await decryptFromGroup(kit.platform, record, fromBase64(body), uuidBytes(channelId));
  unit.put(key, codecs.senderKey, done.record);
  return done.plaintext;
}

/** A device told how to read what it sends to a group. @throws ProtocolError */
export async function takeSenderKey(unit: Unit, channelId: ChannelId, sender: Address, distribution: string) {
  const key = KEY.theirs(channelId, sender);
  const record = (await unit.get(key, codecs.senderKey)) ?? null;
  unit.put(key, codecs.senderKey, processDistribution(record, fromBase64(distribution), uuidBytes(channelId)));
}

/** This device could not read: the next message brings it the sender key once more. */
export async function forgetHolder(unit: Unit, channelId: ChannelId, device: Address): Promise<void> {
  const holders = await unit.get(KEY.holders(channelId), codecs.holders);
  if (holders === undefined) return;
  const prefix = `${device.userId}/${device.deviceId}/`;
  const kept = holders.filter((holder) => !holder.startsWith(prefix));
  if (kept.length !== holders.length) unit.put(KEY.holders(channelId), codecs.holders, kept);
}
