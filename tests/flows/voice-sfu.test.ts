import { afterAll, beforeAll, expect, test } from "vitest";
import { join as enter } from "../sfu/kit/client.ts";
import { type DevicePerson, friends } from "./kit/devices.ts";
import { openDm } from "./kit/direct.ts";
import { opener } from "./kit/opener.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { join, two } from "./kit/voice.ts";
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
  expect(ready).toMatchObject({ encrypted: false, rights: ["speak", "video", "screen"], peer: { userId: ana.id } });
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
    rights: ["video", "screen"],
  });
  await granted(place.url, "removeMember", { token: ana.token, params: { id: server.id, userId: leo.id } });
  expect(await client.until("closed")).toEqual({ reason: "kicked" });
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
