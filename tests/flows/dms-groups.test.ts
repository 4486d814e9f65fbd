import type { ChannelId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { v7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Connection } from "./kit/connection.ts";
import { befriend, type DevicePerson, friends, withAnotherDevice } from "./kit/devices.ts";
import { openDm, pairwise, said, words } from "./kit/direct.ts";
import { enroll, type Person } from "./kit/people.ts";
import { opener } from "./kit/opener.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { waitFor } from "./kit/wait.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace({ GATEWAY_SHARDS: "2" });
});
afterAll(() => place.stop());

const { on } = opener(() => place);
async function trio(): Promise<[DevicePerson, DevicePerson, DevicePerson]> {
  return (await friends(place, 3)) as [DevicePerson, DevicePerson, DevicePerson];
}
/** A message with one ciphertext for all. */
function forAll(channelId: ChannelId, text: string, versions: [Person, number][]) {
  const listVersions = Object.fromEntries(versions.map(([{ id }, version]) => [id, version]));
  return { channelId, nonce: v7(), content: Buffer.from(text).toString("base64"), listVersions };
}
function remove(by: Person, id: ChannelId, whom: Person) {
  return call(place.url, "removeParticipant", { token: by.token, params: { id, userId: whom.id } });
}
function add(by: Person, id: ChannelId, whom: Person) {
  return call(place.url, "addParticipant", { token: by.token, params: { id, userId: whom.id } });
}

test("[DM13] one ciphertext for all reaches every device but the sending one", async () => {
  const [ada, bob, cleo] = await trio();
  const own = await withAnotherDevice(place, ada);
  const { id } = await openDm(place, ada, bob, cleo);
  const [at, atOwn, atBob, atCleo] = await Promise.all([on(ada), on(own), on(bob), on(cleo)]);
  await at.must(
    "message:send",
    forAll(id, "to all", [
      [ada, 2],
      [bob, 1],
      [cleo, 1],
    ]),
  );
  for (const connection of [atOwn, atBob, atCleo]) {
    await connection.until("message:new");
    expect(said(connection, id)).toMatchObject([{ content: "", encrypted: true, ciphertext: { type: 7 } }]);
    expect(words(said(connection, id)[0])).toBe("to all");
    const { channels } = await connection.must("sync", { channels: { [id]: 0 } });
    expect(channels[id]?.messages).toEqual(said(connection, id));
  }
  await at.until("message:new");
  expect(said(at, id)).toMatchObject([{ ciphertext: null, content: "" }]);
});

test("[DM13] list versions that are not the present ones, too few or too many are refused, and nothing is stored", async () => {
  const [ada, bob, cleo] = await trio();
  const [eve] = await friends(place, 1);
  const { id } = await openDm(place, ada, bob, cleo);
  const at = await on(ada);
  const versions = { [ada.id]: 1, [bob.id]: 1, [cleo.id]: 1 };
  for (const given of [
    [
      [ada, 1],
      [bob, 1],
    ],
    [
      [ada, 1],
      [bob, 1],
      [cleo, 2],
    ],
    [
      [ada, 1],
      [bob, 1],
      [cleo, 1],
      [eve, 1],
    ],
    [],
  ] as [Person, number][][])
    expect(await at.ask("message:send", forAll(id, "x", given))).toMatchObject({
      ok: false,
      error: { code: "devices_changed", details: { versions, missing: [], extra: [] } },
    });
  await withAnotherDevice(place, cleo);
  const stale = await at.ask(
    "message:send",
    forAll(id, "x", [
      [ada, 1],
      [bob, 1],
      [cleo, 1],
    ]),
  );
  expect(stale).toMatchObject({ error: { code: "devices_changed", details: { versions: { [cleo.id]: 2 } } } });
  const sent = await at.must(
    "message:send",
    forAll(id, "x", [
      [ada, 1],
      [bob, 1],
      [cleo, 2],
    ]),
  );
  expect(sent.seq).toBe(1);
});

test("[DM14] a ciphertext for all goes with the last device that waited for it, when all acknowledge at once too", async () => {
  const [ada, bob, cleo] = await trio();
  const { id } = await openDm(place, ada, bob, cleo);
  const [at, atBob, atCleo] = await Promise.all([on(ada), on(bob), on(cleo)]);
  const content = async () => {
    const { rows } = await place.sql.query<{ content: string }>(
      "SELECT content FROM messages WHERE channel_id = $1 ORDER BY seq",
      [id],
    );
    return rows.map((row) => row.content);
  };
  await at.must(
    "message:send",
    forAll(id, "x", [
      [ada, 1],
      [bob, 1],
      [cleo, 1],
    ]),
  );
  await atBob.must("message:received", { channelId: id, seq: 1 });
  expect((await content())[0]).not.toBe("");
  await atCleo.must("message:received", { channelId: id, seq: 1 });
  expect(await content()).toEqual([""]);
  for (let n = 2; n <= 21; n += 1) {
    await at.must(
      "message:send",
      forAll(id, "x", [
        [ada, 1],
        [bob, 1],
        [cleo, 1],
      ]),
    );
    await Promise.all([atBob, atCleo].map((device) => device.must("message:received", { channelId: id, seq: n })));
  }
  expect(new Set(await content())).toEqual(new Set([""]));
});

test("[DM4] everyone is told who comes and goes", async () => {
  const [ada, bob, cleo] = await trio();
  const [dan] = (await friends(place, 1)) as [DevicePerson];
  await befriend(place, [ada, dan]);
  const { id } = await openDm(place, ada, bob, cleo);
  const [atAda, atBob, atDan] = await Promise.all([on(ada), on(bob), on(dan)]);
  expect(await add(ada, id, dan)).toMatchObject({ ok: true, status: 200 });
  expect((await atDan.until("dm:created")).channel).toMatchObject({ id, type: "group_dm" });
  const told = await atBob.until("dm:updated", ({ participants }) => participants.length === 4);
  expect(told).toMatchObject({ channelId: id, ownerId: ada.id });
  expect(await remove(ada, id, dan)).toMatchObject({ ok: true, status: 204 });
  expect(await atDan.until("dm:removed")).toEqual({ channelId: id });
  await atBob.until("dm:updated", ({ participants }) => participants.length === 3);
  expect(await remove(ada, id, ada)).toMatchObject({ ok: true });
  await atAda.until("dm:removed");
  await atBob.until("dm:updated", ({ ownerId, participants }) => ownerId === null && participants.length === 2);
});

test("[DM6] who made a group removes people, everyone may leave, the last one takes it with them", async () => {
  const [ada, bob, cleo] = await trio();
  const { id } = await openDm(place, ada, bob, cleo);
  expect(await remove(bob, id, cleo)).toMatchObject({ status: 403, error: { code: "forbidden" } });
  expect(await remove(bob, id, bob)).toMatchObject({ ok: true });
  expect(await remove(ada, id, bob)).toMatchObject({ error: { code: "not_found" } });
  expect(await remove(bob, id, cleo)).toMatchObject({ error: { code: "not_found" } });
  expect(await remove(ada, id, ada)).toMatchObject({ ok: true });
  expect(await remove(cleo, id, cleo)).toMatchObject({ ok: true });
  const { rows } = await place.sql.query("SELECT FROM channels WHERE id = $1", [id]);
  expect(rows).toHaveLength(0);
  expect(await add(cleo, id, ada)).toMatchObject({ error: { code: "not_found" } });
});

test("[DM6] a group has at most 25 people, however many are added at once", async () => {
  const people = await enroll(place, 30);
  await befriend(place, people);
  const [ada] = people as [Person];
  const { id } = await openDm(place, ada, ...people.slice(1, 20));
  const answers = await Promise.all(people.slice(20).map((person) => add(ada, id, person)));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(LIMITS.dmPeople - 20);
  for (const answer of answers) if (!answer.ok) expect(answer.error.code).toBe("limit_reached");
  const tooMany = { userIds: people.slice(1, 26).map((person) => person.id) };
  expect(await call(place.url, "openDm", { token: ada.token, body: tooMany })).toMatchObject({
    error: { code: "invalid_request" },
  });
});

test("[DM2] nobody is added whom the adding one may not reach", async () => {
  const [ada, bob, cleo] = await trio();
  const [stranger] = (await enroll(place, 1)) as [Person];
  const { id } = await openDm(place, ada, bob, cleo);
  expect(await add(ada, id, stranger)).toMatchObject({ status: 404, error: { code: "not_found" } });
  expect(await add(stranger, id, stranger)).toMatchObject({ status: 404, error: { code: "not_found" } });
});

test("[DM7] who is removed sends and receives nothing from the answer on, while others write all the time", async () => {
  const [ada, bob, cleo] = await trio();
  const { id } = await openDm(place, ada, bob, cleo);
  const [at, atBob, atCleo] = await Promise.all([on(ada), on(bob), on(cleo)]);
  let to = [bob, cleo];
  const end = new AbortController();
  let sent = 0;
  const writing = (async () => {
    for (let n = 0; !end.signal.aborted; n += 1) {
      const answers = await Promise.all([
        at.ask("message:send", pairwise(id, `m${n}`, ...to)),
        at.ask(
          "message:send",
          forAll(id, `g${n}`, [[ada, 1], [bob, 1], ...(to.length === 2 ? [[cleo, 1] as [Person, number]] : [])]),
        ),
      ]);
      for (const answer of answers) {
        if (answer.ok) sent += 1;
        else if (answer.error.code === "devices_changed") to = [bob];
        else throw new Error(answer.error.code);
      }
    }
  })();
  const shouting = (async () => {
    const after: boolean[] = [];
    while (!end.signal.aborted) after.push((await atCleo.ask("message:send", pairwise(id, "me too", ada, bob))).ok);
    return after;
  })();
  await waitFor("some messages", () => said(atCleo, id).length > 10);
  expect(await remove(ada, id, cleo)).toMatchObject({ ok: true });
  const seen = atCleo.received.length;
  const asked = await atCleo.ask("message:send", pairwise(id, "still here", ada, bob));
  expect(asked).toMatchObject({ ok: false, error: { code: "not_found" } });
  const before = sent;
  await waitFor("messages without them", () => to.length === 1 && sent > before + 10);
  end.abort();
  await Promise.all([writing, shouting]);
  expect(atCleo.received.slice(seen).filter(({ event }) => event === "message:new")).toEqual([]);
  expect(await atCleo.must("sync", { channels: { [id]: 0 } })).toMatchObject({ channels: {} });
  const { rows } = await place.sql.query("SELECT FROM dm_messages WHERE channel_id = $1 AND user_id = $2", [
    id,
    cleo.id,
  ]);
  expect(rows).toHaveLength(0);
  const seqs = said(atBob, id).map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.map((_, n) => n + 1));
});

test("[DM7] who is added sees what comes after, and nothing from before", async () => {
  const [ada, bob, cleo] = await trio();
  const [dan] = (await friends(place, 1)) as [DevicePerson];
  await befriend(place, [bob, dan]);
  const { id } = await openDm(place, ada, bob, cleo);
  const at = await on(ada);
  const { id: before } = await at.must("message:send", pairwise(id, "before", bob, cleo));
  await add(bob, id, dan);
  expect(await at.ask("message:send", pairwise(id, "without dan", bob, cleo))).toMatchObject({
    error: { code: "devices_changed", details: { missing: [{ userId: dan.id, deviceId: 1 }] } },
  });
  await at.must("message:send", pairwise(id, "after", bob, cleo, dan));
  await at.must("message:delete", { channelId: id, messageId: before });
  const atDan = await on(dan);
  expect(atDan.of("ready")[0]?.dms).toMatchObject([{ id, readSeq: 1, lastSeq: 3 }]);
  const { channels } = await atDan.must("sync", { channels: { [id]: 0 } });
  expect(channels[id]?.messages.map(words)).toEqual([`after for ${dan.id} 1`]);
  for (const query of [{}, { after: "0" }, { before: "3" }]) {
    const page = await granted(place.url, "listMessages", { token: dan.token, params: { id }, query });
    expect(page.messages.map(words)).toEqual([`after for ${dan.id} 1`]);
  }
});

test("[DM13] a group of 25 people with two devices each", async () => {
  const people = await friends(place, 25);
  const second = await Promise.all(people.map((person) => withAnotherDevice(place, person)));
  const [ada, ...others] = people as [DevicePerson, ...DevicePerson[]];
  const { id } = await openDm(place, ada, ...others);
  const connections = await Promise.all([...others, ...second].map((person) => on(person)));
  const at = await on(ada);
  const versions = people.map((person) => [person, 2] as [Person, number]);
  const times: number[] = [];
  for (let n = 0; n < 20; n += 1) {
    const startedMs = performance.now();
    await at.must("message:send", forAll(id, `m${n}`, versions));
    times.push(performance.now() - startedMs);
  }
  console.log(
    `one ciphertext for 49 devices: acknowledged after p50 ${times.toSorted((a, b) => a - b)[10]?.toFixed(1)} ms`,
  );
  await Promise.all(connections.map((connection) => waitFor("all of them", () => said(connection, id).length === 20)));
  for (const connection of connections)
    expect(said(connection, id).map(words)).toEqual(Array.from({ length: 20 }, (_, n) => `m${n}`));
  const startedMs = performance.now();
  await at.must("message:send", pairwise(id, "each", ...others, ...second));
  console.log(`49 ciphertexts for 49 devices: acknowledged after ${(performance.now() - startedMs).toFixed(1)} ms`);
  await waitFor("it", () => said(connections[7] as Connection, id).length === 21);
});
