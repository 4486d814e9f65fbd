import { PERMISSIONS } from "@lescopains/protocol/permissions";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DevicePerson, friends, withDevice } from "./kit/devices.ts";
import { openDm } from "./kit/direct.ts";
import { opener } from "./kit/opener.ts";
import { enroll, type Person, serverWith } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { join, nodes, two, voiceIn } from "./kit/voice.ts";
import { waitFor } from "./kit/wait.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace();
});
afterAll(() => place.stop());

const { on } = opener(() => place);
const node = nodes(() => place);

test("[VO1] [VO2] [VO4] who joins has a place that everyone sees, and that `ready` and the roster show", async () => {
  const { ana, leo, channelId } = await two(place);
  const [a, b] = [await on(ana), await on(leo)];
  const { joinId, roster } = await a.must("voice:join", { channelId });
  expect(roster).toMatchObject({ channelId, epoch: 1, members: [{ userId: ana.id, joinId, muted: false }] });
  const seen = await b.until("voice:state");
  expect(seen).toEqual({ channelId, epoch: 1, userId: ana.id, joinId, member: roster.members[0] });
  const again = await on(leo);
  expect(again.of("ready")[0]?.voice).toEqual([roster]);
  expect(await granted(place.url, "getVoice", { token: leo.token, params: { id: channelId } })).toEqual(roster);
  await a.must("voice:leave", { channelId });
  expect(await b.until("voice:state", ({ member }) => member === null)).toMatchObject({ epoch: 2, joinId });
  expect(await a.until("voice:ended")).toEqual({ channelId, joinId, reason: "left" });
  expect((await on(leo)).of("ready")[0]?.voice).toEqual([]);
  await a.must("voice:leave", { channelId });
});

test("[VO4] who leaves a place by its name gives up no other that they have taken since", async () => {
  const { ana, channelId } = await two(place);
  const a = await on(ana);
  const { joinId } = await a.must("voice:join", { channelId });
  await a.must("voice:leave", { channelId, joinId });
  const next = await a.must("voice:join", { channelId });
  await a.must("voice:leave", { channelId, joinId });
  const roster = () => granted(place.url, "getVoice", { token: ana.token, params: { id: channelId } });
  expect((await roster()).members.map((member) => member.joinId)).toEqual([next.joinId]);
  await a.must("voice:leave", { channelId, joinId: next.joinId });
  expect((await roster()).members).toEqual([]);
});

test("[VO1] a place in another channel ends with the new one; numbers go on where they were", async () => {
  const { ana, leo, server, channelId } = await two(place);
  const other = (await voiceIn(place, server, ana)).id;
  const [a, b] = [await on(ana), await on(leo)];
  const first = await a.must("voice:join", { channelId });
  expect((await a.must("voice:join", { channelId })).joinId).toBe(first.joinId);
  await a.must("voice:join", { channelId: other });
  expect(await a.until("voice:ended")).toEqual({ channelId, joinId: first.joinId, reason: "replaced" });
  await b.until("voice:state", ({ channelId: id, epoch }) => id === channelId && epoch === 2);
  const back = await a.must("voice:join", { channelId });
  expect(back.roster.epoch).toBe(3);
  const { rows } = await place.sql.query(
    "SELECT reason FROM voice_sessions WHERE user_id = $1 ORDER BY joined_at, left_at",
    [ana.id],
  );
  expect(rows.map(({ reason }) => reason)).toEqual(["replaced", "replaced", null]);
});

test("[VO3] text channels, channels one may not view or join, and calls of others are refused", async () => {
  const { ana, leo, server, channelId } = await two(place);
  const [stranger] = (await enroll(place, 1)) as [Person];
  const b = await on(leo);
  const text = server.channels.find(({ type }) => type === "text")?.id ?? channelId;
  expect(await b.ask("voice:join", { channelId: text })).toMatchObject({ error: { code: "invalid_request" } });
  const s = await on(stranger);
  for (const event of ["voice:join", "voice:leave", "call:ring", "call:accept", "call:decline", "call:cancel"] as const)
    expect(await s.ask(event, { channelId }), event).toMatchObject({ error: { code: "not_found" } });
  expect(await call(place.url, "joinVoice", { token: stranger.token, body: { channelId } })).toMatchObject({
    error: { code: expect.stringMatching(/not_found|unavailable/) as string },
  });
  const params = { id: channelId, targetId: leo.id };
  const deny = { type: "member" as const, allow: "0", deny: String(PERMISSIONS.connect) };
  await granted(place.url, "putOverwrite", { token: ana.token, params, body: deny });
  expect(await b.ask("voice:join", { channelId })).toMatchObject({ error: { code: "forbidden" } });
});

test("[VO5] what people say of themselves reaches the others, as far as they may", async () => {
  const { ana, leo, channelId } = await two(place);
  const [a, b] = [await on(ana), await on(leo)];
  const flags = { muted: true, deafened: false, camera: true, screenSharing: false };
  expect(await b.ask("voice:state", flags)).toMatchObject({ error: { code: "conflict" } });
  await b.must("voice:join", { channelId });
  expect((await b.must("voice:state", flags)).member).toMatchObject(flags);
  expect(await a.until("voice:state", ({ member }) => member?.muted === true)).toMatchObject({
    epoch: 1,
    member: { userId: leo.id, ...flags },
  });
  const deny = String(PERMISSIONS.video | PERMISSIONS.shareScreen);
  const params = { id: channelId, targetId: leo.id };
  await granted(place.url, "putOverwrite", { token: ana.token, params, body: { type: "member", allow: "0", deny } });
  expect(await b.ask("voice:state", flags)).toMatchObject({ error: { code: "forbidden" } });
  await b.must("voice:state", { ...flags, camera: false });
});

test("[VO3] [VO5] whoever joins, or changes what they say, all the time is slowed down, and nobody else", async () => {
  const { ana, leo, channelId } = await two(place);
  const [a, b] = [await on(ana), await on(leo)];
  const codes: string[] = [];
  for (let n = 0; n < 35; n += 1) {
    const answer = await a.ask("voice:join", { channelId });
    codes.push(answer.ok ? "in" : answer.error.code);
    if (n < 34) await a.must("voice:leave", { channelId });
  }
  expect(codes.filter((code) => code === "in").length).toBeGreaterThanOrEqual(30);
  expect(codes.at(-1)).toBe("rate_limited");
  await b.must("voice:join", { channelId });
  const flags = { muted: true, deafened: false, camera: false, screenSharing: false };
  const said = await Promise.all(
    Array.from({ length: 40 }, (_, n) => b.ask("voice:state", { ...flags, muted: n % 2 === 0 })),
  );
  const refusals = said.flatMap((answer) => (answer.ok ? [] : answer.error.code));
  expect(new Set(refusals)).toEqual(new Set(["rate_limited"]));
  expect(said.length - refusals.length).toBeGreaterThanOrEqual(20);
  await waitFor("b to be heard again", async () => (await b.ask("voice:state", flags)).ok);
});

test("[VO9] presence tells those who may view the channel where somebody is", async () => {
  const { ana, leo, server, channelId } = await two(place);
  const hidden = await voiceIn(place, server, ana);
  const deny = { type: "role" as const, allow: "0", deny: String(PERMISSIONS.viewChannel) };
  const role = server.roles.find(({ isDefault }) => isDefault)?.id ?? ana.id;
  await granted(place.url, "putOverwrite", { token: ana.token, params: { id: hidden.id, targetId: role }, body: deny });
  const [a, b] = [await on(ana), await on(leo)];
  await a.must("voice:join", { channelId: hidden.id });
  await a.until("presence:update", ({ inVoiceChannel }) => inVoiceChannel === hidden.id);
  await a.must("voice:join", { channelId });
  await b.until("presence:update", ({ userId, inVoiceChannel }) => userId === ana.id && inVoiceChannel === channelId);
  await a.must("voice:leave", { channelId });
  await b.until("presence:update", ({ userId, inVoiceChannel }) => userId === ana.id && inVoiceChannel === null);
  expect(b.received.filter(({ body }) => JSON.stringify(body ?? {}).includes(hidden.id))).toEqual([]);
});

test("[VO9] who is invisible stays so in a voice channel, and keeps what they see of themselves", async () => {
  const { ana, leo, channelId } = await two(place);
  const [a, b] = [await on(ana), await on(leo)];
  await a.must("presence:set", { status: "invisible", customStatus: "hidden" });
  await waitFor("the own status", seesOwnStatus);
  await a.must("voice:join", { channelId });
  const seen = await b.until("presence:update", ({ inVoiceChannel }) => inVoiceChannel === channelId);
  expect(seen).toMatchObject({ userId: ana.id, status: "offline" });
  expect(seen.customStatus).toBeUndefined();
  await a.until("presence:update", ({ inVoiceChannel }) => inVoiceChannel === channelId);
  await waitFor("the own status again", seesOwnStatus);

  function seesOwnStatus(): boolean {
    return a.of("presence:update").findLast(({ userId }) => userId === ana.id)?.customStatus === "hidden";
  }
});

test("[VO13] [VO7] a token admits to the node; the node's word keeps the place, and ends it", async () => {
  const { ana, leo, channelId } = await two(place);
  const sfu = await node();
  const b = await on(leo);
  const joined = await join(place, ana, channelId);
  expect(joined).toMatchObject({ url: place.url, iceServers: [], iceTransportPolicy: "all" });
  const claims = await sfu.admit(joined.token);
  expect(claims).toMatchObject({ sub: ana.id, sid: ana.sessionId, did: null, room: channelId, enc: false });
  expect(claims.rights).toEqual(["speak", "video", "screen", "listen"]);
  await waitFor("the edge to hear of it", async () => {
    const { rows } = await place.sql.query("SELECT due_at FROM voice_sessions WHERE id = $1", [joined.joinId]);
    return rows[0]?.due_at === null;
  });
  sfu.empty(channelId, "lost");
  const gone = await b.until("voice:state", ({ member }) => member === null);
  expect(gone).toMatchObject({ userId: ana.id, joinId: joined.joinId });
  const { rows } = await place.sql.query("SELECT reason FROM voice_sessions WHERE id = $1", [joined.joinId]);
  expect(rows).toEqual([{ reason: "lost" }]);
});

test("[VO7] whoever is on a node without a place is put out", async () => {
  const { ana, channelId } = await two(place);
  const sfu = await node();
  const { token } = await join(place, ana, channelId);
  await (await on(ana)).must("voice:leave", { channelId });
  await sfu.admit(token);
  await waitFor("the edge to put them out", () => sfu.people(channelId).length === 0);
  expect(sfu.of("kick").length).toBeGreaterThan(0);
});

test("[VO10] an encrypted room takes devices only; a plain one takes everyone", async () => {
  const [ana, leo] = (await enroll(place, 2)) as [Person, Person];
  const server = await serverWith(place, ana, [leo]);
  const channelId = (await voiceIn(place, server, ana, true)).id;
  const sfu = await node();
  expect(await call(place.url, "joinVoice", { token: leo.token, body: { channelId } })).toMatchObject({
    error: { code: "device_required" },
  });
  const device = await withDevice(place, leo);
  const joined = await join(place, device, channelId);
  expect(await sfu.admit(joined.token)).toMatchObject({ enc: true, did: device.deviceId });
  expect(joined.roster.members).toMatchObject([{ userId: leo.id, deviceId: device.deviceId }]);
});

test("[VO10] a channel that is made encrypted puts out who has no device, and asks the others back into an encrypted room", async () => {
  const { ana, leo, channelId } = await two(place);
  const sfu = await node();
  const device = await withDevice(place, leo);
  const [a, b] = [await on(ana), await on(device)];
  const joined = await join(place, device, channelId);
  expect(await sfu.admit(joined.token)).toMatchObject({ enc: false });
  await sfu.admit((await join(place, ana, channelId)).token);
  const params = { id: channelId };
  await granted(place.url, "patchChannel", { token: ana.token, params, body: { encrypted: true } });
  expect(sfu.people(channelId)).toEqual([]);
  await a.until("voice:ended", ({ reason }) => reason === "forbidden");
  await b.until("voice:rejoin");
  const again = await join(place, device, channelId, joined.joinId);
  expect(await sfu.admit(again.token)).toMatchObject({ enc: true });
  expect(again).toMatchObject({ joinId: joined.joinId, roster: { members: [{ userId: leo.id }] } });
});

test("[VO6] who is removed, or may no longer join, is off the node when the request is answered", async () => {
  const { ana, leo, server, channelId } = await two(place);
  const sfu = await node();
  const a = await on(ana);
  const { joinId } = await sfu.admit((await join(place, leo, channelId)).token);
  const deny = (bits: bigint) => ({ type: "member" as const, allow: "0", deny: String(bits) });
  const params = { id: channelId, targetId: leo.id };
  await granted(place.url, "putOverwrite", { token: ana.token, params, body: deny(PERMISSIONS.speak) });
  expect(sfu.of("rights").at(-1)).toMatchObject({ joinId, rights: ["video", "screen", "listen"] });
  expect(sfu.people(channelId)).toEqual([leo.id]);
  await granted(place.url, "putOverwrite", { token: ana.token, params, body: deny(PERMISSIONS.connect) });
  expect(sfu.people(channelId)).toEqual([]);
  await a.until("voice:state", ({ member }) => member === null);
  await granted(place.url, "deleteOverwrite", { token: ana.token, params });
  await sfu.admit((await join(place, leo, channelId)).token);
  await granted(place.url, "removeMember", { token: ana.token, params: { id: server.id, userId: leo.id } });
  expect(sfu.people(channelId)).toEqual([]);
});

test("[VO6] a deleted channel and a deleted server leave nobody on a node; an ended session takes its place along", async () => {
  const { ana, leo, server, channelId } = await two(place);
  const sfu = await node();
  await sfu.admit((await join(place, leo, channelId)).token);
  await granted(place.url, "revokeSession", { token: leo.token, params: { id: leo.sessionId } });
  expect(sfu.people(channelId)).toEqual([]);
  await sfu.admit((await join(place, ana, channelId)).token);
  await granted(place.url, "deleteChannel", { token: ana.token, params: { id: channelId } });
  expect(sfu.people(channelId)).toEqual([]);
  const other = (await voiceIn(place, server, ana)).id;
  await sfu.admit((await join(place, ana, other)).token);
  await granted(place.url, "deleteServer", { token: ana.token, params: { id: server.id } });
  expect(sfu.people(other)).toEqual([]);
});

test("[VO6] a sign-in that has just ended takes no place, by a socket that does not know of it yet", async () => {
  const { ana, leo, channelId } = await two(place);
  const [a, b] = [await on(ana), await on(leo)];
  await place.sql.query("DELETE FROM sessions WHERE id = $1", [leo.sessionId]);
  expect(await b.ask("voice:join", { channelId })).toMatchObject({ error: { code: "not_found" } });
  await a.must("voice:join", { channelId });
  const roster = await granted(place.url, "getVoice", { token: ana.token, params: { id: channelId } });
  expect(roster).toMatchObject({ epoch: 1, members: [{ userId: ana.id }] });
});

test("[VO11] [VO12] moderators mute, deafen, disconnect and move, those below them and nobody else", async () => {
  const { ana, leo, server, channelId } = await two(place);
  const other = (await voiceIn(place, server, ana)).id;
  const sfu = await node();
  const b = await on(leo);
  const joined = await join(place, leo, channelId);
  await sfu.admit(joined.token);
  const patch = (by: Person, userId: string, body: object) =>
    call(place.url, "patchVoiceMember", { token: by.token, params: { id: channelId, userId }, body });
  expect(await patch(leo, leo.id, { muted: true })).toMatchObject({ error: { code: "forbidden" } });
  expect(await patch(ana, leo.id, { muted: true })).toMatchObject({ value: { serverMuted: true } });
  expect(sfu.of("rights").at(-1)?.rights).toEqual(["video", "screen", "listen"]);
  await b.until("voice:state", ({ member }) => member?.serverMuted === true);
  // Going and coming back changes nothing of it.
  await b.must("voice:leave", { channelId });
  const again = await join(place, leo, channelId);
  expect((await sfu.admit(again.token)).rights).toEqual(["video", "screen", "listen"]);
  expect(await patch(ana, leo.id, { muted: false, deafened: true })).toMatchObject({ ok: true });
  expect(sfu.of("rights").at(-1)).toMatchObject({ joinId: again.joinId, rights: ["speak", "video", "screen"] });

  expect(await patch(leo, leo.id, { channelId: other })).toMatchObject({ error: { code: "forbidden" } });
  const moved = await patch(ana, leo.id, { channelId: other });
  expect(moved).toMatchObject({ ok: true, value: { userId: leo.id, serverDeafened: true } });
  expect(sfu.of("move").at(-1)).toMatchObject({ joinId: again.joinId, channelId: other });
  const ended = await b.until("voice:ended", ({ reason }) => reason === "moved");
  expect(ended).toMatchObject({ channelId, toChannelId: other });
  const there = await join(place, leo, other, ended.toJoinId);
  expect(there.joinId).toBe(ended.toJoinId);
  await sfu.admit(there.token);
  const remove = (by: Person, userId: string) =>
    call(place.url, "removeVoiceMember", { token: by.token, params: { id: other, userId } });
  expect(await remove(leo, ana.id)).toMatchObject({ error: { code: "forbidden" } });
  expect(await remove(ana, leo.id)).toMatchObject({ status: 204 });
  expect(sfu.people(other)).toEqual([]);
  await b.until("voice:ended", ({ reason }) => reason === "disconnected");
});

test("[VO15] old clients' requests lead to the node of their token", async () => {
  const { ana, channelId } = await two(place);
  await node({ url: "https://sfu.example" });
  const { token } = await join(place, ana, channelId);
  for (const name of ["produce", "consume"]) {
    const response = await fetch(`${place.url}/api/voice/${name}`, {
      method: "POST",
      redirect: "manual",
      headers: { authorization: `Bearer ${token}` },
    });
    expect([response.status, response.headers.get("location")]).toEqual([308, `https://sfu.example/sfu/${name}`]);
  }
  const refused = await fetch(`${place.url}/api/voice/produce`, { method: "POST" });
  expect(refused.status).toBe(401);
});

test("[VO10] the call of a direct conversation is for its people, each with a device", async () => {
  const [ana, leo, zoe] = (await friends(place, 3)) as [DevicePerson, DevicePerson, DevicePerson];
  const sfu = await node();
  const dm = await openDm(place, ana, leo);
  const joined = await join(place, ana, dm.id);
  expect(await sfu.admit(joined.token)).toMatchObject({ enc: true, did: 1, room: dm.id });
  expect((await on(leo)).of("ready")[0]?.voice).toMatchObject([{ channelId: dm.id, members: [{ userId: ana.id }] }]);
  expect((await on(zoe)).of("ready")[0]?.voice).toEqual([]);
  expect(await call(place.url, "joinVoice", { token: zoe.token, body: { channelId: dm.id } })).toMatchObject({
    error: { code: "not_found" },
  });
  const group = await openDm(place, ana, leo, zoe);
  await sfu.admit((await join(place, leo, group.id)).token);
  await granted(place.url, "removeParticipant", { token: ana.token, params: { id: group.id, userId: leo.id } });
  expect(sfu.people(group.id)).toEqual([]);
});
