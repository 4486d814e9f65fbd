import { randomUUID } from "node:crypto";
import type { Server } from "@lescopains/protocol/entities";
import type { ChannelId, MessageId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { PERMISSIONS } from "@lescopains/protocol/permissions";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { connect, type Connection } from "./kit/connection.ts";
import { enroll, type Person, serverWith } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { granted } from "./kit/rest.ts";

let place: Place;
let ada: Person;
let bob: Person;
let stranger: Person;
let server: Server;
beforeAll(async () => {
  place = await startPlace();
  [ada, bob, stranger] = (await enroll(place, 3)) as [Person, Person, Person];
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

interface Scene {
  readonly channelId: ChannelId;
  readonly messageId: MessageId;
  readonly a: Connection;
  readonly b: Connection;
}

/** A channel with one message of Ada's, which is its first event. */
async function scene(options: { encrypted?: boolean } = {}): Promise<Scene> {
  const { id: channelId } = await granted(place.url, "createChannel", {
    token: ada.token,
    params: { id: server.id },
    body: { name: "a channel", ...options },
  });
  const [a, b] = [await on(ada), await on(bob)];
  const encrypted = options.encrypted === true;
  const message = { channelId, content: "Ym9uam91cg==", nonce: randomUUID(), encrypted };
  return { channelId, messageId: (await a.must("message:send", message)).id, a, b };
}

async function reactionsOf(channelId: ChannelId): Promise<unknown> {
  const { messages } = await granted(place.url, "listMessages", { token: bob.token, params: { id: channelId } });
  return messages[0]?.reactions;
}

test("[REA1] a reaction reaches everyone under the channel's next seq, and comes with its message ever after", async () => {
  const { channelId, messageId, a, b } = await scene();
  const reaction = { channelId, messageId, emoji: "👍" };
  expect(await b.must("reaction:add", reaction)).toEqual({ ok: true, seq: 2 });
  expect(await a.must("reaction:add", { ...reaction, emoji: "🎉" })).toEqual({ ok: true, seq: 3 });
  expect(await a.must("reaction:add", reaction)).toEqual({ ok: true, seq: 4 });
  for (const connection of [a, b]) {
    await connection.until("reaction:added", ({ seq }) => seq === 4);
    expect(connection.of("reaction:added")).toEqual([
      { id: messageId, channelId, seq: 2, userId: bob.id, emoji: "👍" },
      { id: messageId, channelId, seq: 3, userId: ada.id, emoji: "🎉" },
      { id: messageId, channelId, seq: 4, userId: ada.id, emoji: "👍" },
    ]);
  }
  const reactions = [
    { emoji: "👍", userIds: [bob.id, ada.id] },
    { emoji: "🎉", userIds: [ada.id] },
  ];
  const { messages } = await granted(place.url, "listMessages", { token: bob.token, params: { id: channelId } });
  expect(messages).toMatchObject([{ id: messageId, seq: 1, changedSeq: 4, editedAt: null, reactions }]);
  const missed = await a.must("sync", { channels: { [channelId]: 3 } });
  expect(missed.channels[channelId]).toMatchObject({ lastSeq: 4, messages: [{ id: messageId, reactions }] });

  expect(await b.must("reaction:remove", reaction)).toEqual({ ok: true, seq: 5 });
  for (const connection of [a, b]) {
    const gone = { id: messageId, channelId, seq: 5, userId: bob.id, emoji: "👍" };
    expect(await connection.until("reaction:removed")).toEqual(gone);
  }
  expect(await reactionsOf(channelId)).toEqual([
    { emoji: "🎉", userIds: [ada.id] },
    { emoji: "👍", userIds: [ada.id] },
  ]);
});

test("[REA2] what is so already takes no number and is told to nobody", async () => {
  const { channelId, messageId, a, b } = await scene();
  const reaction = { channelId, messageId, emoji: "👍" };
  expect(await b.must("reaction:remove", reaction)).toEqual({ ok: true, seq: null });
  const answers = await Promise.all(Array.from({ length: 10 }, () => b.must("reaction:add", reaction)));
  expect(answers.map(({ seq }) => seq).filter((seq) => seq !== null)).toEqual([2]);
  expect((await a.must("message:send", { channelId, content: "next", nonce: randomUUID() })).seq).toBe(3);
  await a.until("message:new", ({ seq }) => seq === 3);
  expect(a.of("reaction:added")).toHaveLength(1);
  expect(a.of("reaction:removed")).toEqual([]);
});

test("[REA3] adding needs the right to react, taking back does not; to a stranger there is nothing", async () => {
  const { channelId, messageId, a, b } = await scene();
  const s = await on(stranger);
  const reaction = { channelId, messageId, emoji: "👍" };
  await b.must("reaction:add", reaction);
  const params = { id: channelId, targetId: bob.id };
  const body = { type: "member", allow: "0", deny: String(PERMISSIONS.addReactions) } as const;
  await granted(place.url, "putOverwrite", { token: ada.token, params, body });
  const other = { ...reaction, emoji: "🎉" };
  expect(await b.ask("reaction:add", other)).toMatchObject({ ok: false, error: { code: "forbidden" } });
  expect(await b.must("reaction:remove", reaction)).toEqual({ ok: true, seq: 3 });
  for (const event of ["reaction:add", "reaction:remove"] as const) {
    const notFound = { ok: false, error: { code: "not_found" } };
    expect(await s.ask(event, reaction)).toMatchObject(notFound);
    expect(await a.ask(event, { ...reaction, messageId: randomUUID() })).toMatchObject(notFound);
    const elsewhere = await scene();
    expect(await a.ask(event, { ...reaction, channelId: elsewhere.channelId })).toMatchObject(notFound);
  }
  await a.must("message:send", { channelId, content: "still here", nonce: randomUUID() });
  await a.until("message:new", ({ content }) => content === "still here");
  expect(s.received.map(({ event }) => event)).toEqual(["ready"]);
});

test("[REA4] an encrypted channel takes no reaction that the server could read", async () => {
  const { channelId, messageId, b } = await scene({ encrypted: true });
  expect(await b.ask("reaction:add", { channelId, messageId, emoji: "👍" })).toMatchObject({
    ok: false,
    error: { code: "encryption_required" },
  });
});

test("[REA5] what is not one emoji is refused, and so is more than a message takes", async () => {
  const { channelId, messageId, a, b } = await scene();
  for (const emoji of ["", "ok", "👍👍", 7, null]) {
    const answer = await b.ask("reaction:add", { channelId, messageId, emoji } as never);
    expect(answer, String(emoji)).toMatchObject({ ok: false, error: { code: "invalid_request" } });
  }
  const kinds = Array.from({ length: LIMITS.reactionKinds + 1 }, (_, k) => String.fromCodePoint(0x1_f4_00 + k));
  const last = kinds.pop() ?? "";
  for (const emoji of kinds) await b.must("reaction:add", { channelId, messageId, emoji });
  const full = { ok: false, error: { code: "limit_reached" } };
  expect(await a.ask("reaction:add", { channelId, messageId, emoji: last })).toMatchObject(full);
  // One that is there already takes more people, up to the message's bound.
  const reaction = { channelId, messageId, emoji: kinds[0] ?? "" };
  const crowd = await enroll(place, LIMITS.reactions - kinds.length);
  await place.sql.query("INSERT INTO reactions (message_id, user_id, emoji) SELECT $1, unnest($2::uuid[]), $3", [
    messageId,
    crowd.map(({ id }) => id),
    reaction.emoji,
  ]);
  expect(await a.ask("reaction:add", reaction)).toMatchObject(full);
  expect(await b.must("reaction:add", reaction), "one's own that is there").toEqual({ ok: true, seq: null });
  await b.must("reaction:remove", reaction);
  await a.must("reaction:add", reaction);
});

test("[REA6] reactions go with their message", async () => {
  const { channelId, messageId, a, b } = await scene();
  const reaction = { channelId, messageId, emoji: "👍" };
  await b.must("reaction:add", reaction);
  await a.must("message:delete", { channelId, messageId });
  expect(await reactionsOf(channelId)).toEqual([]);
  expect(await b.ask("reaction:add", reaction)).toMatchObject({ ok: false, error: { code: "not_found" } });
  const { rows } = await place.sql.query("SELECT FROM reactions WHERE message_id = $1", [messageId]);
  expect(rows).toEqual([]);
});

test("[REA7] a reaction is nothing new to read: the newest message stays where it was", async () => {
  const { channelId, messageId, a, b } = await scene();
  await b.must("read:mark", { channelId, seq: 1 });
  await a.must("reaction:add", { channelId, messageId, emoji: "👍" });
  const ready = await (await on(bob)).until("ready");
  const channel = ready.servers.flatMap(({ channels }) => channels).find(({ id }) => id === channelId);
  expect(channel).toMatchObject({ lastSeq: 2, messageSeq: 1, readSeq: 1 });
});
