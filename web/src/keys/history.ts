/** Messages at rest: rows of the store, and what people see of them. Pure but for the reading. */
import type { ChannelId, MessageId, Seq, Timestamp, UserId } from "@lescopains/protocol/ids";
import { isChange, type StoredContent } from "./content.ts";
import type { DmHistoryPage, DmMessage, DmState, Unreadable } from "./port.ts";
import type { Reaction } from "@lescopains/protocol/entities";
import { type ChannelRecord, codecs, KEY, type RowRecord } from "./records.ts";
import type { Kit } from "./kit.ts";
import type { Row, RowRange, Unit } from "./store/store.ts";

export interface HistoryRow extends Omit<Row<RowRecord>, "shown" | "mine"> {
  readonly mine: boolean;
}

/** A row that nothing was done with yet. */
export const blankRow = {
  deleted: false,
  removed: false,
  content: null,
  failure: null,
  edit: null,
  edits: [],
  reactions: {},
  to: [],
} as const satisfies Partial<RowRecord>;

export async function readRow(unit: Unit, channelId: ChannelId, seq: Seq): Promise<HistoryRow | undefined> {
  return opened(await unit.row(channelId, seq));
}

export async function readRowById(unit: Unit, id: MessageId): Promise<HistoryRow | undefined> {
  return opened(await unit.rowById(id));
}

function opened(row: Row<Uint8Array> | undefined): HistoryRow | undefined {
  if (row === undefined) return undefined;
  return {
    channelId: row.channelId,
    seq: row.seq,
    id: row.id,
    mine: row.mine === 1,
    value: codecs.row.decode(row.value),
  };
}

/** Rows of a bucket go into one record of the vault. */
const BUCKET = 100;

export function bucketOf(channelId: ChannelId, seq: Seq): string {
  return `${channelId}/${Math.floor(seq / BUCKET)}`;
}

export function bucketRange(bucket: string): { readonly channelId: ChannelId; readonly from: Seq; readonly to: Seq } {
  const [channelId, number] = bucket.split("/");
  const from = Number(number) * BUCKET;
  return { channelId: channelId as ChannelId, from, to: from + BUCKET - 1 };
}

export function writeRow(unit: Unit, row: HistoryRow, dirtyMark: number): void {
  const { channelId, seq, id, mine, value } = row;
  const place = { channelId, seq, id, mine: mine ? 1 : 0 } as const;
  unit.putRow({ ...place, ...(isShown(value) ? { shown: seq } : {}), value: codecs.row.encode(value) });
  unit.put(KEY.dirty(`row/${bucketOf(channelId, seq)}`), codecs.count, dirtyMark);
}

/** Messages stand in the conversation by themselves; changes of others don't. What cannot be read may be one. */
export function isShown({ content, failure }: RowRecord): boolean {
  return failure !== null || (content !== null && !isChange(content));
}

export function viewOf({ channelId, seq, value }: Pick<HistoryRow, "channelId" | "seq" | "value">): DmMessage {
  const text = value.content?.k === "text" ? value.content : undefined;
  const missedCall = value.content?.k === "missedCall" && !value.deleted;
  const readable = text !== undefined || missedCall || value.deleted;
  return {
    id: value.id,
    channelId,
    seq,
    changedSeq: value.changedSeq,
    authorId: value.authorId,
    content: value.deleted || missedCall ? "" : (value.edit?.text ?? text?.text ?? ""),
    contentType: "text",
    encrypted: !readable,
    metadata: null,
    nonce: value.nonce,
    replyTo: text?.replyTo ?? null,
    threadId: null,
    createdAt: value.createdAt,
    editedAt: missedCall ? null : (value.edit?.at ?? null),
    deleted: value.deleted,
    ...(missedCall ? { missedCall } : {}),
    unreadable: value.deleted ? null : unreadable(value),
    reactions: value.deleted ? [] : reactionsOf(value),
  };
}

function unreadable({ content, failure, removed }: RowRecord): Unreadable | null {
  if (failure !== null) {
    const state = failure.givenUp ? "given_up" : "asking";
    return removed ? { kind: "removed", state } : { kind: "undecryptable", reason: failure.reason, state };
  }
  return content?.k === "newer" ? { kind: "newer" } : null;
}

function reactionsOf({ reactions }: RowRecord): Reaction[] {
  return Object.entries(reactions)
    .map(([emoji, people]) => ({
      emoji,
      userIds: (Object.entries(people) as [UserId, number][]).filter(([, at]) => at > 0).map(([userId]) => userId),
    }))
    .filter(({ userIds }) => userIds.length > 0);
}

export interface ChangeOf {
  readonly authorId: UserId;
  readonly seq: Seq;
  readonly createdAt: Timestamp;
}

/** A message after somebody's change of it, whatever the order in which changes came; `undefined` when it changes nothing. */
export function changedRow(
  row: HistoryRow,
  content: Extract<StoredContent, { k: "edit" | "reaction" }>,
  by: ChangeOf,
): HistoryRow | undefined {
  const { value } = row;
  const changedSeq = Math.max(value.changedSeq, by.seq);
  if (content.k === "edit") {
    if (value.authorId !== by.authorId || value.deleted) return undefined;
    const edits = [...new Set([...value.edits, by.seq])];
    const later = value.edit !== null && value.edit.seq >= by.seq ? value.edit : undefined;
    const edit = later ?? { text: content.text, seq: by.seq, at: by.createdAt };
    return { ...row, value: { ...value, changedSeq, edit, edits } };
  }
  const people = Object.hasOwn(value.reactions, content.emoji) ? (value.reactions[content.emoji] ?? {}) : {};
  if (Math.abs(people[by.authorId] ?? 0) >= by.seq) return undefined;
  const reactions = {
    ...value.reactions,
    [content.emoji]: { ...people, [by.authorId]: content.on ? by.seq : -by.seq },
  };
  return { ...row, value: { ...value, changedSeq, reactions } };
}

/**
 * Takes the words out of a message that its author deletes, and out of the changes that it had: here and, with the next save, in the vault.
 * Answers the message, or `undefined` when it is not this author's to delete.
 */
export async function deleteRow(
  unit: Unit,
  row: HistoryRow,
  by: Pick<ChangeOf, "authorId" | "seq">,
  mark: number,
): Promise<HistoryRow | undefined> {
  const { content, authorId, edit, edits } = row.value;
  const stands = content === null || !isChange(content);
  if (authorId !== by.authorId || !stands) return undefined;
  for (const seq of new Set(edit === null ? edits : [...edits, edit.seq])) {
    const change = await readRow(unit, row.channelId, seq);
    if (change?.value.content?.k !== "edit" || change.value.content.text === "") continue;
    writeRow(unit, { ...change, value: { ...change.value, content: { ...change.value.content, text: "" } } }, mark);
  }
  const replyTo = content?.k === "text" ? content.replyTo : null;
  const value: RowRecord = {
    ...row.value,
    changedSeq: Math.max(row.value.changedSeq, by.seq),
    content: { k: "text", text: "", replyTo },
    deleted: true,
    failure: null,
    edit: null,
    reactions: {},
  };
  const next = { ...row, value };
  writeRow(unit, next, mark);
  unit.drop(KEY.heal(row.channelId, row.seq));
  return next;
}

export async function historyPage(kit: Kit, range: RowRange): Promise<DmHistoryPage> {
  const found = await kit.store.shown({ ...range, limit: range.limit + 1 });
  const hasMore = found.length > range.limit;
  const kept = hasMore ? (range.after === undefined ? found.slice(1) : found.slice(0, -1)) : found;
  const channel = await kit.store.exclusive((unit) => unit.get(KEY.channel(range.channelId), codecs.channel));
  return {
    messages: kept.map((row) => viewOf({ ...row, value: codecs.row.decode(row.value) })),
    notices: channel?.notices ?? [],
    hasMore,
  };
}

/** Where a conversation stands, for a list of conversations and for what may be written. */
export async function channelState(kit: Kit, unit: Unit, channel: ChannelRecord): Promise<DmState> {
  const [last] = await kit.store.shown({ channelId: channel.channelId, limit: 1 });
  const blockedBy: UserId[] = [];
  const withoutDevice: UserId[] = [];
  for (const userId of channel.participants) {
    if (userId === kit.selfId) continue;
    const peer = await unit.get(KEY.peer(userId), codecs.peer);
    if (peer?.trust === "blocked") blockedBy.push(userId);
    if (peer?.list === null || peer?.list === undefined) withoutDevice.push(userId);
  }
  const { channelId, seen, readSeq, unread, readBy, notices } = channel;
  return {
    channelId,
    seenSeq: seen,
    readSeq,
    unread,
    last: last === undefined ? null : viewOf({ ...last, value: codecs.row.decode(last.value) }),
    readBy,
    blockedBy,
    withoutDevice,
    notices,
  };
}

export async function tellChannels(kit: Kit, channelIds: Iterable<ChannelId>): Promise<void> {
  for (const channelId of new Set(channelIds)) {
    const state = await kit.store.exclusive(async (unit) => {
      const channel = await unit.get(KEY.channel(channelId), codecs.channel);
      return channel === undefined ? undefined : await channelState(kit, unit, channel);
    });
    if (state !== undefined) kit.tell("dm:state", state);
  }
}
