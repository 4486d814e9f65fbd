import { randomUUID } from "node:crypto";
import type { Message, Server } from "@lescopains/protocol/entities";
import type { ChannelId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { connect, type Connection } from "./kit/connection.ts";
import { enroll, type Person, serverWith } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { waitFor } from "./kit/wait.ts";

let place: Place;
let ada: Person;
let bob: Person;
let server: Server;
beforeAll(async () => {
  place = await startPlace();
  [ada, bob] = (await enroll(place, 2)) as [Person, Person];
  server = await serverWith(place, ada, [bob]);
});
afterAll(() => place.stop());

const open: Connection[] = [];
afterEach(() => {
  for (const connection of open.splice(0)) connection.close();
});
async function on(person: Person): Promise<Connection> {
  const connection = await connect(place, person);
  open.push(connection);
  return connection;
}

async function freshChannel(): Promise<ChannelId> {
  const params = { id: server.id };
  return (await granted(place.url, "createChannel", { token: ada.token, params, body: { name: "a channel" } })).id;
}

/** Sends `count` messages named by their number. */
async function fillChannel(connection: Connection, channelId: ChannelId, count: number): Promise<void> {
  await Promise.all(
    numbers(1, count).map((n) =>
      connection.must("message:send", { channelId, content: `message ${n}`, nonce: randomUUID() }),
    ),
  );
}

/** Puts messages straight into PostgreSQL, of a channel that no actor has loaded yet. */
async function seed(channelId: ChannelId, count: number): Promise<void> {
  await place.sql.query(
    `WITH made AS (
       INSERT INTO messages (id, channel_id, seq, changed_seq, author_id, nonce, content)
       SELECT gen_random_uuid(), $1, n, n, $2, n, 'message ' || n FROM generate_series(1, $3::integer) AS n
     ) UPDATE channels SET last_seq = $3 WHERE id = $1`,
    [channelId, ada.id, count],
  );
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

interface Cursor {
  readonly before?: string;
  readonly after?: string;
  readonly limit?: string;
}

function page(channelId: ChannelId, query: Cursor = {}) {
  return granted(place.url, "listMessages", { token: bob.token, params: { id: channelId }, query });
}

/** A client's copy of a channel, kept by the rules that the contract gives it. */
class Copy {
  readonly messages = new Map<string, Message>();
  lastSeq = 0;

  apply(messages: readonly Message[]): void {
    for (const message of messages) {
      this.messages.set(message.id, message);
      this.lastSeq = Math.max(this.lastSeq, message.changedSeq);
    }
  }

  /** Asks `sync` until there is no more; answers how many rounds it took. */
  async catchUp(connection: Connection, channelId: ChannelId): Promise<number> {
    for (let rounds = 1; ; rounds += 1) {
      const { channels, more } = await connection.must("sync", { channels: { [channelId]: this.lastSeq } });
      const missed = channels[channelId];
      expect(missed, "the channel is in the answer").toBeDefined();
      expect(missed?.messages.length).toBeLessThanOrEqual(LIMITS.historyPage);
      this.apply(missed?.messages ?? []);
      if (!more) {
        this.lastSeq = Math.max(this.lastSeq, missed?.lastSeq ?? 0);
        return rounds;
      }
    }
  }
}

async function stored(channelId: ChannelId): Promise<Map<string, { content: string; deleted: boolean }>> {
  const { rows } = await place.sql.query<{ id: string; content: string; deleted: boolean }>(
    "SELECT id, content, deleted_at IS NOT NULL AS deleted FROM messages WHERE channel_id = $1",
    [channelId],
  );
  return new Map(rows.map(({ id, content, deleted }) => [id, { content, deleted }]));
}

function expectSame(copy: Copy, record: Map<string, { content: string; deleted: boolean }>): void {
  const held = [...copy.messages.values()].map(({ id, content, deleted }) => [id, { content, deleted }] as const);
  expect(new Map(held)).toEqual(record);
}

test("[MSG21] pages of history lead through a whole channel, backwards and forwards, newest first, without a hole or a double", async () => {
  const channelId = await freshChannel();
  await fillChannel(await on(ada), channelId, 130);
  const latest = await page(channelId);
  expect(latest.messages.map(({ seq }) => seq)).toEqual(numbers(81, 130).toReversed());
  expect(latest).toMatchObject({ hasMore: true, lastSeq: 130 });

  const backwards: number[] = [];
  for (let before: number | undefined; ; before = backwards.at(-1)) {
    const { messages, hasMore } = await page(channelId, {
      limit: "40",
      ...(before === undefined ? {} : { before: String(before) }),
    });
    backwards.push(...messages.map(({ seq }) => seq));
    if (!hasMore) break;
  }
  expect(backwards).toEqual(numbers(1, 130).toReversed());

  const forwards: number[] = [];
  for (let hasMore = true; hasMore;) {
    const next = await page(channelId, { limit: "100", after: String(forwards.at(-1) ?? 0) });
    const seqs = next.messages.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => b - a));
    forwards.push(...seqs.toReversed());
    ({ hasMore } = next);
  }
  expect(forwards).toEqual(numbers(1, 130));
  expect(await page(channelId, { after: "130" })).toMatchObject({ messages: [], hasMore: false });
  expect(await page(channelId, { before: "1" })).toMatchObject({ messages: [], hasMore: false });
  expect(await page(channelId, { before: "131", limit: "100" })).toMatchObject({ hasMore: true });
  expect(await page(channelId, { before: "101", limit: "100" })).toMatchObject({ hasMore: false });
});

test("[MSG22] a page has one to a hundred messages; other limits, and two cursors at once, are refused with invalid_request", async () => {
  const channelId = await freshChannel();
  for (const query of [
    { limit: "0" },
    { limit: "101" },
    { limit: "-1" },
    { limit: "1e2" },
    { limit: "" },
    { before: "x" },
    { after: "9".repeat(17) },
    { before: "1.5" },
    { before: "5", after: "1" },
  ]) {
    const answer = await call(place.url, "listMessages", { token: bob.token, params: { id: channelId }, query });
    expect(answer, JSON.stringify(query)).toMatchObject({ status: 400, error: { code: "invalid_request" } });
  }
  expect(await page(channelId, { limit: "1" })).toEqual({ messages: [], hasMore: false, lastSeq: 0 });
});

test("[MSG31] sync gives what was made, edited and deleted after a seq, in the order of the last change, and nothing before it", async () => {
  const channelId = await freshChannel();
  const a = await on(ada);
  await fillChannel(a, channelId, 6);
  const { messages } = await page(channelId);
  const [first, second] = messages.toReversed() as [Message, Message];
  await a.must("message:edit", { channelId, messageId: first.id, content: "edited" });
  await a.must("message:delete", { channelId, messageId: second.id });
  const { channels, more } = await a.must("sync", { channels: { [channelId]: 4 } });
  expect(more).toBe(false);
  expect(channels[channelId]).toMatchObject({ lastSeq: 8, more: false });
  expect(
    channels[channelId]?.messages.map(({ seq, changedSeq, content, deleted }) => [seq, changedSeq, content, deleted]),
  ).toEqual([
    [5, 5, "message 5", false],
    [6, 6, "message 6", false],
    [1, 7, "edited", false],
    [2, 8, "", true],
  ]);
  const nothing = await a.must("sync", { channels: { [channelId]: 8 } });
  expect(nothing).toEqual({
    ok: true,
    channels: { [channelId]: { messages: [], lastSeq: 8, more: false } },
    more: false,
  });
  const ahead = await a.must("sync", { channels: { [channelId]: 1_000_000 } });
  expect(ahead.channels[channelId]).toEqual({ messages: [], lastSeq: 8, more: false });
});

test("[MSG32] one sync answers a hundred messages a channel and some hundreds in all, says where there is more, and leads to the end", async () => {
  const b = await on(bob);
  const channels: ChannelId[] = [];
  for (let n = 0; n < 7; n += 1) channels.push(await freshChannel());
  await Promise.all(channels.map((channelId) => seed(channelId, 120)));
  const since = Object.fromEntries(channels.map((id) => [id, 0]));
  const answer = await b.must("sync", { channels: since });
  expect(answer.more).toBe(true);
  expect(Object.keys(answer.channels).toSorted()).toEqual(channels.toSorted());
  expect(Object.values(answer.channels).every(({ more }) => more)).toBe(true);
  const total = Object.values(answer.channels).reduce((sum, { messages }) => sum + messages.length, 0);
  expect(total).toBeLessThanOrEqual(500 + LIMITS.historyPage);
  for (const channelId of channels) {
    const copy = new Copy();
    expect(await copy.catchUp(b, channelId)).toBe(2);
    expectSame(copy, await stored(channelId));
  }
});

test("[MSG33] a sync of more than 200 channels, or of what is no channel or no seq, is refused with invalid_request", async () => {
  const a = await on(ada);
  const many = Object.fromEntries(numbers(0, LIMITS.syncChannels).map(() => [randomUUID(), 0]));
  for (const channels of [
    many,
    { nowhere: 0 },
    { [randomUUID()]: -1 },
    { [randomUUID()]: 1.5 },
    { [randomUUID()]: "1" },
    null,
  ]) {
    const answer = await a.ask("sync", { channels } as never);
    expect(answer).toMatchObject({ ok: false, error: { code: "invalid_request" } });
  }
  // Channels that are not there are left out, as those are that one may not view.
  expect(await a.must("sync", { channels: { [randomUUID()]: 0 } })).toEqual({ ok: true, channels: {}, more: false });
});

test("[MSG34] who was away while others wrote, edited and deleted has the same channel after one catch-up", async () => {
  const channelId = await freshChannel();
  // Two connections, for one may not send more than some 200 frames in a burst.
  const [a, editor] = [await on(ada), await on(ada)];
  const b = await on(bob);
  await fillChannel(a, channelId, 30);
  await waitFor("the first messages", () => b.of("message:new").filter((m) => m.channelId === channelId).length === 30);
  const copy = new Copy();
  copy.apply(b.of("message:new").filter((message) => message.channelId === channelId));
  b.socket.disconnect();
  await fillChannel(a, channelId, 150);
  const { messages } = await granted(place.url, "listMessages", {
    token: ada.token,
    params: { id: channelId },
    query: { after: "0", limit: "100" },
  });
  for (const [index, { id }] of messages.entries()) {
    if (index % 7 === 0) await editor.must("message:delete", { channelId, messageId: id });
    else if (index % 3 === 0)
      await editor.must("message:edit", { channelId, messageId: id, content: `edited ${index}` });
  }
  b.socket.connect();
  await waitFor("the second ready", () => b.of("ready").length === 2);
  const standing = b.of("ready")[1]?.servers[0]?.channels.find(({ id }) => id === channelId)?.lastSeq;
  expect(await copy.catchUp(b, channelId)).toBeGreaterThan(1);
  expect(copy.lastSeq).toBe(standing);
  expectSame(copy, await stored(channelId));
});

test("[MSG35] a nonce keeps its first result after a reconnection, and after the edge was killed and started again", async () => {
  const channelId = await freshChannel();
  const a = await on(ada);
  const b = await on(bob);
  const message = { channelId, content: "once for all", nonce: randomUUID() };
  const first = await a.must("message:send", message);
  a.socket.disconnect();
  a.socket.connect();
  await waitFor("the second ready", () => a.of("ready").length === 2);
  expect(await a.must("message:send", message)).toEqual(first);

  await place.stack.workerd.kill9();
  await place.stack.workerd.restart();
  await waitFor("both to be back", () => a.of("ready").length === 3 && b.of("ready").length >= 2);
  expect(await a.must("message:send", message)).toEqual(first);
  expect((await a.must("message:send", { ...message, nonce: randomUUID() })).seq).toBe(2);
  await b.until("message:new", ({ seq, channelId: where }) => where === channelId && seq === 2);
  expect(
    b
      .of("message:new")
      .filter((one) => one.channelId === channelId)
      .map(({ seq }) => seq),
  ).toEqual([1, 2]);
  expect((await stored(channelId)).size).toBe(2);
});
