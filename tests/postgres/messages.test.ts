import type { ChannelId, MessageId, UserId } from "@lescopains/protocol/ids";
import type { Pool, PoolClient } from "pg";
import { v7 } from "uuid";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  changedSince,
  deleteMessage,
  editMessage,
  historyAfter,
  historyBefore,
  insertMessages,
  markRead,
  type StoredRow,
  tellableSince,
} from "../../edge/src/db/messages.ts";
import { addReaction, removeReaction } from "../../edge/src/db/reactions.ts";
import { openPool, run, type Server, startServer } from "./server.ts";

let server: Server;
let pool: Pool;
beforeAll(async () => {
  server = await startServer();
  pool = openPool(await server.migrated());
}, 120_000);
afterAll(async () => {
  await pool.end();
  await server.stop();
}, 60_000);

let ada: UserId;
let bob: UserId;
let channel: ChannelId;
let other: ChannelId;
beforeEach(async () => {
  [ada, bob] = [v7() as UserId, v7() as UserId];
  [channel, other] = [v7() as ChannelId, v7() as ChannelId];
  await pool.query(
    "INSERT INTO users (id, username, display_name, password_hash) SELECT id, id::text, 'x', '' FROM unnest($1::uuid[]) AS id",
    [[ada, bob]],
  );
  await pool.query("INSERT INTO channels (id, name, type) SELECT id, 'x', 'text' FROM unnest($1::uuid[]) AS id", [
    [channel, other],
  ]);
});

interface Draft {
  readonly author?: UserId;
  readonly nonce?: string;
  readonly content?: string;
  readonly replyTo?: MessageId;
  readonly threadId?: MessageId;
  readonly metadata?: object;
}

/** Stores a batch as the channel actor does. */
async function insert(into: ChannelId, drafts: readonly Draft[], on: Pool | PoolClient = pool): Promise<StoredRow[]> {
  const rows = await run(on, insertMessages, [
    into,
    drafts.map(() => v7() as MessageId),
    drafts.map(({ author }) => author ?? ada),
    drafts.map(({ nonce }) => nonce ?? v7()),
    drafts.map(({ content }) => content ?? "bonjour"),
    drafts.map(() => "text" as const),
    drafts.map(({ metadata }) => (metadata === undefined ? null : JSON.stringify(metadata))),
    drafts.map(() => false),
    drafts.map(({ replyTo }) => replyTo ?? null),
    drafts.map(({ threadId }) => threadId ?? null),
  ]);
  return rows.toSorted((a, b) => a.n - b.n);
}

async function one(into: ChannelId, draft: Draft = {}): Promise<StoredRow> {
  const [row] = await insert(into, [draft]);
  if (row === undefined) throw new Error("not stored");
  return row;
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

async function events(of: ChannelId): Promise<{ seqs: number[]; lastSeq: number }> {
  const { rows } = await pool.query<{ seq: number }>("SELECT seq FROM messages WHERE channel_id = $1 ORDER BY seq", [
    of,
  ]);
  const last = await pool.query<{ last_seq: number }>("SELECT last_seq FROM channels WHERE id = $1", [of]);
  return { seqs: rows.map(({ seq }) => seq), lastSeq: last.rows[0]?.last_seq ?? -1 };
}

test("[DB11] the messages of a batch are numbered in its order, from the channel's last event on, without holes", async () => {
  const first = await insert(
    channel,
    upTo(250).map((index) => ({ content: `message ${index}` })),
  );
  expect(first.map(({ seq }) => seq)).toEqual(upTo(250));
  const second = await insert(channel, [{ author: bob }, {}, { author: bob }]);
  expect(second.map(({ seq, known }) => [seq, known])).toEqual([
    [251, false],
    [252, false],
    [253, false],
  ]);
  const page = await run(pool, historyAfter, [channel, 0, 250]);
  expect(page.map(({ content }) => content)).toEqual(upTo(250).map((index) => `message ${index}`));
  expect(await events(channel)).toEqual({ seqs: upTo(253), lastSeq: 253 });
  expect(await events(other)).toEqual({ seqs: [], lastSeq: 0 });
});

test("[DB12] a nonce that is stored is answered with its first result and takes no number, among new ones too", async () => {
  const [before] = await insert(channel, [{ nonce: "a", content: "the first" }]);
  const mixed = await insert(channel, [
    { nonce: "b" },
    { nonce: "a", content: "another text" },
    { nonce: "c" },
    { nonce: "a", author: bob },
  ]);
  expect(mixed.map(({ n, seq, known }) => [n, seq, known])).toEqual([
    [1, 2, false],
    [2, 1, true],
    [3, 3, false],
    [4, 4, false],
  ]);
  expect(mixed[1]).toMatchObject({ id: before?.id, createdAt: before?.createdAt });
  const again = await insert(channel, [{ nonce: "a" }, { nonce: "b" }]);
  expect(again.map(({ seq, known }) => [seq, known])).toEqual([
    [1, true],
    [2, true],
  ]);
  expect(await events(channel)).toEqual({ seqs: upTo(4), lastSeq: 4 });
  const [stored] = await run(pool, historyAfter, [channel, 0, 1]);
  expect(stored?.content).toBe("the first");
});

test("[DB13] the same nonce is another message in another channel", async () => {
  await one(channel, { nonce: "a" });
  expect((await one(other, { nonce: "a" })).known).toBe(false);
});

test("[DB14] a reply to, or a thread of, a message of another channel or of none is not stored and takes no number", async () => {
  const here = await one(channel);
  const there = await one(other);
  const answers = await insert(channel, [
    { replyTo: there.id },
    { replyTo: here.id },
    { threadId: there.id },
    { threadId: here.id },
    { replyTo: v7() as MessageId },
    { replyTo: here.id, threadId: there.id },
  ]);
  expect(answers.map(({ n, seq }) => [n, seq])).toEqual([
    [2, 2],
    [4, 3],
  ]);
  expect(await events(channel)).toEqual({ seqs: upTo(3), lastSeq: 3 });
});

test("[DB15] nothing is stored in a channel that is not there", async () => {
  expect(await insert(v7() as ChannelId, [{}, {}])).toEqual([]);
});

test("[DB16] a batch that PostgreSQL refuses stores nothing of itself and takes no number", async () => {
  await expect(insert(channel, [{}, { author: v7() as UserId }])).rejects.toMatchObject({ code: "23503" });
  await expect(insert(channel, [{ nonce: "twice" }, { nonce: "twice" }])).rejects.toMatchObject({ code: "23505" });
  expect(await events(channel)).toEqual({ seqs: [], lastSeq: 0 });
});

/** Runs tasks on two connections, each one after the other. */
async function onTwoConnections<T>(tasks: readonly ((on: PoolClient) => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const clients = await Promise.all([pool.connect(), pool.connect()]);
  try {
    await Promise.all(
      clients.map(async (client, which) => {
        for (const [index, task] of tasks.entries()) if (index % 2 === which) results[index] = await task(client);
      }),
    );
  } finally {
    for (const client of clients) client.release();
  }
  return results;
}

test("[DB17] two writers at once take numbers that are unique and without holes", async () => {
  const answers = await onTwoConnections(
    upTo(200).map(
      (index) => (on: PoolClient) =>
        insert(
          channel,
          Array.from({ length: 1 + (index % 4) }, () => ({})),
          on,
        ),
    ),
  );
  const seqs = answers.flat().map(({ seq }) => seq);
  expect(seqs.toSorted((a, b) => a - b)).toEqual(upTo(seqs.length));
  // A batch stands together.
  for (const batch of answers)
    expect(batch.map(({ seq }) => seq - (batch[0]?.seq ?? 0))).toEqual(batch.map((_, k) => k));
  expect(await events(channel)).toEqual({ seqs: upTo(seqs.length), lastSeq: seqs.length });
});

test("[DB18] of two writers with the same nonces each is stored once; the loser of a race is told, and finds it at its next try", async () => {
  const lost: number[] = [];
  const attempt = (index: number) => async (on: PoolClient) => {
    const nonce = `shared ${Math.floor(index / 2)}`;
    try {
      return await insert(channel, [{ nonce }], on);
    } catch (error) {
      expect(error).toMatchObject({ code: "23505", constraint: "messages_nonce" });
      lost.push(index);
      return insert(channel, [{ nonce }], on);
    }
  };
  const answers = await onTwoConnections(upTo(200).map((index) => attempt(index - 1)));
  const byNonce = Map.groupBy(answers.flat(), ({ id }) => id);
  expect(byNonce.size).toBe(100);
  for (const pair of byNonce.values()) expect(new Set(pair.map(({ known }) => known))).toEqual(new Set([true, false]));
  expect(await events(channel)).toEqual({ seqs: upTo(100), lastSeq: 100 });
});

test("[DB19] edits and deletions take the next event of the channel, beside inserts too", async () => {
  const rows = await insert(
    channel,
    upTo(60).map(() => ({})),
  );
  const tasks = rows.flatMap(({ id }, index) => [
    async (on: PoolClient) => (await insert(channel, [{}], on)).map(({ seq }) => seq),
    async (on: PoolClient) =>
      index % 2 === 0
        ? (await run(on, editMessage, [channel, id, ada, "edited", null, false])).map(({ seq }) => seq)
        : (await run(on, deleteMessage, [channel, id, ada, false])).map(({ seq }) => seq),
  ]);
  const seqs = (await onTwoConnections(tasks)).flat();
  expect(seqs.toSorted((a, b) => a - b)).toEqual(upTo(120).map((index) => 60 + index));
  const changed = await run(pool, changedSince, [channel, 60, 500]);
  expect(changed.map(({ changedSeq }) => changedSeq)).toEqual(upTo(120).map((index) => 60 + index));
});

test("[DB20] only the author edits; the author or a moderator deletes; what is deleted is empty and stays so", async () => {
  const { id, seq } = await one(channel, { content: "a secret", metadata: { mentions: [bob] } });
  expect(await run(pool, editMessage, [channel, id, bob, "mine now", null, false])).toEqual([]);
  expect(await run(pool, editMessage, [other, id, ada, "elsewhere", null, false])).toEqual([]);
  expect(await run(pool, deleteMessage, [channel, id, bob, false])).toEqual([]);
  expect(await run(pool, deleteMessage, [other, id, ada, true])).toEqual([]);
  expect(await events(other)).toEqual({ seqs: [], lastSeq: 0 });
  expect(await run(pool, deleteMessage, [channel, id, bob, true])).toEqual([{ seq: seq + 1 }]);
  expect(await run(pool, editMessage, [channel, id, ada, "back again", null, false])).toEqual([]);
  expect(await run(pool, deleteMessage, [channel, id, ada, false])).toEqual([]);
  const [message] = await run(pool, historyBefore, [channel, Number.MAX_SAFE_INTEGER, 1]);
  expect(message).toMatchObject({ id, seq, changedSeq: seq + 1, content: "", metadata: null, deleted: true });
});

test("[DB21] an edit that waited for a deletion changes nothing: a deleted message stays empty", async () => {
  const { id } = await one(channel, { content: "a secret" });
  const [deleting, editing] = await Promise.all([pool.connect(), pool.connect()]);
  try {
    await deleting.query("BEGIN");
    await run(deleting, deleteMessage, [channel, id, ada, false]);
    const edit = run(editing, editMessage, [channel, id, ada, "back again", null, false]);
    // The edit has begun, and waits for a lock that the deletion holds.
    for (let waiting = false; !waiting;) {
      const { rows } = await pool.query("SELECT FROM pg_locks WHERE NOT granted");
      waiting = rows.length > 0;
    }
    await deleting.query("COMMIT");
    await edit;
    const [message] = await run(pool, historyBefore, [channel, Number.MAX_SAFE_INTEGER, 1]);
    expect(message).toMatchObject({ content: "", deleted: true, editedAt: null });
  } finally {
    deleting.release();
    editing.release();
  }
});

test("[DB23] reactions of two writers at once are stored once each, and take a number only when something changed", async () => {
  const { id } = await one(channel);
  const people = [ada, bob];
  const tasks = upTo(120).map((index) => async (on: PoolClient) => {
    const [person, emoji] = [people[index % 2] ?? ada, index % 3 === 0 ? "👍" : "🎉"];
    const rows =
      index % 5 === 0
        ? await run(on, removeReaction, [channel, id, person, emoji])
        : await run(on, addReaction, [channel, id, person, emoji, 20, 250]);
    return rows.map(({ seq }) => seq);
  });
  const seqs = (await onTwoConnections(tasks)).flat();
  expect(seqs).toHaveLength(120);
  const taken = seqs.filter((seq) => seq !== null);
  expect(taken.toSorted((a, b) => a - b)).toEqual(upTo(taken.length).map((n) => 1 + n));
  const last = taken.length + 1;
  const [message] = await run(pool, historyBefore, [channel, Number.MAX_SAFE_INTEGER, 1]);
  expect(message).toMatchObject({ id, seq: 1, changedSeq: last });
  // What reactions changed last is nothing that the message could tell again; a later edit is.
  expect(await run(pool, tellableSince, [channel, 1, last, 10])).toEqual([]);
  await run(pool, editMessage, [channel, id, ada, "edited", null, false]);
  expect(await run(pool, tellableSince, [channel, 1, last + 1, 10])).toMatchObject([{ id, changedSeq: last + 1 }]);
});

test("[DB24] a reaction that waited for a deletion changes nothing: a deleted message has none", async () => {
  const { id } = await one(channel);
  await run(pool, addReaction, [channel, id, bob, "👍", 20, 250]);
  const [deleting, reacting] = await Promise.all([pool.connect(), pool.connect()]);
  try {
    await deleting.query("BEGIN");
    await run(deleting, deleteMessage, [channel, id, ada, false]);
    const reaction = run(reacting, addReaction, [channel, id, ada, "👍", 20, 250]);
    for (let waiting = false; !waiting;) {
      const { rows } = await pool.query("SELECT FROM pg_locks WHERE NOT granted");
      waiting = rows.length > 0;
    }
    await deleting.query("COMMIT");
    expect(await reaction).toEqual([]);
    const [message] = await run(pool, historyBefore, [channel, Number.MAX_SAFE_INTEGER, 1]);
    expect(message).toMatchObject({ deleted: true, reactions: [] });
    expect(await run(pool, addReaction, [channel, id, ada, "👍", 20, 250])).toEqual([]);
    expect(await run(pool, removeReaction, [channel, id, bob, "👍"])).toEqual([]);
  } finally {
    deleting.release();
    reacting.release();
  }
});

test("[DB22] a read mark never goes back, nor past the channel's end", async () => {
  await insert(
    channel,
    upTo(5).map(() => ({})),
  );
  const marks: number[] = [];
  for (const seq of [3, 2, 99, 0]) marks.push((await run(pool, markRead, [ada, channel, seq]))[0]?.seq ?? -1);
  expect(marks).toEqual([3, 3, 5, 5]);
  expect(await run(pool, markRead, [ada, v7() as ChannelId, 1])).toEqual([]);
});
