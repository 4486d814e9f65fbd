import type { Server } from "@lescopains/protocol/entities";
import type { ChannelId } from "@lescopains/protocol/ids";
import { afterAll, beforeAll, expect, test } from "vitest";
import { join as enter } from "../sfu/kit/client.ts";
import { type DevicePerson, friends } from "./kit/devices.ts";
import { openDm } from "./kit/direct.ts";
import { opener } from "./kit/opener.ts";
import type { Person } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { microphone, transports } from "../sfu/kit/place.ts";
import { join, two, voiceIn } from "./kit/voice.ts";
import { waitFor } from "./kit/wait.ts";

/** The real node, by the edge's own address. */
let place: Place;
beforeAll(async () => {
  place = await startPlace({}, { sfu: true });
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
