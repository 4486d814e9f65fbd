import { setTimeout as sleep } from "node:timers/promises";
import type { ServerId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Connection, connect } from "./kit/connection.ts";
import { enroll, type Person, serverWith, textChannel } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { granted } from "./kit/rest.ts";
import { waitFor } from "./kit/wait.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace({ GATEWAY_SHARDS: "3" });
});
afterAll(() => place.stop());

const as = (who: Person) => ({ token: who.token });
const people = async (count: number) => (await enroll(place, count)) as [Person, Person, Person];
/** Longer than changes are held back. */
const A_PUSH_MS = 1_500;

/** What a connection was told of a person: status and custom status, in order. */
function toldOf(socket: Connection, who: Person): (string | undefined)[][] {
  return socket
    .of("presence:update")
    .filter(({ userId }) => userId === who.id)
    .map(({ status, customStatus }) => (customStatus === undefined ? [status] : [status, customStatus]));
}

async function listed(by: Person, id: ServerId, who: Person) {
  const { members } = await granted(place.url, "listMembers", { ...as(by), params: { id }, query: {} });
  return members.find(({ user }) => user.id === who.id);
}

describe("online and offline", () => {
  test("[PR1] online with the first connection, offline after the last; others hear of it within seconds", async () => {
    const [owner, friend] = await people(2);
    const { id } = await serverWith(place, owner, [friend]);
    const watcher = await connect(place, owner);
    expect(await listed(owner, id, friend)).toMatchObject({ status: "offline" });
    const [first, second] = await Promise.all([connect(place, friend), connect(place, friend)]);
    await waitFor("online", () => toldOf(watcher, friend).length === 1);
    expect(await listed(owner, id, friend)).toMatchObject({ status: "online" });
    first.close();
    await sleep(A_PUSH_MS);
    expect(toldOf(watcher, friend)).toEqual([["online"]]);
    second.close();
    await waitFor("offline", () => toldOf(watcher, friend).length === 2);
    expect(toldOf(watcher, friend)).toEqual([["online"], ["offline"]]);
    expect(await listed(owner, id, friend)).toMatchObject({ status: "offline" });
    watcher.close();
  });

  test("[PR3] a reconnection within the second is not told", async () => {
    const [owner, friend] = await people(2);
    await serverWith(place, owner, [friend]);
    const watcher = await connect(place, owner);
    const first = await connect(place, friend);
    await waitFor("online", () => toldOf(watcher, friend).length === 1);
    first.close();
    const second = await connect(place, friend);
    await sleep(A_PUSH_MS);
    expect(toldOf(watcher, friend)).toEqual([["online"]]);
    second.close();
    watcher.close();
  });

  test("[PR6] a new connection is told who is online, itself first", async () => {
    const [owner, friend, absent] = await people(3);
    await serverWith(place, owner, [friend, absent]);
    const early = await connect(place, owner);
    await early.must("presence:set", { status: "dnd", customStatus: "reading" });
    const late = await connect(place, friend);
    expect(late.of("ready")[0]?.presences).toEqual([
      { userId: friend.id, status: "online" },
      { userId: owner.id, status: "dnd", customStatus: "reading" },
    ]);
    early.close();
    late.close();
  });

  test("[PR7] who joins while connected is online at once; who was removed is no longer told of", async () => {
    const [owner, friend] = await people(2);
    const { id } = await serverWith(place, owner);
    const [watcher, socket] = await Promise.all([connect(place, owner), connect(place, friend)]);
    await socket.must("presence:set", { status: "idle" });
    const { code } = await granted(place.url, "createInvite", { ...as(owner), params: { id }, body: {} });
    await granted(place.url, "joinInvite", { ...as(friend), params: { code } });
    expect(await listed(owner, id, friend)).toMatchObject({ status: "idle" });
    await waitFor("idle", () => toldOf(watcher, friend).length === 1);
    await granted(place.url, "removeMember", { ...as(owner), params: { id, userId: friend.id } });
    await socket.must("presence:set", { status: "dnd" });
    socket.close();
    await sleep(A_PUSH_MS);
    expect(toldOf(watcher, friend)).toEqual([["idle"]]);
    watcher.close();
  });
});

describe("what is shown", () => {
  test("[PR2] a status chosen on one connection is shown for the person; many changes in a second are one event", async () => {
    const [owner, friend] = await people(2);
    const { id } = await serverWith(place, owner, [friend]);
    const watcher = await connect(place, owner);
    const [desk, phone] = await Promise.all([connect(place, friend), connect(place, friend)]);
    await waitFor("online", () => toldOf(watcher, friend).length === 1);
    for (const status of ["idle", "dnd", "online", "dnd"] as const) await desk.must("presence:set", { status });
    await phone.must("presence:set", { status: "dnd", customStatus: "busy" });
    await waitFor("dnd", () => toldOf(watcher, friend).at(-1)?.[1] === "busy");
    expect(toldOf(watcher, friend).length).toBeLessThanOrEqual(3);
    expect(await listed(owner, id, friend)).toMatchObject({ status: "dnd", customStatus: "busy" });
    for (const socket of [watcher, desk, phone]) socket.close();
  });

  test("[PR5] an invisible person is offline for others, without custom status, and sees their own", async () => {
    const [owner, friend] = await people(2);
    const { id } = await serverWith(place, owner, [friend]);
    const [watcher, socket] = await Promise.all([connect(place, owner), connect(place, friend)]);
    await waitFor("online", () => toldOf(watcher, friend).length === 1);
    await socket.must("presence:set", { status: "invisible", customStatus: "hiding" });
    await waitFor("offline", () => toldOf(watcher, friend).length === 2);
    expect(toldOf(watcher, friend)).toEqual([["online"], ["offline"]]);
    expect(JSON.stringify(watcher.received)).not.toContain("hiding");
    await waitFor("one's own", () => toldOf(socket, friend).at(-1)?.[1] === "hiding");
    const seen = await listed(owner, id, friend);
    expect([seen?.status, seen?.customStatus]).toEqual(["offline", undefined]);
    expect(await listed(friend, id, friend)).toMatchObject({ status: "offline", customStatus: "hiding" });
    const late = await connect(place, owner);
    expect(late.of("ready")[0]?.presences.map(({ userId }) => userId)).toEqual([owner.id]);
    // Going away changes nothing for others.
    socket.close();
    await sleep(A_PUSH_MS);
    expect(toldOf(watcher, friend)).toHaveLength(2);
    watcher.close();
    late.close();
  });

  test("[PR3] nobody outside the server hears anything", async () => {
    const [owner, friend, stranger] = await people(3);
    await serverWith(place, owner, [friend]);
    await serverWith(place, stranger);
    const [outside, watcher] = await Promise.all([connect(place, stranger), connect(place, owner)]);
    const socket = await connect(place, friend);
    await waitFor("online", () => toldOf(watcher, friend).length === 1);
    await sleep(A_PUSH_MS);
    expect(outside.of("presence:update").every(({ userId }) => userId === stranger.id)).toBe(true);
    for (const each of [outside, watcher, socket]) each.close();
  });
});

/** After ten seconds without work the runtime takes an actor out of memory; sockets stay. */
const IDLE_MS = 13_000;

test("[PR8] [SRV12] after a quiet time, with nothing in memory, changes of presence and of access arrive as ever", async () => {
  const [owner, friend] = await people(2);
  const server = await serverWith(place, owner, [friend]);
  const { id } = server;
  const channelId = textChannel(server).id;
  const [watcher, socket] = await Promise.all([connect(place, owner), connect(place, friend)]);
  await waitFor("online", () => toldOf(watcher, friend).length === 1);
  await sleep(IDLE_MS);
  await socket.must("presence:set", { status: "dnd" });
  await waitFor("dnd", () => toldOf(watcher, friend).at(-1)?.[0] === "dnd");
  expect(await listed(owner, id, friend)).toMatchObject({ status: "dnd" });
  await watcher.must("message:send", { channelId, content: "anyone?", nonce: "1" });
  await socket.until("message:new");
  await sleep(IDLE_MS);
  await granted(place.url, "removeMember", { ...as(owner), params: { id, userId: friend.id } });
  const leftAt = await waitFor(
    "server:left",
    () => socket.received.findIndex(({ event }) => event === "server:left") + 1,
  );
  await watcher.must("message:send", { channelId, content: "gone", nonce: "2" });
  await watcher.until("message:new", ({ content }) => content === "gone");
  expect(await socket.ask("message:send", { channelId, content: "still here", nonce: "3" })).toMatchObject({
    ok: false,
  });
  expect(socket.received.slice(leftAt)).toEqual([]);
  const loads = place
    .log()
    .split("\n")
    .filter((line) => line.includes("server loaded") && line.includes(id));
  expect(loads.length).toBeGreaterThanOrEqual(3);
  watcher.close();
  socket.close();
});

test("[PR8] after a crash everyone who comes back is online again for everyone else", async () => {
  const [owner, friend] = await people(2);
  const { id } = await serverWith(place, owner, [friend]);
  const [watcher, socket] = await Promise.all([connect(place, owner), connect(place, friend)]);
  await place.stack.workerd.kill9();
  await place.stack.workerd.restart();
  await waitFor("both back", () => watcher.of("ready").length === 2 && socket.of("ready").length === 2);
  await waitFor("online", async () => (await listed(owner, id, friend))?.status === "online");
  watcher.close();
  socket.close();
});

test(`[PR4] with more than ${LIMITS.presencePushOnline} people online changes come with the list, not one by one`, async () => {
  const [owner, friend] = await people(2);
  const crowd = await enroll(place, LIMITS.presencePushOnline + 5);
  const { id } = await serverWith(place, owner, [friend]);
  await place.sql.query(
    `WITH joined AS (INSERT INTO server_members (server_id, user_id) SELECT $1, unnest($2::uuid[]))
     UPDATE servers SET version = version + 1 WHERE id = $1`,
    [id, crowd.map((who) => who.id)],
  );
  // The actor finds out with its next change.
  await granted(place.url, "patchServer", { ...as(owner), params: { id }, body: { name: "crowded" } });
  const sockets: Connection[] = [];
  for (let index = 0; index < crowd.length; index += 20) {
    sockets.push(...(await Promise.all(crowd.slice(index, index + 20).map((who) => connect(place, who)))));
  }
  const watcher = await connect(place, owner);
  await sleep(A_PUSH_MS);
  const socket = await connect(place, friend);
  await socket.must("presence:set", { status: "dnd" });
  await sleep(A_PUSH_MS);
  expect(toldOf(watcher, friend)).toEqual([]);
  expect(toldOf(socket, friend).at(-1)).toEqual(["dnd"]);
  expect(await listed(owner, id, friend)).toMatchObject({ status: "dnd" });
  for (const each of sockets.slice(0, 20)) each.close();
  await waitFor("the change, when fewer are online", () => toldOf(watcher, friend).at(-1)?.[0] === "dnd");
  for (const each of [...sockets.slice(20), watcher, socket]) each.close();
});
