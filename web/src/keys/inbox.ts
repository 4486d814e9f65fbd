import { ProtocolError } from "@lescopains/e2ee/errors";
import type { Ciphertext } from "@lescopains/protocol/ciphertext";
import type { DownBody } from "@lescopains/protocol/down";
import type { DirectChannel, Message } from "@lescopains/protocol/entities";
import type { ChannelId, MessageId, Seq, UserId } from "@lescopains/protocol/ids";
import type { FailureReason } from "@lescopains/protocol/keys";
import { LIMITS } from "@lescopains/protocol/limits";
import { singleFlight } from "../sync/single-flight.ts";
import { KeysError } from "./port.ts";
import { type ChangeContent, decodePassing, decodeStored, isChange, type KeptContent, writtenAtMs } from "./content.ts";
import { channelOf, refreshLists } from "./device.ts";
import { decryptGroup } from "./groups.ts";
import {
  blankRow,
  changedRow,
  type ChangeOf,
  deleteRow,
  type HistoryRow,
  readRow,
  readRowById,
  tellChannels,
  viewOf,
  writeRow,
} from "./history.ts";
import { isWorldly, type Kit } from "./kit.ts";
import { readersOf, readPeer } from "./peers.ts";
import { type Address, type ChannelRecord, codecs, KEY, type OutgoingRecord, type RowRecord } from "./records.ts";
import { decryptFrom, type OwnDevice, ownDevice } from "./sessions.ts";
import type { Unit } from "./store/store.ts";

/** What takes the next number in a conversation. */
export type Item =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "deleted"; readonly seq: Seq; readonly id: MessageId };

/** What changed while a unit was filled, to be told once it is committed. */
export interface Effects {
  readonly rows: Map<MessageId, HistoryRow>;
  readonly gone: MessageId[];
  readonly failures: FailureReason[];
  /** Something is to be asked of its sender. */
  asks: boolean;
  pending: boolean;
}

/** Messages of conversations: each is decrypted once, kept with the state that decrypted it, then shown and acknowledged. */
export interface Inbox {
  readonly take: (channelId: ChannelId, item: Item) => void;
  /**
   * Another connection, with all conversations that one is in: what came by the one before is asked for again, and nothing is asked
   * or sent any more where one no longer is.
   */
  readonly restart: (channels: readonly DirectChannel[]) => Promise<void>;
  readonly passing: (event: DownBody<"message:ephemeral">) => Promise<void>;
  readonly learn: (channels: readonly DirectChannel[]) => Promise<void>;
  readonly run: () => Promise<void>;
  readonly close: () => void;
}

/** Messages decrypted under one lock and kept by one transaction: as many as a `sync` brings. */
const BATCH = LIMITS.historyPage;
/** Events held that wait for earlier ones; beyond that they are asked for. */
const AHEAD_MAX = 1_000;
/** How long a message waits for its sender key, or for a copy of itself, before its sender is asked. */
const HEAL_AFTER_MS = 4_000;
/** A question that was not answered, on a connection that goes on, is asked again. */
const AGAIN_AFTER_MS = 3_000;

/** The sender's identity may have changed: their list has to be read before anything else of them is. */
class Stale extends Error {
  readonly userId: UserId;
  constructor(userId: UserId) {
    super("a list has to be read again");
    this.userId = userId;
  }
}

export function createInbox(kit: Kit, afterFailures: () => void): Inbox {
  const ahead = new Map<ChannelId, Map<Seq, Item>>();
  const known = new Map<ChannelId, Seq>();
  let cancel: (() => void) | undefined;

  const run = singleFlight(async () => {
    if (!kit.connected()) return;
    try {
      for (const channelId of new Set([...ahead.keys(), ...known.keys()])) await catchUp(channelId);
    } catch (error) {
      // A closed database, a lost connection: the next connection begins where this one stopped.
      if (kit.connected() && !isWorldly(error)) console.error("keys: messages could not be taken in", error);
      cancel?.();
      cancel = kit.clock.after(AGAIN_AFTER_MS, () => void run());
    }
  });

  /** What comes after a number. A refusal is thrown to who waits for the answer, and to nobody else. */
  function asked(channelId: ChannelId, after: Seq) {
    const answer = kit.server.emit("sync", { channels: { [channelId]: after } });
    answer.catch(() => undefined);
    return { after, answer };
  }

  async function catchUp(channelId: ChannelId): Promise<void> {
    let next: ReturnType<typeof asked> | undefined;
    for (;;) {
      const waiting = ahead.get(channelId);
      const seen = await seenOf(channelId);
      if (seen === undefined) return;
      const items: Item[] = [];
      for (let seq = seen + 1; items.length < BATCH; seq += 1) {
        const item = waiting?.get(seq);
        if (item === undefined) break;
        items.push(item);
      }
      if (items.length > 0) {
        await process(channelId, items, seen + items.length);
        continue;
      }
      for (const seq of waiting?.keys() ?? []) if (seq <= seen) waiting?.delete(seq);
      const target = Math.max(known.get(channelId) ?? 0, ...(waiting?.keys() ?? []));
      if (target <= seen) {
        ahead.delete(channelId);
        known.delete(channelId);
        await acknowledge(channelId);
        return;
      }
      const page = next?.after === seen ? next : asked(channelId, seen);
      next = undefined;
      const part = (await page.answer).channels[channelId];
      if (part === undefined) {
        ahead.delete(channelId);
        known.delete(channelId);
        return;
      }
      const reached = part.more ? (part.messages.at(-1)?.changedSeq ?? seen) : part.lastSeq;
      // The next page is on its way while this one is decrypted.
      if (part.more && reached > seen) next = asked(channelId, reached);
      await process(
        channelId,
        part.messages.map((message) => ({ kind: "message", message })),
        reached,
      );
      if (reached <= seen) {
        known.delete(channelId);
        ahead.delete(channelId);
        return;
      }
    }
  }

  async function seenOf(channelId: ChannelId): Promise<Seq | undefined> {
    return await kit.store.exclusive(async (unit) => (await unit.get(KEY.channel(channelId), codecs.channel))?.seen);
  }

  /** Takes in a stretch of a conversation, up to `reached`. */
  async function process(channelId: ChannelId, items: readonly Item[], reached: Seq): Promise<void> {
    await refreshLists(kit, await unlisted(items)).catch(unlessOffline);
    const refreshed = new Set<UserId>();
    for (;;) {
      try {
        await processOnce(channelId, items, reached, refreshed);
        return;
      } catch (error) {
        if (!(error instanceof Stale)) throw error;
        refreshed.add(error.userId);
        await refreshLists(kit, [error.userId]).catch(unlessOffline);
      }
    }
  }

  /** Authors of whom nothing is known, or not the device that they wrote from. */
  async function unlisted(items: readonly Item[]): Promise<Set<UserId>> {
    const users = new Set<UserId>();
    await kit.store.exclusive(async (unit) => {
      for (const item of items) {
        if (item.kind !== "message" || !item.message.ciphertext) continue;
        const { authorId, senderDeviceId } = item.message;
        if (authorId === null || users.has(authorId)) continue;
        const list = (await readPeer(unit, authorId))?.list;
        if (list?.devices.some(({ deviceId }) => deviceId === senderDeviceId) !== true) users.add(authorId);
      }
    });
    return users;
  }

  async function processOnce(
    channelId: ChannelId,
    items: readonly Item[],
    reached: Seq,
    refreshed: ReadonlySet<UserId>,
  ): Promise<void> {
    const effects = noEffects();
    await kit.store.exclusive(async (unit) => {
      const own = await ownDevice(unit);
      let channel = await unit.get(KEY.channel(channelId), codecs.channel);
      if (channel === undefined) return;
      await unit.ahead(channelId, channel.seen + 1, reached);
      for (const item of items) {
        if (item.kind === "deleted") {
          await takeRemoval(kit, unit, await readRowById(unit, item.id), effects);
        } else {
          channel = await takeMessage(kit, unit, own, channel, item.message, { effects, refreshed });
        }
      }
      unit.put(KEY.channel(channelId), codecs.channel, { ...channel, seen: Math.max(channel.seen, reached) });
      await unit.commit();
    });
    await tellEffects(kit, channelId, effects);
    if (effects.asks) afterFailures();
  }

  /** The server may delete what this device has taken in. */
  async function acknowledge(channelId: ChannelId): Promise<void> {
    const seen = await kit.store.exclusive(async (unit) => {
      const channel = await unit.get(KEY.channel(channelId), codecs.channel);
      return channel !== undefined && channel.acknowledged < channel.seen ? channel.seen : undefined;
    });
    if (seen === undefined) return;
    await kit.server.emit("message:received", { channelId, seq: seen });
    await kit.store.exclusive(async (unit) => {
      const channel = await unit.get(KEY.channel(channelId), codecs.channel);
      if (channel === undefined) return;
      const acknowledged = Math.max(channel.acknowledged, seen);
      unit.put(KEY.channel(channelId), codecs.channel, { ...channel, acknowledged });
      await unit.commit();
    });
  }

  async function put(unit: Unit, channels: readonly DirectChannel[]): Promise<void> {
    for (const channel of channels) {
      const before = await unit.get(KEY.channel(channel.id), codecs.channel);
      const next = channelOf(channel, before);
      if (JSON.stringify(next) !== JSON.stringify(before)) unit.put(KEY.channel(channel.id), codecs.channel, next);
    }
  }

  function noteLast(channels: readonly DirectChannel[]): void {
    for (const { id, lastSeq } of channels) known.set(id, Math.max(known.get(id) ?? 0, lastSeq));
  }

  return {
    take(channelId, item) {
      const waiting = ahead.get(channelId) ?? new Map<Seq, Item>();
      ahead.set(channelId, waiting);
      const seq = item.kind === "deleted" ? item.seq : item.message.seq;
      // A connection that does not speak for this device yet carries nothing for it: what it skips is asked for later.
      if (kit.connected() && waiting.size < AHEAD_MAX) waiting.set(seq, item);
      known.set(channelId, Math.max(known.get(channelId) ?? 0, seq));
    },
    async restart(channels) {
      ahead.clear();
      const present = new Set(channels.map(({ id }) => id));
      // One unit: a conversation that begins beside it is not taken for one that was left.
      await kit.store.exclusive(async (unit) => {
        await put(unit, channels);
        for (const key of await unit.keys("channel/")) {
          const channel = await unit.get(key, codecs.channel);
          if (channel === undefined || channel.left || present.has(channel.channelId)) continue;
          unit.put(key, codecs.channel, { ...channel, left: true });
        }
        await unit.commit();
      });
      noteLast(channels);
    },
    async learn(channels) {
      await kit.store.exclusive(async (unit) => {
        await put(unit, channels);
        await unit.commit();
      });
      noteLast(channels);
    },
    async passing({ channelId, authorId, senderDeviceId, ciphertext }) {
      const sender = { userId: authorId, deviceId: senderDeviceId };
      const isListed = await kit.store.exclusive((unit) => listed(unit, sender));
      if (!isListed) await refreshLists(kit, [authorId]);
      const content = await kit.store.exclusive(async (unit) => {
        const own = await ownDevice(unit);
        const plaintext = await decrypted(kit, unit, own, channelId, sender, ciphertext).catch(nothing);
        if (plaintext === undefined) return undefined;
        const passed = decodePassing(plaintext, channelId);
        const channel = await unit.get(KEY.channel(channelId), codecs.channel);
        if (passed?.k === "read" && channel !== undefined && passed.seq > (channel.readBy[authorId] ?? 0)) {
          const readBy = { ...channel.readBy, [authorId]: passed.seq };
          unit.put(KEY.channel(channelId), codecs.channel, { ...channel, readBy });
        }
        await unit.commit();
        return passed;
      });
      if (content?.k === "typing" && authorId !== kit.selfId) kit.tell("dm:typing", { channelId, userId: authorId });
      if (content?.k === "read") await tellChannels(kit, [channelId]);
    },
    run,
    close: () => cancel?.(),
  };
}

/** Without an answer nothing is decided; what the server said wrong is said by the messages that it makes unreadable. */
export function unlessOffline(error: unknown): void {
  if (!(error instanceof KeysError)) throw error;
  if (error.code !== "list_refused") throw error;
}

interface Taking {
  readonly effects: Effects;
  readonly refreshed: ReadonlySet<UserId>;
}

async function takeMessage(
  kit: Kit,
  unit: Unit,
  own: OwnDevice,
  channel: ChannelRecord,
  message: Message,
  { effects, refreshed }: Taking,
): Promise<ChannelRecord> {
  const { channelId, seq, authorId } = message;
  const existing = await readRow(unit, channelId, seq);
  if (existing !== undefined && existing.value.content !== null) return channel;
  const isEcho = authorId === kit.selfId && message.senderDeviceId === own.deviceId && !message.ciphertext;
  if (isEcho) {
    const outgoing = await outgoingByNonce(unit, channelId, message.nonce);
    if (outgoing === undefined) return channel;
    const placed = await completeOutgoing(kit, unit, channel, outgoing, message, effects);
    return placed;
  }
  const blank = rowOf(message, kit.selfId);
  if (!message.ciphertext || authorId === null || message.senderDeviceId === undefined) {
    const before = own.registeredAt === null || message.createdAt < own.registeredAt;
    if (existing !== undefined && message.deleted) await takeRemoval(kit, unit, existing, effects);
    if (existing !== undefined || (before && !own.restored)) return channel;
    const value = { ...blank.value, removed: message.deleted };
    return await fail(kit, unit, channel, { ...blank, value }, "no_ciphertext", effects);
  }
  const sender = { userId: authorId, deviceId: message.senderDeviceId };
  try {
    const plaintext = await decrypted(kit, unit, own, channelId, sender, message.ciphertext);
    const content = decodeStored(plaintext, channelId);
    if (content === undefined) return await fail(kit, unit, channel, blank, "invalid_message", effects);
    // Another device of ours wrote it: this one may answer for it as well.
    const to = authorId === kit.selfId ? await readersOf(unit, channel.participants, writtenAtMs(plaintext)) : [];
    return await place(kit, unit, channel, { ...blank, value: { ...blank.value, content, to } }, effects);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    if (error.code === "untrusted_identity" && authorId !== kit.selfId && !refreshed.has(authorId)) {
      throw new Stale(authorId);
    }
    if (existing !== undefined) return channel;
    const reason = reasonOf(error);
    const ciphertext = reason === "no_sender_key" ? message.ciphertext : null;
    return await fail(kit, unit, channel, blank, reason, effects, ciphertext);
  }
}

async function decrypted(
  kit: Kit,
  unit: Unit,
  own: OwnDevice,
  channelId: ChannelId,
  sender: Address,
  ciphertext: Ciphertext,
): Promise<Uint8Array> {
  // A device that its account no longer lists is not listened to; another one has the message too, and is asked.
  if (!(await listed(unit, sender))) throw new ProtocolError("invalid_key", "The device is not on its account's list.");
  return ciphertext.type === 7
    ? await decryptGroup(kit, unit, channelId, sender, ciphertext.body)
    : await decryptFrom(kit, unit, own, sender, ciphertext);
}

async function listed(unit: Unit, { userId, deviceId }: Address): Promise<boolean> {
  const list = (await readPeer(unit, userId))?.list;
  return list?.devices.some((device) => device.deviceId === deviceId) === true;
}

/** What passes by and cannot be read is missed by nobody. */
function nothing(error: unknown): undefined {
  if (!(error instanceof ProtocolError)) throw error;
}

/** Tries again to read a message that was kept for want of its sender key. */
export async function readKept(kit: Kit, unit: Unit, row: HistoryRow): Promise<KeptContent | undefined> {
  const { authorId, senderDeviceId, failure } = row.value;
  if (authorId === null || senderDeviceId === null || failure?.ciphertext?.type !== 7) return undefined;
  const sender = { userId: authorId, deviceId: senderDeviceId };
  try {
    const plaintext = await decryptGroup(kit, unit, row.channelId, sender, failure.ciphertext.body);
    return decodeStored(plaintext, row.channelId);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function reasonOf({ code }: ProtocolError): FailureReason {
  switch (code) {
    case "duplicate_message":
      return "duplicate";
    case "no_session":
    case "unknown_prekey":
      return "no_session";
    case "no_sender_key":
    case "untrusted_identity":
    case "invalid_key":
      return code;
    default:
      return "invalid_message";
  }
}

function rowOf(message: Message, selfId: UserId): HistoryRow {
  const { channelId, seq, id, authorId, nonce, createdAt, changedSeq } = message;
  const senderDeviceId = message.senderDeviceId ?? null;
  return {
    channelId,
    seq,
    id,
    mine: authorId === selfId,
    value: { ...blankRow, id, changedSeq, authorId, senderDeviceId, nonce, createdAt },
  };
}

/** Keeps a message that can be read: one that people see, or a change of another. */
export async function place(
  kit: Kit,
  unit: Unit,
  channel: ChannelRecord,
  row: HistoryRow,
  effects: Effects,
): Promise<ChannelRecord> {
  const { content, authorId, createdAt } = row.value;
  const mark = kit.mark();
  const before = await readRow(unit, channel.channelId, row.seq);
  const next: HistoryRow = { ...row, value: { ...row.value, ...changesOf(before), failure: null } };
  unit.drop(KEY.heal(row.channelId, row.seq));
  if (content !== null && isChange(content) && authorId !== null) {
    const found = await readRowById(unit, content.id);
    const target = found?.channelId === row.channelId ? found : undefined;
    // The words of a message that is gone don't come back with a change of it.
    const gone = content.k === "edit" && target?.value.deleted === true;
    writeRow(unit, gone ? { ...next, value: { ...next.value, content: { ...content, text: "" } } } : next, mark);
    if (content.k === "delete" && target === undefined) {
      unit.put(KEY.early(channel.channelId, content.id), codecs.early, { authorId, seq: row.seq });
    }
    const changed = target && (await changedBy(unit, target, content, { authorId, seq: row.seq, createdAt }, mark));
    if (changed !== undefined) effects.rows.set(changed.id, changed);
    if (before !== undefined) effects.gone.push(row.id);
    return before !== undefined && !row.mine ? { ...channel, unread: Math.max(0, channel.unread - 1) } : channel;
  }
  writeRow(unit, next, mark);
  const shown = (before === undefined ? await deletedEarly(unit, next, mark) : undefined) ?? next;
  effects.rows.set(next.id, shown);
  const counted = before !== undefined;
  return noted(channel, next, counted);
}

/** A message that comes after its deletion: the server's word of that moves it behind its author's. */
async function deletedEarly(unit: Unit, row: HistoryRow, mark: number): Promise<HistoryRow | undefined> {
  const key = KEY.early(row.channelId, row.id);
  const by = await unit.get(key, codecs.early);
  if (by === undefined) return undefined;
  unit.drop(key);
  return await deleteRow(unit, row, by, mark);
}

/** A message after a change of it, written; `undefined` when it changes nothing. */
async function changedBy(
  unit: Unit,
  target: HistoryRow,
  content: ChangeContent,
  by: ChangeOf,
  mark: number,
): Promise<HistoryRow | undefined> {
  if (content.k === "delete") return await deleteRow(unit, target, by, mark);
  const changed = changedRow(target, content, by);
  if (changed !== undefined) writeRow(unit, changed, mark);
  return changed;
}

/** Edits and reactions that came before the message itself could be read. */
function changesOf(before: HistoryRow | undefined): Partial<RowRecord> {
  if (before === undefined) return {};
  const { edit, edits, reactions, deleted, changedSeq } = before.value;
  return { edit, edits, reactions, deleted, changedSeq };
}

/** Who writes has read what stands before. */
function noted(channel: ChannelRecord, row: HistoryRow, counted: boolean): ChannelRecord {
  if (row.mine) return row.seq > channel.readSeq ? { ...channel, readSeq: row.seq, unread: 0 } : channel;
  const unread = counted || row.seq <= channel.readSeq ? channel.unread : channel.unread + 1;
  const { authorId } = row.value;
  if (authorId === null || row.seq <= (channel.readBy[authorId] ?? 0)) return { ...channel, unread };
  return { ...channel, unread, readBy: { ...channel.readBy, [authorId]: row.seq } };
}

async function fail(
  kit: Kit,
  unit: Unit,
  channel: ChannelRecord,
  blank: HistoryRow,
  reason: FailureReason,
  effects: Effects,
  ciphertext: Ciphertext | null = null,
): Promise<ChannelRecord> {
  const { authorId, senderDeviceId, id } = blank.value;
  const row: HistoryRow = {
    ...blank,
    value: { ...blank.value, failure: { reason, givenUp: authorId === null, ciphertext } },
  };
  const mark = kit.mark();
  writeRow(unit, row, mark);
  const deleted = await deletedEarly(unit, row, mark);
  if (deleted !== undefined) {
    effects.rows.set(row.id, deleted);
    return noted(channel, row, false);
  }
  effects.rows.set(row.id, row);
  // What was removed before it came is no failure of anybody's. It is asked for all the same: its author has it, if they did not delete it.
  if (!row.value.removed) effects.failures.push(reason);
  effects.asks = true;
  if (authorId !== null) {
    const { channelId, seq } = blank;
    const notBeforeMs = kit.clock.now() + HEAL_AFTER_MS;
    const heal = { channelId, seq, id, authorId, deviceId: senderDeviceId, tries: 0, notBeforeMs };
    unit.put(KEY.heal(channelId, seq), codecs.heal, heal);
  }
  return noted(channel, row, false);
}

/** The server says that a message was removed: words that are here stay, and one that could not be read says so. */
async function takeRemoval(kit: Kit, unit: Unit, row: HistoryRow | undefined, effects: Effects): Promise<void> {
  if (row === undefined || row.value.failure === null || row.value.removed) return;
  const next = { ...row, value: { ...row.value, removed: true } };
  writeRow(unit, next, kit.mark());
  effects.rows.set(next.id, next);
}

export async function outgoingByNonce(
  unit: Unit,
  channelId: ChannelId,
  nonce: string,
): Promise<OutgoingRecord | undefined> {
  for (const key of await unit.keys("outbox/")) {
    const outgoing = await unit.get(key, codecs.outgoing);
    if (outgoing?.nonce === nonce && outgoing.channelId === channelId) return outgoing;
  }
  return undefined;
}

/** The server has it: what was pending stands in the conversation now. */
export async function completeOutgoing(
  kit: Kit,
  unit: Unit,
  channel: ChannelRecord,
  outgoing: OutgoingRecord,
  message: Message,
  effects: Effects,
): Promise<ChannelRecord> {
  const content = keptOf(outgoing.content);
  // Of a deletion the ciphertexts are still to go.
  if (content.k === "delete") {
    unit.put(KEY.outgoing(outgoing.n), codecs.outgoing, { ...outgoing, placed: true });
  } else {
    unit.drop(KEY.outgoing(outgoing.n));
  }
  effects.pending = true;
  // Given again under its nonce after it was sent, it got the same place again, where it may have been edited or deleted since.
  if ((await readRow(unit, channel.channelId, message.seq))?.value.content != null) return channel;
  const blank = rowOf(message, kit.selfId);
  return await place(kit, unit, channel, { ...blank, value: { ...blank.value, content, to: outgoing.to } }, effects);
}

export function keptOf(content: OutgoingRecord["content"]): Exclude<KeptContent, { k: "newer" }> {
  switch (content.kind) {
    case "text":
      return { k: "text", text: content.text, replyTo: content.replyTo };
    case "edit":
      return { k: "edit", id: content.messageId, text: content.text };
    case "reaction":
      return { k: "reaction", id: content.messageId, emoji: content.emoji, on: content.on };
    case "missedCall":
      return { k: "missedCall" };
    default:
      return { k: "delete", id: content.messageId };
  }
}

/** Tells the page and the other tabs what a unit has changed, and the server what could not be read. */
export async function tellEffects(
  kit: Kit,
  channelId: ChannelId,
  { rows, gone, failures, pending }: Effects,
): Promise<void> {
  const gones = new Set(gone);
  const messages = [...rows.values()]
    .filter((row) => !gones.has(row.id))
    .toSorted((a, b) => a.seq - b.seq)
    .map(viewOf);
  if (messages.length > 0 || gone.length > 0) {
    kit.tell("dm:messages", { channelId, messages, gone });
    kit.share({ kind: "messages", channelId, ids: [...rows.keys(), ...gone] });
  }
  await tellChannels(kit, [channelId]);
  kit.share({ kind: "channel", channelId });
  if (pending) kit.share({ kind: "pending", channelId });
  for (const reason of failures) kit.server.emit("keys:failed", { channelId, reason }).catch(() => undefined);
}

export const noEffects = (): Effects => ({
  rows: new Map(),
  gone: [],
  failures: [],
  asks: false,
  pending: false,
});
