import { ProtocolError } from "@lescopains/e2ee/errors";
import type { ChannelId, MessageId, UserId } from "@lescopains/protocol/ids";
import type { Envelope, FailureReason } from "@lescopains/protocol/keys";
import { singleFlight } from "../sync/single-flight.ts";
import { fromBase64 } from "./base64.ts";
import { isHeard } from "./calls.ts";
import { refreshLists } from "./device.ts";
import { decodeDirect, type DirectContent, encodeDirect, type KeptContent } from "./content.ts";
import { queueEnvelopes } from "./envelopes.ts";
import { forgetHolder, takeSenderKey } from "./groups.ts";
import { type HistoryRow, readRow, readRowById, writeRow } from "./history.ts";
import { type Effects, noEffects, place, readKept, tellEffects, unlessOffline } from "./inbox.ts";
import { isWorldly, type Kit } from "./kit.ts";
import { readerText, readPeer, tellPeer } from "./peers.ts";
import type { KeysEvents } from "./port.ts";
import { type Address, codecs, KEY } from "./records.ts";
import { decryptFrom, type OwnDevice, ownDevice, withoutSession } from "./sessions.ts";
import type { Unit } from "./store/store.ts";

/** Envelopes from other devices: sender keys, requests to send again and their answers. */
export interface Mailbox {
  readonly take: (envelopes: readonly Envelope[]) => void;
  readonly run: () => Promise<void>;
  readonly close: () => void;
}

const AGAIN_AFTER_MS = 3_000;

/** One page, one lock, one transaction, one acknowledgement. */
export function createMailbox(kit: Kit, toSend: () => void): Mailbox {
  let waiting: Envelope[] = [];
  let cancel: (() => void) | undefined;

  const run = singleFlight(async () => {
    if (!kit.connected() || waiting.length === 0) return;
    const envelopes = waiting.toSorted((a, b) => a.id - b.id);
    waiting = [];
    try {
      await takeIn(envelopes);
    } catch (error) {
      if (kit.connected() && !isWorldly(error)) console.error("keys: envelopes were not taken in", error);
      // They stay on the server until they are acknowledged, and come again with the next connection.
      waiting = [...envelopes, ...waiting];
      cancel?.();
      cancel = kit.clock.after(AGAIN_AFTER_MS, () => void run());
    }
  });

  async function takeIn(envelopes: readonly Envelope[]): Promise<void> {
    // What is wrong with one person's list keeps nobody else's envelopes back.
    await refreshLists(kit, await unlisted(envelopes)).catch(unlessOffline);
    const refreshed = new Set<UserId>();
    for (;;) {
      const stale = await takeOnce(envelopes, refreshed);
      if (stale === undefined) break;
      refreshed.add(stale);
      await refreshLists(kit, [stale]).catch(unlessOffline);
    }
    const upTo = envelopes.at(-1)?.id;
    if (upTo !== undefined) await kit.server.emit("keys:ack", { upTo });
  }

  async function unlisted(envelopes: readonly Envelope[]): Promise<Set<UserId>> {
    const users = new Set<UserId>();
    await kit.store.exclusive(async (unit) => {
      for (const { fromUserId, fromDeviceId } of envelopes) {
        const list = (await readPeer(unit, fromUserId))?.list;
        if (list?.devices.some(({ deviceId }) => deviceId === fromDeviceId) !== true) users.add(fromUserId);
      }
    });
    return users;
  }

  /** Answers who has another identity than the known one; nothing was kept then. */
  async function takeOnce(envelopes: readonly Envelope[], refreshed: ReadonlySet<UserId>): Promise<UserId | undefined> {
    const effects = new Map<ChannelId, Effects>();
    const failures: FailureReason[] = [];
    const peers = new Set<UserId>();
    const calls: KeysEvents["call:message"][] = [];
    let sends = false;
    const stale = await kit.store.exclusive(async (unit) => {
      const own = await ownDevice(unit);
      const mailbox = (await unit.get(KEY.mailbox, codecs.mailbox)) ?? { received: 0, nextOut: 1 };
      let received = mailbox.received;
      for (const envelope of envelopes) {
        if (envelope.id <= received) continue;
        received = envelope.id;
        const sender = { userId: envelope.fromUserId, deviceId: envelope.fromDeviceId };
        try {
          const content = decodeDirect(await decryptFrom(kit, unit, own, sender, envelope));
          if (content !== undefined && (await isListed(unit, sender))) {
            sends = (await apply(kit, unit, own, sender, content, { effects, peers, calls })) || sends;
          }
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
          if (error.code === "untrusted_identity" && sender.userId !== kit.selfId && !refreshed.has(sender.userId)) {
            return sender.userId;
          }
          if (error.code !== "duplicate_message") failures.push(error.code === "no_session" ? "no_session" : "other");
        }
      }
      const now = (await unit.get(KEY.mailbox, codecs.mailbox)) ?? mailbox;
      unit.put(KEY.mailbox, codecs.mailbox, { ...now, received });
      await unit.commit();
      return undefined;
    });
    if (stale !== undefined) return stale;
    // Messages in one breath: whoever changes one of them next tells it after that.
    await Promise.all([...effects].map(([channelId, effect]) => tellEffects(kit, channelId, effect)));
    for (const userId of peers) await tellPeer(kit, userId);
    for (const message of calls) {
      kit.tell("call:message", message);
      kit.share({ kind: "call", message });
    }
    for (const reason of failures) kit.server.emit("keys:failed", { reason }).catch(() => undefined);
    if (sends) toSend();
    return undefined;
  }

  return {
    take(envelopes) {
      const known = new Set(waiting.map(({ id }) => id));
      waiting = [...waiting, ...envelopes.filter(({ id }) => !known.has(id))];
    },
    run,
    close: () => cancel?.(),
  };
}

async function isListed(unit: Unit, { userId, deviceId }: Address): Promise<boolean> {
  const list = (await readPeer(unit, userId))?.list;
  return list?.devices.some((device) => device.deviceId === deviceId) === true;
}

interface Applying {
  readonly effects: Map<ChannelId, Effects>;
  readonly peers: Set<UserId>;
  readonly calls: KeysEvents["call:message"][];
}

/** True when something is to be sent now. */
async function apply(
  kit: Kit,
  unit: Unit,
  own: OwnDevice,
  sender: Address,
  content: DirectContent,
  { effects, peers, calls }: Applying,
): Promise<boolean> {
  switch (content.k) {
    case "senderKey":
      await takeSenderKey(unit, content.c, sender, content.d);
      await readWaiting(kit, unit, content.c, sender, effects);
      return false;
    case "again":
      await heal(kit, unit, sender, content, effects);
      return false;
    case "retry": {
      const answers: DirectContent[] = [];
      for (const { c, id } of content.m) {
        await forgetHolder(unit, c, sender);
        const answer = await answerTo(kit, unit, sender, c, id);
        if (answer !== undefined) answers.push(answer);
      }
      const [device] = await withoutSession(kit, unit, await listed(unit, sender));
      if (device !== undefined) return false;
      for (const answer of answers) await queueEnvelopes(kit, unit, own, [sender], encodeDirect(answer));
      return answers.length > 0;
    }
    case "call":
      if (await isHeard(unit, sender.userId)) calls.push({ from: sender, body: fromBase64(content.b) });
      return false;
    case "verified": {
      if (sender.userId !== kit.selfId) return false;
      const peer = await readPeer(unit, content.u);
      if (peer === undefined || peer.identityKey !== content.identityKey) return false;
      unit.put(KEY.peer(content.u), codecs.peer, { ...peer, trust: content.on ? "verified" : "trusted" });
      unit.put(KEY.dirty("peers"), codecs.count, kit.mark());
      peers.add(content.u);
      return false;
    }
    default:
      return false;
  }
}

async function listed(unit: Unit, { userId, deviceId }: Address) {
  const list = (await readPeer(unit, userId))?.list;
  return (list?.devices ?? [])
    .filter((device) => device.deviceId === deviceId)
    .map(({ registrationId }) => ({ userId, deviceId, registrationId }));
}

/**
 * A message once more: only one's own, and only for those it was for, under the identity that they had then; one's own devices may have any.
 * Who has another identity by now may be anybody.
 */
async function answerTo(
  kit: Kit,
  unit: Unit,
  asker: Address,
  channelId: ChannelId,
  id: MessageId,
): Promise<DirectContent | undefined> {
  const row = await readRowById(unit, id);
  if (row?.channelId !== channelId) return undefined;
  if (asker.userId !== kit.selfId) {
    const peer = await readPeer(unit, asker.userId);
    if (peer === undefined || peer.trust === "blocked") return undefined;
    if (!row.mine || !row.value.to.includes(readerText(peer))) return undefined;
  }
  const { content, deleted } = row.value;
  // What this device could not read itself, another one may have.
  if (content === null && !deleted) return undefined;
  return { k: "again", c: channelId, id, content: deleted ? null : originalOf(content) };
}

function originalOf(content: KeptContent | null): KeptContent | null {
  return content === null || content.k === "newer" ? null : content;
}

/** The answer of a device of its author: the message heals in its place. */
async function heal(
  kit: Kit,
  unit: Unit,
  sender: Address,
  { c: channelId, id, content }: Extract<DirectContent, { k: "again" }>,
  effects: Map<ChannelId, Effects>,
): Promise<void> {
  const row = await readRowById(unit, id);
  if (row?.channelId !== channelId || row.value.failure === null) return;
  // One's own devices are believed in what others wrote to them.
  if (row.value.authorId !== sender.userId && sender.userId !== kit.selfId) return;
  const effect = effects.get(channelId) ?? noEffects();
  effects.set(channelId, effect);
  if (content === null) {
    const value = { ...row.value, failure: { ...row.value.failure, givenUp: true } };
    writeRow(unit, { ...row, value }, kit.mark());
    unit.drop(KEY.heal(channelId, row.seq));
    effect.rows.set(id, { ...row, value });
    return;
  }
  await healWith(kit, unit, row, content, effect);
}

async function healWith(kit: Kit, unit: Unit, row: HistoryRow, content: KeptContent, effect: Effects): Promise<void> {
  const channel = await unit.get(KEY.channel(row.channelId), codecs.channel);
  if (channel === undefined) return;
  const next = await place(kit, unit, channel, { ...row, value: { ...row.value, content } }, effect);
  unit.put(KEY.channel(row.channelId), codecs.channel, next);
}

/** A sender key came after messages that need it. */
async function readWaiting(
  kit: Kit,
  unit: Unit,
  channelId: ChannelId,
  sender: Address,
  effects: Map<ChannelId, Effects>,
): Promise<void> {
  for (const key of await unit.keys(`heal/${channelId}/`)) {
    const wanted = await unit.get(key, codecs.heal);
    if (wanted?.authorId !== sender.userId || wanted.deviceId !== sender.deviceId) continue;
    const row = await readRow(unit, channelId, wanted.seq);
    if (row === undefined) continue;
    const content = await readKept(kit, unit, row);
    if (content === undefined) continue;
    const effect = effects.get(channelId) ?? noEffects();
    effects.set(channelId, effect);
    await healWith(kit, unit, row, content, effect);
  }
}
