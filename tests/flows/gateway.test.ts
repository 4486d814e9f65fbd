import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "@lescopains/protocol/entities";
import { CLOSE_CODES } from "@lescopains/protocol/errors";
import type { ChannelId } from "@lescopains/protocol/ids";
import { LIMITS, PERIODS } from "@lescopains/protocol/limits";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { connect, type Connection, type ConnectOptions, Connection as Client } from "./kit/connection.ts";
import { enroll, type Person, serverWith, textChannel, tokenFor } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { connectRaw, type RawSocket } from "./kit/raw.ts";
import { call, granted } from "./kit/rest.ts";
import { waitFor } from "./kit/wait.ts";

const METRICS_TOKEN = "a token for metrics";

let place: Place;
let server: Server;
let channelId: ChannelId;
let ada: Person;
let bob: Person;
let cleo: Person;
let silent: Person;
/** Of `silent`: connected from the start, and never heard of again. */
let mute: RawSocket;
let muteSinceMs: number;
/** Says nothing either; its token ends after five seconds. */
let fading: Connection;
beforeAll(async () => {
  place = await startPlace({ GATEWAY_SHARDS: "2", METRICS_TOKEN });
  [ada, bob, cleo, silent] = (await enroll(place, 4)) as [Person, Person, Person, Person];
  server = await serverWith(place, ada, [bob, cleo, silent]);
  channelId = textChannel(server).id;
  mute = await connectRaw(place, silent);
  muteSinceMs = performance.now();
  const [passer] = (await enroll(place, 1)) as [Person];
  fading = await connect(place, { token: await tokenFor(place, passer, 5_000) }, { reconnection: false });
});
afterAll(() => place.stop());

const open: Connection[] = [];
afterEach(() => {
  for (const connection of open.splice(0)) connection.close();
});
async function on(person: Pick<Person, "token">, options?: ConnectOptions): Promise<Connection> {
  const connection = await connect(place, person, options);
  open.push(connection);
  return connection;
}

function shardOf(connection: Connection): number {
  return Number((connection.socket.io.engine as { id: string }).id.split(".")[0]);
}

/** A connection of the person on a certain gateway; which one a connection comes to is chance. */
async function onShard(person: Person, shard: number): Promise<Connection> {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    const connection = await connect(place, person);
    if (shardOf(connection) === shard) {
      open.push(connection);
      return connection;
    }
    connection.close();
  }
  throw new Error(`40 connections, and none came to gateway ${shard}`);
}

async function say(connection: Connection, content: string): Promise<number> {
  return (await connection.must("message:send", { channelId, content, nonce: randomUUID() })).seq;
}

function heard(connection: Connection, content: string) {
  return connection.until("message:new", (message) => message.content === content);
}

/** Events that the gateways have read since they started, both together: a gateway that starts again begins at 0. */
async function eventsRead(): Promise<number> {
  const response = await fetch(`${place.url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
  const values = [...(await response.text()).matchAll(/^lescopains_events_received_total\{.*\} (\d+)$/gm)];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

/**
 * Leaves the place alone until its gateways have been evicted from memory, which the runtime does after 10 s without an event;
 * their own sweep, every 15 s, is one. Whether they sleep can't be asked without waking them: here, and only here, time itself is
 * the condition. Afterwards the counters tell.
 */
async function hibernate(speakers: readonly Connection[]): Promise<void> {
  for (const speaker of speakers) for (let n = 0; n < 5; n += 1) await speaker.must("presence:ping", {});
  expect(await eventsRead()).toBeGreaterThanOrEqual(5 * speakers.length);
  await sleep(21_000);
  expect(await eventsRead(), "the gateways hibernated").toBe(0);
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
  b.close();
  const content = randomUUID();
  await say(a, content);
  await heard(eveToo, content);
  const { members } = await granted(place.url, "listMembers", { token: ada.token, params: { id: server.id } });
  expect(members.find(({ user }) => user.id === eve.id)?.status).not.toBe("offline");
  eveToo.close();
  await a.until("presence:update", ({ userId, status }) => userId === eve.id && status === "offline");
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

test("[GW8] after hibernation a message reaches everyone who may see it and nobody else, and a kick and a lost right made in between hold", async () => {
  const [kicked, muted] = (await enroll(place, 2)) as [Person, Person];
  for (const { token } of [kicked, muted]) {
    const { code } = await granted(place.url, "createInvite", {
      token: ada.token,
      params: { id: server.id },
      body: {},
    });
    await granted(place.url, "joinInvite", { token, params: { code } });
  }
  const [a, b, c] = [await onShard(ada, 0), await onShard(bob, 1), await onShard(cleo, 0)];
  const [k, m] = [await onShard(kicked, 1), await onShard(muted, 1)];
  const first = randomUUID();
  await say(a, first);
  for (const connection of [a, b, c, k, m]) await heard(connection, first);

  await hibernate([a, b]);
  await granted(place.url, "removeMember", { token: ada.token, params: { id: server.id, userId: kicked.id } });
  await granted(place.url, "putOverwrite", {
    token: ada.token,
    params: { id: channelId, targetId: muted.id },
    body: { type: "member", allow: "0", deny: String(1n << 16n) },
  });
  const second = randomUUID();
  await say(b, second);
  for (const connection of [a, b, c]) await heard(connection, second);
  expect(await k.until("server:left")).toEqual({ serverId: server.id, reason: "kicked" });
  for (const connection of [k, m]) {
    const answer = await connection.ask("message:send", { channelId, content: "still here", nonce: randomUUID() });
    expect(answer).toMatchObject({ ok: false, error: { code: "not_found" } });
    expect(connection.of("message:new").map(({ content }) => content)).not.toContain(second);
  }

  await hibernate([a, b]);
  const third = randomUUID();
  await say(c, third);
  for (const connection of [a, b, c]) expect((await heard(connection, third)).content).toBe(third);
  for (const connection of [k, m]) {
    await connection.must("presence:ping", {});
    expect(connection.of("message:new").map(({ content }) => content)).toEqual([first]);
  }
  // Nobody was cut off meanwhile.
  for (const connection of [a, b, c, k, m]) expect(connection.closes).toEqual([]);
});

test("[GW9] a socket that is not heard of for 60 s is closed and its person offline; a client that answers stays", async () => {
  const a = await on(ada);
  await waitFor("the silent one to be closed", () => mute.closed, PERIODS.presenceOfflineMs + 60_000);
  expect(performance.now() - muteSinceMs).toBeGreaterThan(PERIODS.presenceOfflineMs - 1_000);
  const status = async () => {
    const { members } = await granted(place.url, "listMembers", { token: bob.token, params: { id: server.id } });
    return members.find(({ user }) => user.id === silent.id)?.status;
  };
  await waitFor("the silent one to be offline", async () => (await status()) === "offline");
  expect(a.closes).toEqual([]);
});

test("[GW4] a socket that says nothing is closed with 4401 too when its token ends", async () => {
  await waitFor("the close", () => fading.closes.length > 0, 30_000);
  expect(fading.closes).toEqual([expect.objectContaining({ code: CLOSE_CODES.tokenExpired, text: "token_expired" })]);
  fading.close();
});
