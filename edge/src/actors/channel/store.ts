import type { ChannelId, MessageId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { allows } from "@lescopains/protocol/permissions";
import { v7 } from "uuid";
import { type AnyDown } from "@lescopains/protocol/down";
import { deleteMessage, editMessage, insertMessages } from "../../db/messages.ts";
import { addReaction, removeReaction } from "../../db/reactions.ts";
import { type Database, DatabaseError } from "../../db/port.ts";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import type { Sealed } from "../gateway/messages.ts";
import {
  type Admitted,
  type Answer,
  deletedMessage,
  editedMessage,
  isSealed,
  newMessage,
  type Reacted,
  reactionChanged,
  type Write,
} from "./core.ts";
import { seal } from "./sealed.ts";

/** What became of one write. `event` is there when the channel's readers must be told. */
export interface Written {
  readonly outcome: Outcome<Answer>;
  readonly event?: AnyDown;
  /** What of it is for devices. */
  readonly sealed?: Sealed;
}

type Send = Extract<Write, { kind: "send" }>;

/** Stores a batch as `batchLength` cut it. Throws `DatabaseError` of kind `unavailable`; every other failure is an outcome. */
export async function store(db: Database, channelId: ChannelId, batch: readonly Admitted[]): Promise<Written[]> {
  const [first] = batch;
  if (first === undefined) return [];
  if (first.write.kind === "edit") return [await edit(db, channelId, first.write)];
  if (first.write.kind === "react") return [await react(db, channelId, first.write)];
  if (first.write.kind === "send" && isSealed(first.write.input)) return [await seal(db, channelId, first.write)];
  if (first.write.kind === "delete")
    return [await remove(db, channelId, first.write, allows(first.bits, "manageMessages"))];
  return insert(
    db,
    channelId,
    batch.map(({ write }) => write as Send),
  );
}

async function insert(db: Database, channelId: ChannelId, batch: readonly Send[]): Promise<Written[]> {
  try {
    const rows = await db.query(insertMessages, [
      channelId,
      batch.map(() => v7() as MessageId),
      batch.map((write) => write.userId),
      batch.map((write) => write.input.nonce),
      batch.map((write) => write.input.content),
      batch.map((write) => write.input.contentType),
      batch.map((write) => (write.input.metadata === undefined ? null : JSON.stringify(write.input.metadata))),
      batch.map((write) => write.input.encrypted),
      batch.map((write) => write.input.replyTo ?? null),
      batch.map((write) => write.input.threadId ?? null),
    ]);
    const answers = new Map(rows.map((row) => [row.n, row]));
    return batch.map((write, index) => {
      const row = answers.get(index + 1);
      if (row === undefined) return { outcome: refuse("not_found", "the channel or the message replied to is gone") };
      const outcome = ok({ id: row.id, seq: row.seq, createdAt: row.createdAt });
      return row.known ? { outcome } : { outcome, event: newMessage(channelId, write, row) };
    });
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.kind === "unavailable") throw error;
    // One row that PostgreSQL refuses must not cost its neighbours anything: each is tried alone.
    if (batch.length > 1) {
      const alone: Written[] = [];
      for (const write of batch) alone.push(...(await insert(db, channelId, [write])));
      return alone;
    }
    if (error.kind === "foreign_key") return [{ outcome: refuse("not_found", "the account is gone") }];
    // The nonce was stored by a statement that ran beside this one: the sender's retry finds it.
    if (error.kind === "unique") return [{ outcome: refuse("unavailable", "try again", { retryAfterMs: 100 }) }];
    return [{ outcome: refuse("invalid_request", "the message can't be stored") }];
  }
}

async function edit(db: Database, channelId: ChannelId, write: Extract<Write, { kind: "edit" }>): Promise<Written> {
  const { messageId, content, metadata, encrypted } = write.input;
  const [row] = await db.query(editMessage, [
    channelId,
    messageId,
    write.userId,
    content,
    metadata === undefined ? null : JSON.stringify(metadata),
    encrypted,
  ]);
  if (row === undefined) return { outcome: refuse("not_found", "no such message of yours") };
  return {
    outcome: ok({ id: messageId, seq: row.seq, editedAt: row.editedAt }),
    event: editedMessage(channelId, write, row),
  };
}

async function remove(
  db: Database,
  channelId: ChannelId,
  write: Extract<Write, { kind: "delete" }>,
  mayModerate: boolean,
): Promise<Written> {
  const { messageId } = write.input;
  const [row] = await db.query(deleteMessage, [channelId, messageId, write.userId, mayModerate]);
  if (row === undefined) return { outcome: refuse("not_found", "no such message") };
  return { outcome: ok({ id: messageId, seq: row.seq }), event: deletedMessage(channelId, messageId, row.seq) };
}

async function react(db: Database, channelId: ChannelId, write: Extract<Write, { kind: "react" }>): Promise<Written> {
  const { messageId, emoji } = write.input;
  const changed = write.on
    ? await added(db, [channelId, messageId, write.userId, emoji])
    : (await db.query(removeReaction, [channelId, messageId, write.userId, emoji]))[0];
  if (changed === undefined) return { outcome: refuse("not_found", "no such message") };
  if (changed === "full") return { outcome: refuse("limit_reached", "the message takes no more reactions") };
  const { seq } = changed;
  return seq === null
    ? { outcome: ok({ seq }) }
    : { outcome: ok({ seq }), event: reactionChanged(channelId, write, seq) };
}

async function added(
  db: Database,
  reaction: [ChannelId, MessageId, UserId, emoji: string],
): Promise<Reacted | "full" | undefined> {
  try {
    const [row] = await db.query(addReaction, [...reaction, LIMITS.reactionKinds, LIMITS.reactions]);
    return row?.full === true ? "full" : row;
  } catch (error) {
    // The account is gone, and with it what it could have reacted as.
    if (error instanceof DatabaseError && error.kind === "foreign_key") return undefined;
    throw error;
  }
}
