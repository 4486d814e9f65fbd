import { randomUUID } from "node:crypto";
import type { Message, Server } from "@lescopains/protocol/entities";
import type { ChannelId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { type Permission, PERMISSIONS } from "@lescopains/protocol/permissions";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { connect, type Connection } from "./kit/connection.ts";
import { enroll, type Person, serverWith, textChannel } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { waitFor } from "./kit/wait.ts";

let place: Place;
let people: Person[];
let ada: Person;
let bob: Person;
let cleo: Person;
let stranger: Person;
let server: Server;
beforeAll(async () => {
  place = await startPlace();
  people = await enroll(place, 4);
  [ada, bob, cleo, stranger] = people as [Person, Person, Person, Person];
  server = await serverWith(place, ada, [bob, cleo]);
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

/** A channel of its own for a test. */
async function freshChannel(options: { encrypted?: boolean } = {}): Promise<ChannelId> {
  const { id } = await granted(place.url, "createChannel", {
    token: ada.token,
    params: { id: server.id },
    body: { name: "a channel", ...options },
  });
  return id;
}

function said(connection: Connection, channelId: ChannelId): Message[] {
  return connection.of("message:new").filter((message) => message.channelId === channelId);
}

function denying(...permissions: Permission[]): { type: "member"; allow: string; deny: string } {
  const bits = permissions.reduce((all, permission) => all | PERMISSIONS[permission], 0n);
  return { type: "member", allow: "0", deny: String(bits) };
}

async function deny(channelId: ChannelId, person: Person, ...permissions: Permission[]): Promise<void> {
  const params = { id: channelId, targetId: person.id };
  await granted(place.url, "putOverwrite", { token: ada.token, params, body: denying(...permissions) });
}

async function stored(channelId: ChannelId): Promise<number> {
  const { rows } = await place.sql.query<{ count: number }>(
    "SELECT count(*)::integer AS count FROM messages WHERE channel_id = $1",
    [channelId],
  );
  return rows[0]?.count ?? -1;
}

test("[MSG1] a message is acknowledged with its id, seq and time, and reaches everyone who may view the channel, its author too", async () => {
  const channelId = await freshChannel();
  const [a, b] = [await on(ada), await on(bob)];
  const nonce = randomUUID();
  const metadata = { mentions: [bob.id] };
  const answer = await a.must("message:send", { channelId, content: "Salut 👋\nles copains", nonce, metadata });
  expect(answer).toEqual({ ok: true, id: answer.id, seq: 1, createdAt: answer.createdAt });
  const expected: Message = {
    id: answer.id,
    channelId,
    seq: 1,
    changedSeq: 1,
    authorId: ada.id,
    content: "Salut 👋\nles copains",
    contentType: "text",
    encrypted: false,
    metadata,
    nonce,
    replyTo: null,
    threadId: null,
    createdAt: answer.createdAt,
    editedAt: null,
    deleted: false,
    reactions: [],
  };
  for (const connection of [a, b]) {
    expect(await connection.until("message:new", (message) => message.channelId === channelId)).toEqual(expected);
  }
  const page = await granted(place.url, "listMessages", { token: bob.token, params: { id: channelId } });
  expect(page).toEqual({ messages: [expected], hasMore: false, lastSeq: 1 });
});

test("[MSG2] a nonce that was sent before is answered with the first result and stored once: in turn, at once, from two connections", async () => {
  const channelId = await freshChannel();
  const [a, again, b] = [await on(ada), await on(ada), await on(bob)];
  const message = { channelId, content: "once", nonce: randomUUID() };
  const first = await a.must("message:send", message);
  expect(await a.must("message:send", { ...message, content: "another text" })).toEqual(first);
  const beside = { channelId, content: "once more", nonce: randomUUID() };
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? a : again).must("message:send", beside)),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]?.seq).toBe(2);
  // The nonce is the author's own: another person's is another message.
  expect((await b.must("message:send", message)).seq).toBe(3);
  await waitFor("the last message", () => said(b, channelId).some(({ seq }) => seq === 3));
  expect(said(b, channelId).map(({ seq, content }) => [seq, content])).toEqual([
    [1, "once"],
    [2, "once more"],
    [3, "once"],
  ]);
  expect(await stored(channelId)).toBe(3);
});

test("[MSG3] of eight who write at once everyone receives every message, by seq, without holes", async () => {
  const channelId = await freshChannel();
  const connections = await Promise.all([ada, bob, cleo, ada, bob, cleo, ada, bob].map((person) => on(person)));
  const each = 40;
  const acks = await Promise.all(
    connections.flatMap((connection, who) =>
      Array.from({ length: each }, (_, index) =>
        connection.must("message:send", { channelId, content: `${who}:${index}`, nonce: `${who}:${index}` }),
      ),
    ),
  );
  const total = connections.length * each;
  const seqs = Array.from({ length: total }, (_, index) => index + 1);
  expect(acks.map(({ seq }) => seq).toSorted((x, y) => x - y)).toEqual(seqs);
  for (const connection of connections) {
    await waitFor("all messages", () => said(connection, channelId).length >= total);
    expect(said(connection, channelId).map(({ seq }) => seq)).toEqual(seqs);
  }
  // What one connection sent in turn stands in that order.
  for (const who of connections.keys()) {
    const own = said(connections[0] as Connection, channelId).filter(({ content }) => content.startsWith(`${who}:`));
    expect(own.map(({ content }) => content)).toEqual(Array.from({ length: each }, (_, index) => `${who}:${index}`));
  }
});

test("[MSG4] what is too long, empty or not text is refused with invalid_request, and the longest that fits is stored as it is", async () => {
  const channelId = await freshChannel();
  const a = await on(ada);
  const send = (fields: object) => a.ask("message:send", { channelId, content: "x", nonce: randomUUID(), ...fields });
  for (const fields of [
    { content: "x".repeat(LIMITS.contentLength + 1) },
    { content: "" },
    { content: " \n\t" },
    { content: "nul \u0000" },
    { content: "half a pair \ud83d" },
    { content: 5 },
    { nonce: "" },
    { nonce: "n".repeat(LIMITS.nonceLength + 1) },
    { metadata: { text: "x".repeat(LIMITS.metadataLength) } },
    { metadata: "mentions" },
    { contentType: "video" },
    { channelId: "nowhere" },
    { replyTo: "not an id" },
  ]) {
    expect(await send(fields), JSON.stringify(fields).slice(0, 60)).toMatchObject({
      ok: false,
      error: { code: "invalid_request" },
    });
  }
  const longest = "é".repeat(LIMITS.contentLength);
  expect(await send({ content: longest })).toMatchObject({ ok: true, seq: 1 });
  const cipher = "A".repeat(LIMITS.encryptedContentLength);
  expect(await send({ content: cipher, encrypted: true })).toMatchObject({ ok: true, seq: 2 });
  const { messages } = await granted(place.url, "listMessages", { token: ada.token, params: { id: channelId } });
  expect(messages.map(({ content }) => content)).toEqual([cipher, longest]);
});

test("[MSG5] an encrypted channel refuses plain messages and plain edits, over a channel that was plain before too", async () => {
  const channelId = await freshChannel({ encrypted: true });
  const a = await on(ada);
  const plain = { channelId, content: "in the clear", nonce: randomUUID() };
  expect(await a.ask("message:send", plain)).toMatchObject({ ok: false, error: { code: "encryption_required" } });
  const { id } = await a.must("message:send", { ...plain, content: "Y2lwaGVy", encrypted: true });
  const edit = { channelId, messageId: id, content: "in the clear" };
  expect(await a.ask("message:edit", edit)).toMatchObject({ ok: false, error: { code: "encryption_required" } });
  await a.must("message:edit", { ...edit, content: "YXV0cmU=", encrypted: true });
  expect(await stored(channelId)).toBe(1);

  const other = await freshChannel();
  await a.must("message:send", { channelId: other, content: "still plain", nonce: randomUUID() });
  await granted(place.url, "patchChannel", { token: ada.token, params: { id: other }, body: { encrypted: true } });
  expect(await a.ask("message:send", { ...plain, channelId: other })).toMatchObject({
    ok: false,
    error: { code: "encryption_required" },
  });
});

test("[MSG6] an author edits their own message, and everyone sees the new text under the next seq", async () => {
  const channelId = await freshChannel();
  const [a, b] = [await on(ada), await on(bob)];
  const { id } = await a.must("message:send", { channelId, content: "bonjuor", nonce: randomUUID() });
  const edit = { channelId, messageId: id, content: "bonjour", metadata: { mentions: [] } };
  expect(await b.ask("message:edit", edit)).toMatchObject({ ok: false, error: { code: "not_found" } });
  const answer = await a.must("message:edit", edit);
  expect(answer.seq).toBe(2);
  for (const connection of [a, b]) {
    expect(await connection.until("message:edited", (event) => event.id === id)).toEqual({
      id,
      channelId,
      seq: 2,
      content: "bonjour",
      encrypted: false,
      metadata: { mentions: [] },
      editedAt: answer.editedAt,
    });
  }
  const { messages } = await granted(place.url, "listMessages", { token: bob.token, params: { id: channelId } });
  expect(messages).toMatchObject([{ id, seq: 1, changedSeq: 2, content: "bonjour", editedAt: answer.editedAt }]);
});

test("[MSG7] a message is deleted by its author or a moderator; nothing of it is left but its place", async () => {
  const channelId = await freshChannel();
  const [a, b, c] = [await on(ada), await on(bob), await on(cleo)];
  const secret = `secret ${randomUUID()}`;
  const byBob = await b.must("message:send", { channelId, content: secret, nonce: randomUUID(), metadata: { secret } });
  const byCleo = await c.must("message:send", { channelId, content: secret, nonce: randomUUID() });
  const forbidden = await c.ask("message:delete", { channelId, messageId: byBob.id });
  expect(forbidden).toMatchObject({ ok: false, error: { code: "not_found" } });
  expect((await c.must("message:delete", { channelId, messageId: byCleo.id })).seq).toBe(3);
  expect((await a.must("message:delete", { channelId, messageId: byBob.id })).seq).toBe(4);
  for (const messageId of [byBob.id, byCleo.id]) {
    const again = await a.ask("message:delete", { channelId, messageId });
    expect(again).toMatchObject({ ok: false, error: { code: "not_found" } });
  }
  for (const connection of [a, b, c]) {
    expect(await connection.until("message:deleted", ({ id }) => id === byBob.id)).toEqual({
      id: byBob.id,
      channelId,
      seq: 4,
    });
  }
  const { messages } = await granted(place.url, "listMessages", { token: bob.token, params: { id: channelId } });
  expect(messages.map(({ content, deleted, metadata }) => [content, deleted, metadata])).toEqual([
    ["", true, null],
    ["", true, null],
  ]);
  const { rows } = await place.sql.query("SELECT FROM messages m WHERE m::text LIKE $1", [`%${secret}%`]);
  expect(rows).toEqual([]);
});

test("[MSG8] typing reaches the others in the channel, and is passed on once for each burst", async () => {
  const channelId = await freshChannel();
  const [a, b] = [await on(ada), await on(bob)];
  for (let burst = 0; burst < 5; burst += 1) await a.must("typing:start", { channelId });
  expect(await b.until("typing", (event) => event.channelId === channelId)).toEqual({ channelId, userId: ada.id });
  await a.must("message:send", { channelId, content: "done", nonce: randomUUID() });
  await b.until("message:new", (message) => message.channelId === channelId);
  expect(b.of("typing").filter((event) => event.channelId === channelId)).toHaveLength(1);
});

test("[MSG9] a read mark reaches the reader's other connections and nobody else, and stands in the next ready", async () => {
  const channelId = await freshChannel();
  const [a, b, bobToo] = [await on(ada), await on(bob), await on(bob)];
  for (let n = 1; n <= 3; n += 1) await a.must("message:send", { channelId, content: `${n}`, nonce: randomUUID() });
  expect(await b.must("read:mark", { channelId, seq: 2 })).toEqual({ ok: true, seq: 2 });
  expect(await bobToo.until("read:updated")).toEqual({ channelId, seq: 2 });
  expect(await b.must("read:mark", { channelId, seq: 1 })).toEqual({ ok: true, seq: 2 });
  expect(await b.must("read:mark", { channelId, seq: 99 })).toEqual({ ok: true, seq: 3 });
  await waitFor("the last mark", () => bobToo.of("read:updated").some(({ seq }) => seq === 3));
  expect([...a.of("read:updated"), ...b.of("read:updated")]).toEqual([]);
  const next = await (await on(bob)).until("ready");
  const marked = next.servers.flatMap(({ channels }) => channels).find(({ id }) => id === channelId);
  expect(marked).toMatchObject({ lastSeq: 3, readSeq: 3 });
});

test("[MSG10] a stranger can do nothing in a channel, learns nothing of it and receives nothing from it", async () => {
  const channelId = await freshChannel();
  const [a, s] = [await on(ada), await on(stranger)];
  const { id: messageId } = await a.must("message:send", { channelId, content: "private", nonce: randomUUID() });
  const notFound = { ok: false, error: { code: "not_found" } };
  expect(await s.ask("message:send", { channelId, content: "x", nonce: "n" })).toMatchObject(notFound);
  expect(await s.ask("message:edit", { channelId, messageId, content: "x" })).toMatchObject(notFound);
  expect(await s.ask("message:delete", { channelId, messageId })).toMatchObject(notFound);
  expect(await s.ask("typing:start", { channelId })).toMatchObject(notFound);
  expect(await s.ask("read:mark", { channelId, seq: 1 })).toMatchObject(notFound);
  expect(await s.ask("sync", { channels: { [channelId]: 0 } })).toEqual({ ok: true, channels: {}, more: false });
  const history = await call(place.url, "listMessages", { token: stranger.token, params: { id: channelId } });
  expect(history).toMatchObject({ ok: false, status: 404, error: { code: "not_found" } });
  // The same words as for a channel that is not there.
  const nowhere = await call(place.url, "listMessages", { token: stranger.token, params: { id: randomUUID() } });
  expect(nowhere).toMatchObject({ ok: false, error: history.ok ? {} : history.error });
  await a.must("message:send", { channelId, content: "private too", nonce: randomUUID() });
  await a.until("message:new", ({ content }) => content === "private too");
  expect(s.received.map(({ event }) => event)).toEqual(["ready"]);
  expect(await stored(channelId)).toBe(2);
});

test("[MSG11] who may not view a channel any more receives nothing from it and may do nothing in it, from the answer of the change on", async () => {
  const channelId = await freshChannel();
  const [a, b] = [await on(ada), await on(bob)];
  const { id: messageId } = await b.must("message:send", { channelId, content: "before", nonce: randomUUID() });
  await b.until("message:new", (message) => message.channelId === channelId);
  await deny(channelId, bob, "viewChannel");
  const notFound = { ok: false, error: { code: "not_found" } };
  await a.must("message:send", { channelId, content: "after", nonce: randomUUID() });
  await a.must("message:edit", {
    channelId,
    messageId: (await a.until("message:new", (m) => m.content === "after")).id,
    content: "after!",
  });
  expect(await b.ask("message:send", { channelId, content: "x", nonce: "n" })).toMatchObject(notFound);
  expect(await b.ask("message:edit", { channelId, messageId, content: "x" })).toMatchObject(notFound);
  expect(await b.ask("message:delete", { channelId, messageId })).toMatchObject(notFound);
  expect(await b.ask("typing:start", { channelId })).toMatchObject(notFound);
  expect(await b.ask("read:mark", { channelId, seq: 1 })).toMatchObject(notFound);
  expect(await b.must("sync", { channels: { [channelId]: 0 } })).toMatchObject({ channels: {} });
  const history = await call(place.url, "listMessages", { token: bob.token, params: { id: channelId } });
  expect(history.status).toBe(404);
  await a.until("message:edited", (event) => event.channelId === channelId);
  // A round trip after the last event: whatever was on its way to bob has arrived.
  await b.must("presence:ping", {});
  expect(said(b, channelId).map(({ content }) => content)).toEqual(["before"]);
  expect(b.of("message:edited").filter((event) => event.channelId === channelId)).toEqual([]);
  await granted(place.url, "deleteOverwrite", { token: ada.token, params: { id: channelId, targetId: bob.id } });
  await a.must("message:send", { channelId, content: "together again", nonce: randomUUID() });
  await b.until("message:new", ({ content }) => content === "together again");
});

test("[MSG12] who may view but not write is told forbidden for sending, editing and typing, and still reads and receives", async () => {
  const channelId = await freshChannel();
  const [a, b] = [await on(ada), await on(bob)];
  const { id: messageId } = await b.must("message:send", { channelId, content: "before", nonce: randomUUID() });
  await deny(channelId, bob, "sendMessages");
  const forbidden = { ok: false, error: { code: "forbidden" } };
  expect(await b.ask("message:send", { channelId, content: "x", nonce: "n" })).toMatchObject(forbidden);
  expect(await b.ask("message:edit", { channelId, messageId, content: "x" })).toMatchObject(forbidden);
  expect(await b.ask("typing:start", { channelId })).toMatchObject(forbidden);
  await a.must("message:send", { channelId, content: "listen", nonce: randomUUID() });
  await b.until("message:new", ({ content }) => content === "listen");
  expect(await b.must("read:mark", { channelId, seq: 2 })).toEqual({ ok: true, seq: 2 });
  await b.must("message:delete", { channelId, messageId });

  await deny(channelId, bob, "readHistory");
  const history = await call(place.url, "listMessages", { token: bob.token, params: { id: channelId } });
  expect(history).toMatchObject({ ok: false, status: 403, error: { code: "forbidden" } });
  const missed = await b.must("sync", { channels: { [channelId]: 0 } });
  expect(missed.channels[channelId]?.messages ?? []).toEqual([]);
  await a.must("message:send", { channelId, content: "live", nonce: randomUUID() });
  await b.until("message:new", ({ content }) => content === "live");
});

test("[MSG13] a reply stays in its channel: to a message of another one, or of none, it is refused", async () => {
  const [channelId, other] = [await freshChannel(), textChannel(server).id];
  const a = await on(ada);
  const there = await a.must("message:send", { channelId: other, content: "there", nonce: randomUUID() });
  for (const replyTo of [there.id, randomUUID()]) {
    const answer = await a.ask("message:send", { channelId, content: "x", nonce: randomUUID(), replyTo });
    expect(answer).toMatchObject({ ok: false, error: { code: "not_found" } });
  }
  const here = await a.must("message:send", { channelId, content: "here", nonce: randomUUID() });
  await a.must("message:send", { channelId, content: "yes", nonce: randomUUID(), replyTo: here.id });
  expect(await a.until("message:new", ({ content }) => content === "yes")).toMatchObject({ seq: 2, replyTo: here.id });
});

test("[MSG14] an event that the contract does not know is refused with unknown_event", async () => {
  const a = await on(ada);
  for (const event of ["message:shout", "constructor", "__proto__", "ready", ""]) {
    const answer: unknown = await a.socket.timeout(10_000).emitWithAck(event, {});
    expect(answer, event).toMatchObject({ ok: false, error: { code: "unknown_event" } });
  }
});
