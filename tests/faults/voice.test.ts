import { afterAll, beforeAll, expect, test } from "vitest";
import { type DevicePerson, friends } from "../flows/kit/devices.ts";
import { openDm } from "../flows/kit/direct.ts";
import { opener } from "../flows/kit/opener.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { granted } from "../flows/kit/rest.ts";
import { join, nodes, two } from "../flows/kit/voice.ts";
import { waitFor } from "../flows/kit/wait.ts";

/** What is due is looked for every 15 s, after nodes have had 3 s to come back. */
const SWEPT_MS = 60_000;

let place: Place;
beforeAll(async () => {
  place = await startPlace();
});
afterAll(() => place.stop());

const { on } = opener(() => place);
const node = nodes(() => place);

async function row(joinId: string): Promise<Record<string, unknown> | undefined> {
  const { rows } = await place.sql.query<Record<string, unknown>>("SELECT * FROM voice_sessions WHERE id = $1", [
    joinId,
  ]);
  return rows[0];
}

async function connected(joinId: string): Promise<void> {
  await waitFor("the media to be noticed", async () => (await row(joinId))?.["due_at"] === null);
}

async function crash(): Promise<void> {
  await place.stack.workerd.kill9();
  await place.stack.workerd.restart();
}

test("[FT9] a kill of the edge ends no call: who is on the node keeps their place, who left it meanwhile is gone", async () => {
  const { ana, leo, channelId } = await two(place);
  const sfu = await node();
  const [first, second] = [await join(place, ana, channelId), await join(place, leo, channelId)];
  await sfu.admit(first.token);
  await sfu.admit(second.token);
  await connected(first.joinId);
  await connected(second.joinId);
  await place.stack.workerd.kill9();
  const staying = [...(sfu.rooms.get(channelId)?.values() ?? [])].find(({ userId }) => userId === ana.id);
  if (staying === undefined) throw new Error("Ana is in the room");
  sfu.rooms.set(channelId, new Map([[staying.peerId, staying]]));
  await place.stack.workerd.restart();
  await sfu.start();
  const b = await on(leo);
  // Whoever is back before the node is told so, too; whoever comes later sees by themselves that their media is gone.
  await waitFor("the other place to be without a node", async () => (await row(second.joinId))?.["node"] === null);
  const roster = await granted(place.url, "getVoice", { token: ana.token, params: { id: channelId } });
  expect(roster).toMatchObject({ epoch: 2, members: [{ joinId: first.joinId }, { joinId: second.joinId }] });
  await b.must("voice:leave", { channelId });
  expect(await b.until("voice:state")).toMatchObject({ epoch: 3, joinId: second.joinId, member: null });
  expect((await row(first.joinId))?.["left_at"]).toBeNull();
});

test("[FT10] [VO8] edge and node die together: everyone is asked back, and whoever does not come has no place any more", async () => {
  const { ana, leo, channelId } = await two(place);
  const sfu = await node();
  const { token, joinId } = await join(place, ana, channelId);
  await sfu.admit(token);
  await connected(joinId);
  sfu.kill();
  await crash();
  const a = await on(ana);
  expect(await a.until("voice:rejoin", () => true, SWEPT_MS)).toEqual({ channelId, joinId });
  // Time goes by.
  await place.stack.workerd.kill9();
  await place.sql.query("UPDATE voice_sessions SET due_at = now() - interval '1 second' WHERE id = $1", [joinId]);
  await place.stack.workerd.restart();
  const b = await on(leo);
  expect(b.of("ready")[0]?.voice).toMatchObject([{ channelId, members: [{ joinId }] }]);
  expect(await b.until("voice:state", () => true, SWEPT_MS)).toMatchObject({ joinId, epoch: 2, member: null });
  expect(await row(joinId)).toMatchObject({ reason: "timeout" });
});

test("[FT11] without PostgreSQL nobody comes or goes, and what nodes said meanwhile holds afterwards", async () => {
  const { ana, channelId } = await two(place);
  const sfu = await node();
  const a = await on(ana);
  const { token, joinId } = await join(place, ana, channelId);
  await sfu.admit(token);
  await connected(joinId);
  await place.stack.postgres?.stop();
  sfu.empty(channelId, "left");
  expect(await a.ask("voice:join", { channelId })).toMatchObject({ error: { code: "unavailable" } });
  await place.stack.postgres?.start();
  await a.until("voice:ended", ({ reason }) => reason === "left", SWEPT_MS);
  expect(await row(joinId)).toMatchObject({ reason: "left" });
});

test("[FT12] a call that rings when the edge is killed still rings afterwards, and is missed in time", async () => {
  const [ana, leo] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const channelId = (await openDm(place, ana, leo)).id;
  const a = await on(ana);
  const { joinId } = await a.must("voice:join", { channelId });
  const { callId, until } = await a.must("call:ring", { channelId });
  await crash();
  const ringing = { callId, callerId: ana.id, userIds: [leo.id], until };
  expect((await on(leo)).of("ready")[0]?.voice).toMatchObject([{ channelId, ringing }]);
  await place.stack.workerd.kill9();
  await place.sql.query("UPDATE voice_sessions SET ringing_until = now() WHERE id = $1", [joinId]);
  await place.stack.workerd.restart();
  const b = await on(leo);
  expect(await b.until("call:stopped", () => true, SWEPT_MS)).toMatchObject({ callId, reason: "missed" });
});

test("[FT13] an edge that starts waits for the node of a call: whoever comes meanwhile comes to that one, and who is removed is off it when it is answered", async () => {
  const [{ ana, leo, server, channelId }, strangers] = [await two(place), await two(place)];
  const first = await node({ url: "https://first" });
  const { token, joinId } = await join(place, leo, channelId);
  await first.admit(token);
  await connected(joinId);
  const other = await node({ url: "https://other", load: { cpu: 0.5 } });
  /** What is asked of the edge between its start and the return of the call's node. */
  const early = async <T>(ask: () => Promise<T>): Promise<T> => {
    await crash();
    await other.start();
    const asked = ask();
    // Somebody who came after them, and waits for nothing, has been answered.
    expect((await join(place, strangers.ana, strangers.channelId)).url).toBe("https://other");
    expect(first.people(channelId)).toEqual([leo.id]);
    await first.start();
    return asked;
  };
  expect((await early(() => join(place, ana, channelId))).url).toBe("https://first");
  const params = { id: server.id, userId: leo.id };
  await early(() => granted(place.url, "removeMember", { token: ana.token, params }));
  expect(first.people(channelId)).toEqual([]);
});

test("[FT14] [VO21] a call whose node does not come back in time goes on elsewhere whole, and is not divided when that node comes back after all", async () => {
  const { ana, leo, channelId } = await two(place);
  const first = await node({ url: "https://first" });
  const stays = [await join(place, ana, channelId), await join(place, leo, channelId)] as const;
  await first.admit(stays[0].token);
  await connected(stays[0].joinId);
  await crash();
  const a = await on(ana);
  const other = await node({ url: "https://other" });
  const again = await join(place, leo, channelId, stays[1].joinId);
  expect(again.url).toBe("https://other");
  expect(await row(stays[0].joinId)).toMatchObject({ node: null, left_at: null });
  expect(await a.until("voice:rejoin")).toEqual({ channelId, joinId: stays[0].joinId });
  await other.admit(again.token);
  await connected(stays[1].joinId);
  await first.start();
  await first.admit(stays[0].token);
  await waitFor("the edge to have looked at the first node", async () => first.people(channelId).length === 1);
  const back = await join(place, ana, channelId, stays[0].joinId);
  expect(back).toMatchObject({ url: "https://other", joinId: stays[0].joinId });
});
