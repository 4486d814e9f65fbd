import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "@lescopains/protocol/entities";
import { CLOSE_CODES } from "@lescopains/protocol/errors";
import type { ChannelId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Connection, Connection as Client } from "./kit/connection.ts";
import { anotherSession, withDevice } from "./kit/devices.ts";
import { enroll, type Person, serverWith, textChannel, tokenFor } from "./kit/people.ts";
import { opener } from "./kit/opener.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { connectOnShard } from "./kit/shards.ts";
import { waitFor } from "./kit/wait.ts";

let place: Place;
let server: Server;
let channelId: ChannelId;
let ada: Person;
let bob: Person;
let cleo: Person;
beforeAll(async () => {
  place = await startPlace({ GATEWAY_SHARDS: "2" });
  [ada, bob, cleo] = (await enroll(place, 3)) as [Person, Person, Person];
  server = await serverWith(place, ada, [bob, cleo]);
  channelId = textChannel(server).id;
});
afterAll(() => place.stop());

const { on, keep } = opener(() => place);

async function onShard(person: Person, shard: number): Promise<Connection> {
  return keep(await connectOnShard(place, person, shard));
}

async function say(connection: Connection, content: string): Promise<number> {
  return (await connection.must("message:send", { channelId, content, nonce: randomUUID() })).seq;
}

function heard(connection: Connection, content: string) {
  return connection.until("message:new", (message) => message.content === content);
}

/** New members of the server. */
async function newcomers(count: number): Promise<Person[]> {
  const people = await enroll(place, count);
  for (const { token } of people) {
    const { code } = await granted(place.url, "createInvite", {
      token: ada.token,
      params: { id: server.id },
      body: {},
    });
    await granted(place.url, "joinInvite", { token, params: { code } });
  }
  return people;
}

test("[GW1] the official client with default options connects, upgrades from polling, and has ready as its first event", async () => {
  const connection = await on(ada, { transports: ["polling", "websocket"] });
  expect(connection.received[0]?.event).toBe("ready");
  await waitFor("the upgrade", () => connection.socket.io.engine.transport.name === "websocket");
  const ready = await connection.until("ready");
  expect(ready).toMatchObject({ user: { id: ada.id, username: ada.username }, sessionId: ada.sessionId, dms: [] });
  expect(ready.servers.map(({ id }) => id)).toEqual([server.id]);
  expect(ready.servers[0]?.channels.map(({ id }) => id)).toEqual([channelId]);
  const content = randomUUID();
  await say(connection, content);
  await heard(connection, content);
});

test("[GW2] polling alone carries events, acknowledgements and broadcasts", async () => {
  const [polling, other] = [await on(ada, { transports: ["polling"] }), await on(bob)];
  const contents: string[] = Array.from({ length: 20 }, () => randomUUID());
  for (const [index, content] of contents.entries()) {
    const [speaker, listener] = index % 2 === 0 ? [polling, other] : [other, polling];
    await say(speaker, content);
    await heard(listener, content);
  }
  const mine = polling.of("message:new").filter(({ content }) => contents.includes(content));
  expect(mine.map(({ content }) => content)).toEqual(contents);
});

test("[GW3] a connection without a token, or with one that is forged, of another's key or ended, is refused with a code", async () => {
  const [header, payload, signature] = ada.token.split(".") as [string, string, string];
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as object;
  const forgedPayload = Buffer.from(JSON.stringify({ ...claims, sub: bob.id })).toString("base64url");
  const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
  const cases: [string, string][] = [
    ["", "unauthenticated"],
    ["nonsense", "unauthenticated"],
    [`${header}.${forgedPayload}.${signature}`, "unauthenticated"],
    [`${none}.${payload}.`, "unauthenticated"],
    [await tokenFor(place, ada, -5_000), "token_expired"],
    [await tokenFor(place, { ...ada, sessionId: bob.sessionId }, 60_000), "session_revoked"],
  ];
  for (const [token, code] of cases) {
    const client = new Client(place.url, token, { transports: ["websocket"], reconnection: false });
    await waitFor(`a refusal of ${token.slice(0, 10)}`, () => client.refusals.length > 0);
    expect(client.refusals).toEqual([code]);
    expect(client.received).toEqual([]);
    client.close();
  }
});

test("[GW4] a socket whose token ends is closed with 4401, and its client comes back with a new one and misses nothing", async () => {
  const a = await on(ada);
  const b = await on({ token: await tokenFor(place, bob, 3_000) });
  b.token = bob.token;
  const before = randomUUID();
  await say(a, before);
  const { seq } = await heard(b, before);
  // An event on a socket that has ended closes it at once; a silent one is found by the next sweep.
  await waitFor(
    "the close",
    () => {
      b.socket.emit("presence:ping");
      b.socket.emit("typing:start", { channelId });
      return b.closes.length > 0;
    },
    40_000,
  );
  expect(b.closes[0]).toMatchObject({ code: CLOSE_CODES.tokenExpired, text: "token_expired" });
  const between = randomUUID();
  await say(a, between);
  if (!b.socket.connected) b.socket.connect();
  await waitFor("the second ready", () => b.of("ready").length === 2);
  const { channels } = await b.must("sync", { channels: { [channelId]: seq } });
  expect(channels[channelId]?.messages.map(({ content }) => content)).toContain(between);
});

test("[GW5] a revoked session is told, closed with 4403 and refused; the person's other session stays", async () => {
  const [one] = (await enroll(place, 1)) as [Person];
  const second: string = randomUUID();
  await place.sql.query(
    "INSERT INTO sessions (id, user_id, name, expires_at) VALUES ($1, $2, 'other', now() + interval '1 day')",
    [second, one.id],
  );
  const other: Person = { ...one, sessionId: second as Person["sessionId"], token: "" };
  const otherToken = await tokenFor(place, other, 600_000);
  const [kept, ended] = [await on(one), await on({ token: otherToken })];
  await granted(place.url, "revokeSession", { token: one.token, params: { id: second } });
  expect(await ended.until("session:revoked")).toEqual({ sessionId: second });
  await waitFor("the close", () => ended.closes.length > 0);
  expect(ended.closes[0]).toMatchObject({ code: CLOSE_CODES.sessionRevoked, text: "session_revoked" });
  ended.socket.connect();
  await waitFor("the refusal", () => ended.refusals.includes("session_revoked"));
  const rest = await call(place.url, "getSelf", { token: otherToken });
  expect(rest).toMatchObject({ status: 401, error: { code: "session_revoked" } });
  expect(await kept.must("presence:ping", {})).toEqual({ ok: true });
  expect(kept.of("session:revoked")).toEqual([]);
});

test("[GW5] a session that is revoked while its socket is let in is closed like the others, and heard nothing", async () => {
  const zoe = await withDevice(place, ((await enroll(place, 1)) as [Person])[0]);
  const later = await anotherSession(place, zoe);
  // Letting the device in writes that it was seen, if that is long ago: here it waits for that.
  await place.sql.query("UPDATE devices SET last_seen_at = now() - interval '2 hours' WHERE user_id = $1", [zoe.id]);
  const holding = await place.sql.connect();
  await holding.query("BEGIN");
  await holding.query("SELECT FROM devices WHERE user_id = $1 FOR UPDATE", [zoe.id]);
  const coming = keep(new Client(place.url, zoe.token, { transports: ["websocket"], reconnection: false }, 1));
  await waitFor("it to wait", async () => {
    const { rows } = await place.sql.query(
      "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%last_seen_at%' AND datname = current_database()",
    );
    return rows.length > 0;
  });
  await granted(place.url, "revokeSession", { token: later.token, params: { id: zoe.sessionId } });
  await holding.query("COMMIT");
  holding.release();
  await waitFor("the close", () => coming.closes.length > 0);
  expect(coming.closes[0]).toMatchObject({ code: CLOSE_CODES.sessionRevoked, text: "session_revoked" });
  expect(coming.of("ready")).toEqual([]);
});

test("[GW6] people on two gateways hear one another, and see one another come and go", async () => {
  const [dora, eve] = (await newcomers(2)) as [Person, Person];
  const a = await onShard(dora, 0);
  const b = await onShard(eve, 1);
  await a.until("presence:update", ({ userId, status }) => userId === eve.id && status === "online");
  for (const [speaker, listener] of [
    [a, b],
    [b, a],
  ] as const) {
    const content = randomUUID();
    await say(speaker, content);
    expect((await heard(listener, content)).seq).toBe((await heard(speaker, content)).seq);
  }
  await b.must("presence:set", { status: "dnd", customStatus: "shh" });
  await a.until(
    "presence:update",
    ({ userId, status, customStatus }) => userId === eve.id && status === "dnd" && customStatus === "shh",
  );
  // With a second connection elsewhere a person who closes one is still there.
  const eveToo = await onShard(eve, 0);
  const { seq } = await b.must("read:mark", { channelId, seq: 1 });
  expect(await eveToo.until("read:updated")).toEqual({ channelId, seq });
  b.close();
  const content = randomUUID();
  await say(a, content);
  await heard(eveToo, content);
  const { members } = await granted(place.url, "listMembers", { token: ada.token, params: { id: server.id } });
  expect(members.find(({ user }) => user.id === eve.id)?.status).not.toBe("offline");
  eveToo.close();
  await a.until("presence:update", ({ userId, status }) => userId === eve.id && status === "offline");
});

test("[GW10] who connects while others write is told where the channel stands, and from there on hears everything", async () => {
  const writers = [await onShard(ada, 0), await onShard(bob, 1), await on(ada)];
  const enough = new AbortController();
  const writing = Promise.all(
    writers.map(async (writer) => {
      while (!enough.signal.aborted) {
        await say(writer, randomUUID());
        // Below the flood limit.
        await sleep(25);
      }
    }),
  );
  for (let n = 0; n < 40; n += 1) {
    const newcomer = await on(cleo, n % 4 === 0 ? { transports: ["polling", "websocket"] } : {});
    const standing = (await newcomer.until("ready")).servers[0]?.channels[0]?.lastSeq ?? 0;
    const later = () =>
      newcomer
        .of("message:new")
        .map(({ seq }) => seq)
        .filter((seq) => seq > standing);
    await waitFor("a few messages", () => later().length >= 3);
    const seqs = later();
    expect(seqs, `after ready at ${standing}`).toEqual(seqs.map((_, index) => standing + 1 + index));
    newcomer.close();
  }
  enough.abort();
  await writing;
});

test("[GW7] a frame above 64 KiB closes its own connection with a reason, and nobody else's", async () => {
  const [a, b] = [await on(ada), await on(bob)];
  a.socket.emit("message:send", { channelId, content: "x".repeat(LIMITS.frameBytes), nonce: "n" });
  await waitFor("the close", () => a.closes.length > 0);
  expect(a.closes[0]?.code).toBe(1009);
  const content = randomUUID();
  await say(b, content);
  await heard(b, content);
  await waitFor("the client to be back", () => a.of("ready").length === 2);
});
