import type { Server } from "@lescopains/protocol/entities";
import type { ChannelId } from "@lescopains/protocol/ids";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { join as enter } from "../sfu/kit/client.ts";
import { type DevicePerson, friends } from "./kit/devices.ts";
import { openDm } from "./kit/direct.ts";
import { opener } from "./kit/opener.ts";
import { enroll, type Person, serverWith } from "./kit/people.ts";
import { ON_WRANGLER, type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { sfuCommand, startSecondNode } from "./kit/second-node.ts";
import { startSpokenCall } from "../sfu/kit/spoken-call.ts";
import { microphone, transports } from "../sfu/kit/place.ts";
import { join, two, voiceIn } from "./kit/voice.ts";
import { waitFor } from "./kit/wait.ts";

/** The real node, by the edge's own address; on wrangler dev by its own. */
let place: Place;
let nodeUrl: string;
beforeAll(async () => {
  place = await startPlace({}, { sfu: true });
  nodeUrl = ON_WRANGLER ? `http://127.0.0.1:${place.stack.sfu?.httpPort}` : place.url;
});
afterAll(() => place.stop());

const { on } = opener(() => place);

async function connected(joinId: string): Promise<void> {
  await waitFor("the media to be noticed", async () => {
    const { rows } = await place.sql.query("SELECT due_at FROM voice_sessions WHERE id = $1", [joinId]);
    return rows[0]?.due_at === null;
  });
}

test("[VO13] [VO7] a token of the edge joins the node; leaving the node ends the place", async () => {
  const { ana, leo, channelId } = await two(place);
  const b = await on(leo);
  const joined = await join(place, ana, channelId);
  const { client, ready } = await enter(joined.url, joined.token);
  expect(ready).toMatchObject({ encrypted: false, peer: { userId: ana.id } });
  await connected(joined.joinId);
  await client.must("leave", {});
  expect(await b.until("voice:state", ({ member }) => member === null)).toMatchObject({ joinId: joined.joinId });
});

test("[VO6] [VO11] rights and removals reach the node before they are answered", async () => {
  const { ana, leo, server, channelId } = await two(place);
  const joined = await join(place, leo, channelId);
  const { client } = await enter(joined.url, joined.token);
  await connected(joined.joinId);
  const params = { id: channelId, userId: leo.id };
  await granted(place.url, "patchVoiceMember", { token: ana.token, params, body: { muted: true } });
  expect(await client.until("rights", ({ rights }) => !rights.includes("speak"))).toEqual({
    rights: ["video", "screen", "listen"],
  });
  await granted(place.url, "removeMember", { token: ana.token, params: { id: server.id, userId: leo.id } });
  expect(await client.until("closed")).toEqual({ reason: "kicked" });
});

test("[VO11] who is deafened by a moderator is given no sound by the node, until they may listen again", async () => {
  const { ana, leo, channelId } = await two(place);
  const [speaks, hears] = [await join(place, ana, channelId), await join(place, leo, channelId)];
  const [speaker, listener] = [await enter(speaks.url, speaks.token), await enter(hears.url, hears.token)];
  await connected(hears.joinId);
  const { send } = await transports(speaker);
  const { recv } = await transports(listener);
  const { producerId } = await speaker.client.must("produce", microphone(send));
  const deafen = (deafened: boolean) => {
    const params = { id: channelId, userId: leo.id };
    return granted(place.url, "patchVoiceMember", { token: ana.token, params, body: { deafened } });
  };
  await deafen(true);
  const consume = () => listener.client.ask("consume", { transportId: recv, producerId });
  expect(await consume()).toMatchObject({ code: "forbidden" });
  // Going and coming back changes nothing of it.
  await listener.client.must("leave", {});
  const back = await join(place, leo, channelId);
  expect((await enter(back.url, back.token)).ready.rights).toEqual(["speak", "video", "screen"]);
  await connected(back.joinId);
  await deafen(false);
  const again = await join(place, leo, channelId, back.joinId);
  const third = await enter(again.url, again.token);
  expect(third.ready.rights).toContain("listen");
  const to = await transports(third);
  expect(await third.client.ask("consume", { transportId: to.recv, producerId })).toMatchObject({ ok: true });
});

test("[VO6] [SF21] [SF22] a token that was not used yet is good for nothing once its place was taken away", async () => {
  const takings: readonly [
    string,
    (ana: Person, leo: Person, server: Server, channelId: ChannelId) => Promise<unknown>,
  ][] = [
    [
      "removed",
      ({ token }, leo, { id }) => granted(place.url, "removeMember", { token, params: { id, userId: leo.id } }),
    ],
    [
      "banned",
      ({ token }, leo, { id }) => granted(place.url, "ban", { token, params: { id, userId: leo.id }, body: {} }),
    ],
    [
      "disconnected",
      ({ token }, leo, _, id) => granted(place.url, "removeVoiceMember", { token, params: { id, userId: leo.id } }),
    ],
    ["channel deleted", ({ token }, _leo, _, id) => granted(place.url, "deleteChannel", { token, params: { id } })],
    [
      "session revoked",
      (_, { token, sessionId: id }) => granted(place.url, "revokeSession", { token, params: { id } }),
    ],
    ["gone elsewhere", async (ana, leo, server) => join(place, leo, (await voiceIn(place, server, ana)).id)],
  ];
  for (const [how, take] of takings) {
    const { ana, leo, server, channelId } = await two(place);
    const stays = await join(place, ana, channelId);
    const witness = await enter(stays.url, stays.token);
    const { url, token } = await join(place, leo, channelId);
    await take(ana, leo, server, channelId);
    await expect(enter(url, token), how).rejects.toThrow("forbidden");
    expect(witness.client.of("peer:joined"), how).toEqual([]);
  }
});

test("[VO7] a stay that was replaced does not take the next one of the same session along", async () => {
  const { ana, leo, channelId } = await two(place);
  const b = await on(leo);
  const first = await join(place, ana, channelId);
  await enter(first.url, first.token);
  await connected(first.joinId);
  // Without `joinId`: it has lost its keys.
  const second = await join(place, ana, channelId);
  expect(second.joinId).not.toBe(first.joinId);
  const { client } = await enter(second.url, second.token);
  await connected(second.joinId);
  await b.until("voice:state", ({ joinId, member }) => joinId === first.joinId && member === null);
  expect(await client.must("state", {})).toMatchObject({ peer: { userId: ana.id } });
  const roster = await granted(place.url, "getVoice", { token: leo.token, params: { id: channelId } });
  expect(roster.members).toMatchObject([{ joinId: second.joinId }]);
});

test("[VO26] [VO27] a node is emptied by one command, or by SIGTERM: its call goes on without a lost packet, new rooms go elsewhere, and who is left at the deadline moves", async () => {
  const second = await startSecondNode(place);
  const sfu = (...args: string[]) => sfuCommand(place, args);
  const [ana, leo, zoe] = (await enroll(place, 3)) as [Person, Person, Person];
  const server = await serverWith(place, ana, [leo, zoe]);
  const channelId = (await voiceIn(place, server, ana)).id;
  const newRoomIsAt = async () => (await join(place, zoe, (await voiceIn(place, server, ana)).id)).url;
  await waitFor("the second node", async () => (await sfu("list")).said.includes("second"));
  expect(await sfu("drain", "local", "--deadline", "0s")).toMatchObject({ code: 0 });
  // Those of the tests before leave it.
  const emptied = /^local +draining +0 .*\nsecond +open +0 /m;
  await waitFor("the node to be empty", async () => emptied.test((await sfu("list")).said));
  const [a, b] = [await on(ana), await on(leo)];
  const [first, other] = [await join(place, ana, channelId), await join(place, leo, channelId)];
  expect([first.url, other.url]).toEqual([second.url, second.url]);
  const spoken = await startSpokenCall(second.url, { speaker: first.token, listener: other.token }, onTestFinished);
  await connected(first.joinId);
  await connected(other.joinId);
  const roster = () => granted(place.url, "getVoice", { token: ana.token, params: { id: channelId } });
  const before = await roster();
  expect(await sfu("undrain", "local")).toMatchObject({ code: 0, said: "local takes new rooms again.\n" });

  second.kill("SIGTERM");
  await waitFor("the edge to send new rooms elsewhere", async () => (await newRoomIsAt()) === nodeUrl);
  const { heard } = spoken;
  await waitFor("the call to go on", () => spoken.heard > heard + 25);
  expect(spoken.lost).toBe(0);
  expect((await sfu("list")).said).toMatch(/^second +draining +1 +2 /m);

  expect(await sfu("drain", "second", "--deadline", "0s")).toMatchObject({ code: 0 });
  for (const { client } of [spoken.speaker, spoken.listener])
    expect(await client.until("closed")).toEqual({ reason: "draining" });
  expect(await a.until("voice:rejoin")).toEqual({ channelId, joinId: first.joinId });
  await b.until("voice:rejoin");
  const again = [await join(place, ana, channelId, first.joinId), await join(place, leo, channelId, other.joinId)];
  expect(again).toMatchObject([
    { url: nodeUrl, joinId: first.joinId },
    { url: nodeUrl, joinId: other.joinId },
  ]);
  const back = await Promise.all(again.map(({ url, token }) => enter(url, token)));
  expect(back.map(({ ready }) => ready.peer.userId)).toEqual([ana.id, leo.id]);
  expect(await roster()).toEqual(before);
  expect(await second.exited).toBe(0);
});

test("[VO27] a node that is none, or a secret that is not the edge's, is said in a line", async () => {
  expect(await sfuCommand(place, ["drain", "nowhere"])).toEqual({
    code: 1,
    said: `${place.url} answers 404: no such node\n`,
  });
  expect(await sfuCommand(place, ["list"], "x".repeat(44))).toEqual({
    code: 1,
    said: `${place.url} does not know this secret: SFU_SECRET must be the edge's\n`,
  });
});

test("[VO22] the node is killed: everyone comes back to the next one, with the place they had", async () => {
  const [ana, leo] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const channelId = (await openDm(place, ana, leo)).id;
  const a = await on(ana);
  const first = await join(place, ana, channelId);
  const before = await enter(first.url, first.token);
  expect(before.ready.encrypted).toBe(true);
  await connected(first.joinId);
  await place.stack.sfu?.kill9();
  before.client.close();
  expect(await a.until("voice:rejoin")).toEqual({ channelId, joinId: first.joinId });
  const again = await waitFor("another node", async () => {
    const answer = await call(place.url, "joinVoice", { token: ana.token, body: { channelId, joinId: first.joinId } });
    return answer.ok ? answer.value : undefined;
  });
  expect(again.joinId).toBe(first.joinId);
  const { ready } = await enter(again.url, again.token);
  expect(ready.peer).toMatchObject({ userId: ana.id, deviceId: 1 });
  await connected(first.joinId);
  expect(again.roster).toMatchObject({ epoch: 1, members: [{ joinId: first.joinId }] });
});
