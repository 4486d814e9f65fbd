import { randomBytes } from "node:crypto";
import type { ChannelId } from "@lescopains/protocol/ids";
import type { Presence } from "@lescopains/protocol/sfu/registry";
import { SignJWT } from "jose";
import { v7 } from "uuid";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { anotherSession } from "./kit/devices.ts";
import { opener } from "./kit/opener.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { FakeSfu } from "./kit/sfu.ts";
import { join, nodes, two, voiceIn } from "./kit/voice.ts";
import { waitFor } from "./kit/wait.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace();
});
afterAll(() => place.stop());

const { on } = opener(() => place);
const node = nodes(() => place);

function roster(person: { readonly token: string }, id: string) {
  return granted(place.url, "getVoice", { token: person.token, params: { id } });
}

/** Until PostgreSQL says that the person's media is on a node. */
async function connected(joinId: string): Promise<void> {
  await waitFor("the media to be noticed", async () => {
    const { rows } = await place.sql.query("SELECT due_at FROM voice_sessions WHERE id = $1", [joinId]);
    return rows[0]?.due_at === null;
  });
}

test("[VO21] a room stays on its node; a new one goes to the least busy of its region, never to one that drains", async () => {
  const { ana, leo, server, channelId } = await two(place);
  const busy = await node({ id: "busy", url: "https://busy", load: { cpu: 0.5 } });
  expect((await join(place, ana, channelId)).url).toBe("https://busy");
  const idle = await node({ id: "idle", url: "https://idle" });
  expect((await join(place, leo, channelId)).url).toBe("https://busy");
  const other = (await voiceIn(place, server, ana)).id;
  expect((await join(place, ana, other)).url).toBe("https://idle");
  idle.draining = true;
  idle.beat();
  const third = (await voiceIn(place, server, ana)).id;
  await waitFor("the edge to hear of it", async () => (await join(place, ana, third)).url === "https://busy");
  busy.kill();
  idle.kill();
});

test("[VO22] a killed node: everyone keeps their place, is told to come back, and finds the room elsewhere", async () => {
  const { ana, leo, channelId } = await two(place);
  const dying = await node({ url: "https://first" });
  const [a, b] = [await on(ana), await on(leo)];
  const [first, second] = [await join(place, ana, channelId), await join(place, leo, channelId)];
  await dying.admit(first.token);
  await dying.admit(second.token);
  await connected(first.joinId);
  await connected(second.joinId);
  const before = await roster(ana, channelId);
  await node({ url: "https://second", load: { cpu: 0.9 } });
  dying.kill();
  expect(await a.until("voice:rejoin")).toEqual({ channelId, joinId: first.joinId });
  await b.until("voice:rejoin");
  const again = await join(place, ana, channelId, first.joinId);
  expect(again).toMatchObject({ url: "https://second", joinId: first.joinId });
  expect((await join(place, leo, channelId, second.joinId)).url).toBe("https://second");
  expect(await roster(ana, channelId)).toEqual(before);
});

test("[VO22] a node that says nothing for 3 s is as dead", async () => {
  const { ana, channelId } = await two(place);
  const silent = await node();
  const a = await on(ana);
  const { token, joinId } = await join(place, ana, channelId);
  await silent.admit(token);
  await connected(joinId);
  silent.fallSilent();
  await a.until("voice:rejoin");
  await waitFor("its connection to end", () => silent.closed !== undefined);
  expect(await call(place.url, "joinVoice", { token: ana.token, body: { channelId } })).toMatchObject({
    error: { code: "unavailable" },
  });
});

test("[VO23] a connection that breaks and comes back disturbs nobody; who left meanwhile is gone", async () => {
  const { ana, leo, channelId } = await two(place);
  const sfu = await node();
  const [a, b] = [await on(ana), await on(leo)];
  const [first, second] = [await join(place, ana, channelId), await join(place, leo, channelId)];
  await sfu.admit(first.token);
  await sfu.admit(second.token);
  await connected(first.joinId);
  await connected(second.joinId);
  sfu.cut();
  await sfu.start();
  await a.must("voice:state", { muted: true, deafened: false, camera: false, screenSharing: false });
  await b.until("voice:state", ({ member }) => member?.muted === true);
  expect(a.of("voice:rejoin")).toEqual([]);
  sfu.empty(channelId, "left");
  await b.until("voice:ended", ({ reason }) => reason === "left");
});

test("[VO1] who was away while the person went on elsewhere comes back too late, there or in another channel; who names no place takes it", async () => {
  const { ana, server, channelId } = await two(place);
  const other = (await voiceIn(place, server, ana)).id;
  const sfu = await node();
  const phone = await anotherSession(place, ana);
  const { token, joinId } = await join(place, ana, channelId);
  await sfu.admit(token);
  await connected(joinId);
  for (const where of [channelId, other]) {
    const there = await join(place, phone, where);
    const body = { channelId, joinId };
    expect(await call(place.url, "joinVoice", { token: ana.token, body })).toMatchObject({
      error: { code: "conflict" },
    });
    expect((await roster(ana, where)).members).toMatchObject([{ joinId: there.joinId }]);
  }
  const back = await join(place, ana, channelId);
  expect((await roster(ana, channelId)).members).toMatchObject([{ joinId: back.joinId }]);
  expect((await roster(ana, other)).members).toEqual([]);
});

test("[VO22] a node that starts again, or a worker of it that dies, asks its people back", async () => {
  const { ana, channelId } = await two(place);
  const sfu = await node();
  const a = await on(ana);
  const { token, joinId } = await join(place, ana, channelId);
  await sfu.admit(token);
  await connected(joinId);
  sfu.kill();
  await sfu.start();
  await a.until("voice:rejoin");
  await sfu.admit((await join(place, ana, channelId, joinId)).token);
  await connected(joinId);
  sfu.empty(channelId, "worker_died");
  await waitFor("a second one", () => a.of("voice:rejoin").length === 2);
  expect((await roster(ana, channelId)).members).toMatchObject([{ joinId }]);
});

test("[VO22] who found no node is told when there is one", async () => {
  const { ana, leo, channelId } = await two(place);
  const only = await node();
  const [a, b] = [await on(ana), await on(leo)];
  const { token, joinId } = await join(place, ana, channelId);
  await only.admit(token);
  await connected(joinId);
  // A place without media waits for no node.
  await b.must("voice:join", { channelId });
  only.kill();
  await a.until("voice:rejoin");
  const body = { channelId, joinId };
  expect(await call(place.url, "joinVoice", { token: ana.token, body })).toMatchObject({
    error: { code: "unavailable" },
  });
  await node({ url: "https://again" });
  await waitFor("a second one", () => a.of("voice:rejoin").length === 2);
  expect(await join(place, ana, channelId, joinId)).toMatchObject({ url: "https://again", joinId });
  expect(b.of("voice:rejoin")).toEqual([]);
});

test("[VO22] who does not come back is not waited for longer because nodes come and go", async () => {
  const { ana, channelId } = await two(place);
  const only = await node();
  const a = await on(ana);
  const { token, joinId } = await join(place, ana, channelId);
  await only.admit(token);
  await connected(joinId);
  const due = async () => {
    const { rows } = await place.sql.query<{ due_at: Date }>("SELECT due_at FROM voice_sessions WHERE id = $1", [
      joinId,
    ]);
    return rows[0]?.due_at.getTime();
  };
  only.kill();
  await a.until("voice:rejoin");
  const before = await due();
  for (const times of [2, 3]) {
    (await node()).kill();
    await waitFor("another call to come", () => a.of("voice:rejoin").length === times);
  }
  expect(await due()).toBe(before);
});

test("[VO23] a node that connects once more while its rooms are looked at is told what to do, and lives", async () => {
  const { ana } = await two(place);
  const sfu = new FakeSfu(place, { id: "twice" });
  const strange = v7() as ChannelId;
  const peer = { peerId: v7(), joinId: v7(), userId: ana.id, deviceId: null, sessionId: v7(), sources: [] };
  sfu.rooms.set(strange, new Map([[peer.peerId, peer as unknown as Presence]]));
  const lock = await place.sql.connect();
  await lock.query("BEGIN; LOCK TABLE channels");
  await sfu.start();
  await sfu.start();
  await lock.query("COMMIT");
  lock.release();
  // For each time that it said something of the room: twice that it has it, once that it is empty.
  await waitFor("the orders", () => sfu.of("close-room").length === 3);
  sfu.kill();
});

test("[VO24] what is no node of ours registers nothing", async () => {
  const { ana, channelId } = await two(place);
  const forged = new FakeSfu(place, { secret: "x".repeat(44) });
  expect((await forged.start()).closed).toMatchObject({ code: 401 });
  expect((await forged.start("Bearer nothing")).closed).toMatchObject({ code: 401 });
  const real = new FakeSfu(place, { id: "real" });
  // Old, or of a clock by which room tokens of the edge would be good for nothing.
  for (const aheadSeconds of [-600, -30, 30]) {
    const at = Math.floor(Date.now() / 1_000) + aheadSeconds;
    const jwt = new SignJWT({ iat: at, exp: at + 60 }).setProtectedHeader({ alg: "HS256" });
    const signed = jwt.setIssuer("real").setAudience("sfu-registry").sign(Buffer.from(place.secrets.sfuSecret));
    expect((await real.start(`Bearer ${await signed}`)).closed, `${aheadSeconds} s`).toMatchObject({ code: 401 });
  }
  const url = `${place.url.replace(/^http/, "ws")}/sfu-registry`;
  const authorization = await real.authorization();
  for (const text of ["", "{", "[]", JSON.stringify({ type: "register", nodeId: "real" }), "x".repeat(9_000_000)]) {
    const ws = new WebSocket(url, { headers: { authorization } });
    const closed = new Promise<number>((resolve) => ws.on("close", resolve));
    ws.on("error", () => undefined);
    ws.on("open", () => ws.send(text));
    expect([1008, 1009, 1006], text.slice(0, 60)).toContain(await closed);
  }
  const impostor = new FakeSfu(place, { id: "impostor" });
  await impostor.start();
  impostor.register("n", "real");
  await waitFor("its connection to end", () => impostor.closed?.code === 1008);
  impostor.kill();
  real.kill();
  forged.kill();
  expect((await fetch(`${place.url}/sfu-registry`)).status).toBe(426);
  await waitFor("no node to be there", async () => {
    const answer = await call(place.url, "joinVoice", { token: ana.token, body: { channelId } });
    return !answer.ok && answer.error.code === "unavailable";
  });
});

test("[VO28] while the secret is changed, nodes and scripts with the one of before work as those with the new one; a third is refused", async () => {
  const secret = randomBytes(32).toString("base64");
  const former = place.secrets.sfuSecret;
  const renewed = await startPlace({ SFU_SECRET: `${secret},${former}` });
  onTestFinished(() => renewed.stop());
  const known = { url: renewed.url, secrets: place.secrets };
  const [before, after] = [new FakeSfu(known, { id: "before" }), new FakeSfu(known, { id: "after", secret })];
  const third = new FakeSfu(known, { id: "third", secret: randomBytes(32).toString("base64") });
  const both = new FakeSfu(known, { id: "both", secret: `${secret},${former}` });
  onTestFinished(() => [before, after, third, both].forEach((one) => one.kill()));
  // Each looks at the edge's own proof, too.
  expect((await before.start()).isWelcome).toBe(true);
  expect((await after.start()).isWelcome).toBe(true);
  expect((await third.start()).closed).toMatchObject({ code: 401 });
  expect((await both.start()).closed).toMatchObject({ code: 401 });
  const ask = (path: string, by: string, method = "GET") =>
    fetch(`${renewed.url}/operator/sfu${path}`, { method, headers: { authorization: `Bearer ${by}` } });
  for (const [by, one] of [
    [former, after],
    [secret, before],
  ] as const) {
    expect((await ask(`/${one.id}/drain`, by, "POST")).status).toBe(204);
    expect(one.of("drain")).toHaveLength(1);
  }
  for (const by of [`${secret},${former}`, "", ","]) expect((await ask("", by)).status).toBe(404);
  const { nodes: listed } = (await (await ask("", secret)).json()) as { nodes: object[] };
  expect(listed).toMatchObject([
    { id: "before", hasFormerSecret: true },
    { id: "after", hasFormerSecret: false },
  ]);
  const log = renewed.log();
  expect(log).toContain('"this voice node has the SFU_SECRET of before","nodeId":"before"');
  for (const one of [secret, former]) expect(log.includes(one)).toBe(false);
});

test("[VO25] a node that does not carry out a command is dead", async () => {
  const { ana, leo, server, channelId } = await two(place);
  const stubborn = await node();
  const { token, joinId } = await join(place, leo, channelId);
  await stubborn.admit(token);
  await connected(joinId);
  stubborn.obeys = false;
  await granted(place.url, "removeMember", { token: ana.token, params: { id: server.id, userId: leo.id } });
  await waitFor("its connection to end", () => stubborn.closed !== undefined);
  stubborn.obeys = true;
  await stubborn.start();
  await waitFor("who was removed to be put out", () => stubborn.people(channelId).length === 0);
});

test("[VO26] an operator empties a node: its rooms go on, new ones are elsewhere", async () => {
  const { ana, leo, server, channelId } = await two(place);
  const first = await node({ id: "first", url: "https://first" });
  const { token } = await join(place, ana, channelId);
  await first.admit(token);
  await node({ id: "second", url: "https://second", load: { cpu: 0.9 } });
  const ask = (path: string, init: RequestInit = {}, secret = place.secrets.sfuSecret) =>
    fetch(`${place.url}/operator/sfu${path}`, { ...init, headers: { authorization: `Bearer ${secret}` } });
  expect((await ask("", {}, "wrong")).status).toBe(404);
  const listed = (await (await ask("")).json()) as { nodes: { id: string; rooms: string[] }[] };
  expect(listed.nodes.map(({ id }) => id)).toEqual(expect.arrayContaining(["first", "second"]));
  expect((await ask("/nobody/drain", { method: "POST" })).status).toBe(404);
  expect((await ask("/first/drain?minutes=5", { method: "POST" })).status).toBe(204);
  expect(first.of("drain")).toMatchObject([{ deadlineMs: 300_000 }]);
  expect((await join(place, leo, channelId)).url).toBe("https://first");
  const other = (await voiceIn(place, server, ana)).id;
  expect((await join(place, ana, other)).url).toBe("https://second");
  expect((await ask("/first/undrain", { method: "POST" })).status).toBe(204);
  expect((await join(place, ana, (await voiceIn(place, server, ana)).id)).url).toBe("https://first");
});
