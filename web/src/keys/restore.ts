import { publicKeyOf } from "@lescopains/e2ee/primitives/curve";
import { equal } from "@lescopains/e2ee/bytes";
import type { ChannelId, Seq } from "@lescopains/protocol/ids";
import { ApiError } from "../net/api-error.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { keptDevice } from "./device.ts";
import { bucketOf, deleteRow, readRow, readRowById, writeRow } from "./history.ts";
import { keptIdentity, splitIdentity } from "./identity.ts";
import { type Kit, refusal } from "./kit.ts";
import { keepDevice, makeDevice } from "./new-device.ts";
import { readPeer, trustAfterChange } from "./peers.ts";
import { KeysError } from "./port.ts";
import { type ChannelRecord, codecs, KEY, type PeerRecord } from "./records.ts";
import type { Unit } from "./store/store.ts";
import type { Vault, VaultContent } from "./vault.ts";

/**
 * Brings back what a vault holds: messages and people first, so that a browser that is closed in between simply begins again. Answers
 * the identity that is in it, and how many messages came.
 */
export async function restoreHistory(
  kit: Kit,
  vault: Vault,
  recoveryKey: Uint8Array,
): Promise<{ readonly identities: readonly Uint8Array[]; readonly messages: number }> {
  const identities: Uint8Array[] = [];
  const last = new Map<ChannelId, Seq>();
  const deletions: SavedRow[] = [];
  let messages = 0;
  await vault.read(recoveryKey, async (records, done, total) => {
    await kit.store.exclusive(async (unit) => {
      for (const { content, ...origin } of records) {
        if (content.kind === "identity") identities.push(fromBase64(content.identity));
        if (content.kind === "peers") for (const peer of content.peers) await takePeer(unit, peer);
        if (content.kind === "rows") {
          await noteOrigin(unit, content.rows, origin);
          for (const row of content.rows) {
            messages += await takeRow(kit, unit, row);
            if (row.value.content?.k === "delete") deletions.push(row);
            last.set(row.channelId, Math.max(last.get(row.channelId) ?? 0, row.seq));
          }
        }
      }
      for (const [channelId, seq] of last) await takeSeen(unit, channelId, seq);
      await unit.commit();
    });
    kit.tell("restore", { done, total });
  });
  await kit.store.exclusive(async (unit) => {
    for (const deletion of deletions) await deleteAgain(kit, unit, deletion);
    await unit.commit();
  });
  return { identities, messages };
}

type SavedRow = Extract<VaultContent, { kind: "rows" }>["rows"][number];

/** What a deletion took words out of may have been saved by a browser that had not heard of it. */
async function deleteAgain(kit: Kit, unit: Unit, { channelId, seq, value }: SavedRow): Promise<void> {
  if (value.content?.k !== "delete" || value.authorId === null) return;
  const target = await readRowById(unit, value.content.id);
  if (target?.channelId !== channelId) return;
  await deleteRow(unit, target, { authorId: value.authorId, seq }, kit.mark());
}

/** The next record that this browser saves of the bucket stands for this one too. */
async function noteOrigin(
  unit: Unit,
  [first]: readonly SavedRow[],
  origin: { readonly name: string; readonly version: number },
): Promise<void> {
  if (first === undefined) return;
  const key = KEY.origins(bucketOf(first.channelId, first.seq));
  const known = (await unit.get(key, codecs.origins)) ?? [];
  unit.put(key, codecs.origins, [...known.filter(({ name }) => name !== origin.name), origin]);
}

/** Several browsers have saved the same message: what can be read goes before what cannot, the later state before the earlier. */
async function takeRow(kit: Kit, unit: Unit, { channelId, seq, mine, shown, value }: SavedRow): Promise<number> {
  const known = await readRow(unit, channelId, seq);
  if (known !== undefined) {
    const readable = (row: { readonly content: unknown }): boolean => row.content !== null;
    if (readable(known.value) && !readable(value)) return 0;
    if (readable(known.value) === readable(value) && known.value.changedSeq >= value.changedSeq) return 0;
  }
  const dirty = KEY.dirty(`row/${bucketOf(channelId, seq)}`);
  const unsaved = (await unit.get(dirty, codecs.count)) !== undefined;
  writeRow(unit, { channelId, seq, id: value.id, mine, value }, kit.mark());
  // It is in the vault already: what another browser saved is not saved twice.
  if (!unsaved) unit.drop(dirty);
  if (value.failure !== null && !value.failure.givenUp && value.authorId !== null) {
    const { id, authorId, senderDeviceId: deviceId } = value;
    const heal = { channelId, seq, id, authorId, deviceId, tries: 0, notBeforeMs: 0 };
    unit.put(KEY.heal(channelId, seq), codecs.heal, heal);
  } else {
    unit.drop(KEY.heal(channelId, seq));
  }
  return known === undefined && shown ? 1 : 0;
}

/**
 * What was verified stays verified, what was superseded stays so, and the later list holds: this browser may have been told an earlier
 * identity before its history was back.
 */
async function takePeer(unit: Unit, saved: PeerRecord): Promise<void> {
  const known = await readPeer(unit, saved.userId);
  unit.put(KEY.peer(saved.userId), codecs.peer, known === undefined ? saved : joined(known, saved));
}

function joined(known: PeerRecord, saved: PeerRecord): PeerRecord {
  const versionOf = ({ list }: PeerRecord): number => list?.version ?? 0;
  const [earlier, later] = versionOf(saved) > versionOf(known) ? [known, saved] : [saved, known];
  const former = new Set([...earlier.former, ...later.former]);
  if (earlier.identityKey === later.identityKey) {
    const verified = later.trust === "trusted" && earlier.trust === "verified";
    return { ...later, trust: verified ? "verified" : later.trust, former: [...former] };
  }
  if (earlier.identityKey !== null) former.add(earlier.identityKey);
  // Nobody has been told yet of what this browser learned first.
  return { ...later, trust: later === known ? trustAfterChange(earlier) : later.trust, former: [...former] };
}

async function takeSeen(unit: Unit, channelId: ChannelId, seq: Seq): Promise<void> {
  const known: ChannelRecord = (await unit.get(KEY.channel(channelId), codecs.channel)) ?? {
    channelId,
    type: "dm",
    participants: [],
    left: true,
    seen: 0,
    acknowledged: 0,
    readSeq: 0,
    unread: 0,
    readBy: {},
    notices: [],
  };
  if (seq > known.seen) unit.put(KEY.channel(channelId), codecs.channel, { ...known, seen: seq });
}

/**
 * Makes this browser a device of an identity that came from elsewhere, if it is the account's. Registering it is the next step. One that has
 * it by now, brought another way meanwhile, stays the device that it is. Nothing else may bring a device together with the server beside it.
 */
export async function adoptIdentity(
  kit: Kit,
  identities: readonly Uint8Array[],
  name: string,
  also: (unit: Unit) => void,
): Promise<void> {
  const { published } = await kit.server.call("listDevices");
  const isHere = await kit.store.exclusive(async (unit) => {
    const device = await keptDevice(unit);
    if (device === undefined || device.status === "revoked") return false;
    if (published?.identityKey !== toBase64((await keptIdentity(unit)).publicKey)) return false;
    also(unit);
    await unit.commit();
    return true;
  });
  if (isHere) return;
  for (const bytes of identities) {
    const identity = splitIdentity(bytes);
    const whole = equal(await publicKeyOf(kit.platform, identity.privateKey), identity.publicKey);
    if (!whole || published?.identityKey !== toBase64(identity.publicKey)) continue;
    const made = await makeDevice(kit, identity, { name, restored: true });
    await kit.store.exclusive(async (unit) => {
      await keepDevice(unit, made);
      // A vault that this browser saves to has the identity before.
      unit.put(KEY.dirty("identity"), codecs.count, kit.mark());
      also(unit);
      await unit.commit();
    });
    return;
  }
  throw refusal("vault_damaged", "the account has another identity by now");
}

/**
 * Goes on with what another browser gave, if something was: it is given once, so it is kept until this browser has made it its own.
 *
 * @throws KeysError `vault_damaged` when the account has another identity by now.
 */
export async function useGiven(kit: Kit, vault: Vault, name: string): Promise<void> {
  const given = await kit.store.exclusive((unit) => unit.get(KEY.given, codecs.given));
  if (given === undefined) return;
  const key = given.recoveryKey === null ? undefined : fromBase64(given.recoveryKey);
  const opened = key !== undefined && (await hasHistory(kit, vault, key));
  await adoptIdentity(kit, [fromBase64(given.identity)], name, (unit) => {
    if (opened) vault.adopt(unit, key);
    unit.drop(KEY.given);
  });
}

/** A vault that this key does not open any more, or that is damaged, keeps the identity back from nobody: it stays locked. */
async function hasHistory(kit: Kit, vault: Vault, key: Uint8Array): Promise<boolean> {
  try {
    await restoreHistory(kit, vault, key);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === "vault_locked") return false;
    if (error instanceof KeysError && error.code === "vault_damaged") return false;
    throw error;
  }
}
