import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "@lescopains/protocol/entities";
import { CLOSE_CODES } from "@lescopains/protocol/errors";
import type { ChannelId } from "@lescopains/protocol/ids";
import { PERIODS } from "@lescopains/protocol/limits";
import { PERMISSIONS } from "@lescopains/protocol/permissions";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, type Connection } from "./kit/connection.ts";
import { enroll, type Person, serverWith, textChannel, tokenFor } from "./kit/people.ts";
import { opener } from "./kit/opener.ts";
import { ON_WRANGLER, type Place, startPlace } from "./kit/place.ts";
import { connectRaw, type RawSocket } from "./kit/raw.ts";
import { granted } from "./kit/rest.ts";
import { connectOnShard } from "./kit/shards.ts";
import { waitFor } from "./kit/wait.ts";

const METRICS_TOKEN = "a token for metrics";

let place: Place;
let server: Server;
let channelId: ChannelId;
let ada: Person;
let bob: Person;
let cleo: Person;
let silent: Person;
let kicked: Person;
let muted: Person;
/** Of `silent`: connected from the start, and never heard of again. */
let mute: RawSocket;
let muteSinceMs: number;
/** Says nothing either; its token ends after five seconds. */
let fading: Connection;
beforeAll(async () => {
  place = await startPlace({ GATEWAY_SHARDS: "2", METRICS_TOKEN });
  const people = await enroll(place, 7);
  const [owner, ...others] = people.slice(0, 6);
  if (owner === undefined) throw new Error("people were enrolled");
  [ada, bob, cleo, silent, kicked, muted] = people as [Person, Person, Person, Person, Person, Person];
  server = await serverWith(place, owner, others);
  channelId = textChannel(server).id;
  mute = await connectRaw(place, silent);
  muteSinceMs = performance.now();
  const [passer] = people.slice(6) as [Person];
  fading = await connect(place, { token: await tokenFor(place, passer, 5_000) }, { reconnection: false });
});
afterAll(() => place.stop());

const { keep } = opener(() => place);
async function onShard(person: Person, shard: number): Promise<Connection> {
  return keep(await connectOnShard(place, person, shard));
}

async function say(connection: Connection, content: string): Promise<void> {
  await connection.must("message:send", { channelId, content, nonce: randomUUID() });
}

function heard(connection: Connection, content: string) {
  return connection.until("message:new", (message) => message.content === content);
}

/** How often a gateway was brought into memory, both together. Asking wakes those that sleep, and counts them. */
async function gatewayStarts(): Promise<number> {
  const response = await fetch(`${place.url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
  const text = await response.text();
  // Where actors may be anywhere no process counts for all, and wrangler dev says that it is such a place.
  if (ON_WRANGLER) return Number.POSITIVE_INFINITY;
  return Number(/^lescopains_actors_started_total\{class="Gateway"\} (\d+)$/m.exec(text)?.[1]);
}

const onWorkerd = ON_WRANGLER ? () => undefined : test;

onWorkerd("[OM5] however many ask /health, PostgreSQL is hardly asked", async () => {
  const asked = async (): Promise<number> => {
    const response = await fetch(`${place.url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
    return Number(/^lescopains_pg_statement_duration_seconds_count (\d+)$/m.exec(await response.text())?.[1]);
  };
  const before = await asked();
  const answers = await Promise.all(
    Array.from({ length: 500 }, async () => (await fetch(`${place.url}/health`)).status),
  );
  expect(new Set(answers)).toEqual(new Set([200]));
  // The place's own people ask too: reads, sweeps.
  expect((await asked()) - before).toBeLessThan(100);
});

/**
 * Leaves the place alone until its gateways have been evicted from memory, which the runtime does after 10 s without an event;
 * their own sweep, every 15 s, is one. Whether they sleep can't be asked without waking them: here, and only here, time itself is
 * the condition. Afterwards their starts tell.
 */
async function hibernate(speakers: readonly Connection[]): Promise<void> {
  for (const speaker of speakers) for (let n = 0; n < 5; n += 1) await speaker.must("presence:ping", {});
  const before = await gatewayStarts();
  await sleep(21_000);
  // Each slept once or, when its own sweep came between, twice.
  expect(await gatewayStarts(), "the gateways hibernated").toBeGreaterThanOrEqual(before + 2);
}

test("[GW8] after hibernation a message reaches everyone who may see it and nobody else, and a kick and a lost right made in between hold", async () => {
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
    body: { type: "member", allow: "0", deny: String(PERMISSIONS.viewChannel) },
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
  const a = await onShard(ada, 0);
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
