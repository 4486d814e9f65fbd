import type { ChannelId } from "@lescopains/protocol/ids";
import { afterAll, beforeAll, expect, test } from "vitest";
import { v7 } from "uuid";
import type { Connection } from "./kit/connection.ts";
import { befriend, type DevicePerson, friends, signedList, withAnotherDevice, withDevice } from "./kit/devices.ts";
import { openDm, pairwise, said, sealedFor, words } from "./kit/direct.ts";
import { enroll, type Person, register, serverWith, textChannel } from "./kit/people.ts";
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
const nameless = ({ token }: Person): Promise<Connection> => on({ token });
async function pair(): Promise<[DevicePerson, DevicePerson]> {
  return (await friends(place, 2)) as [DevicePerson, DevicePerson];
}
function history(person: Person, id: ChannelId) {
  return granted(place.url, "listMessages", { token: person.token, params: { id } });
}

test("[DM1] two people who open it at once, many times, have one conversation; one 201, the others 200", async () => {
  const [ada, bob] = await pair();
  const ask = (by: Person, other: Person) =>
    call(place.url, "openDm", { token: by.token, body: { userIds: [other.id] } });
  const answers = await Promise.all(
    Array.from({ length: 16 }, (_, n) => (n % 2 === 0 ? ask(ada, bob) : ask(bob, ada))),
  );
  expect(new Set(answers.map((answer) => answer.ok && answer.value.id)).size).toBe(1);
  expect(answers.map(({ status }) => status).filter((status) => status === 201)).toEqual([201]);
  const [first] = answers;
  expect(first?.ok && first.value).toMatchObject({
    type: "dm",
    encrypted: true,
    serverId: null,
    lastSeq: 0,
    readSeq: 0,
  });
  expect(first?.ok && first.value.participants.map(({ id }) => id)).toEqual([ada.id, bob.id].toSorted());
});

test("[DM1] one opens 60 conversations an hour; finding one that is there is not counted", async () => {
  const people = await enroll(place, 66);
  await befriend(place, people);
  const [ada, ...others] = people as [Person, ...Person[]];
  const ask = (other: Person | undefined) =>
    call(place.url, "openDm", { token: ada.token, body: { userIds: other === undefined ? [] : [other.id] } });
  const answers = await Promise.all(others.map(ask));
  const made = answers.filter(({ status }) => status === 201).length;
  expect(made).toBeGreaterThanOrEqual(60);
  expect(made).toBeLessThan(65);
  for (const answer of answers) if (!answer.ok) expect(answer.error.code).toBe("rate_limited");
  const there = others.filter((_, n) => answers[n]?.ok);
  for (let n = 0; n < 70; n += 1) expect(await ask(there[n % there.length])).toMatchObject({ status: 200 });
});

test("[DM1] a group is new each time", async () => {
  const [ada, bob, cleo] = (await friends(place, 3)) as [DevicePerson, DevicePerson, DevicePerson];
  const [one, two] = [await openDm(place, ada, bob, cleo), await openDm(place, ada, bob, cleo)];
  expect(one.id).not.toBe(two.id);
  expect(one).toMatchObject({ type: "group_dm", encrypted: true, ownerId: ada.id });
});

test("[DM2] with a stranger, oneself, nobody or who is blocked there is no conversation", async () => {
  const [ada, bob, stranger] = (await enroll(place, 3)) as [Person, Person, Person];
  await befriend(place, [ada, bob]);
  const ask = (...others: Person[]) =>
    call(place.url, "openDm", { token: ada.token, body: { userIds: others.map(({ id }) => id) } });
  expect(await ask(stranger)).toMatchObject({ status: 404, error: { code: "not_found" } });
  expect(await ask(bob, stranger)).toMatchObject({ error: { code: "not_found" } });
  expect(await ask(ada)).toMatchObject({ error: { code: "invalid_request" } });
  expect(await ask({ ...bob, id: v7() as never })).toMatchObject({ error: { code: "not_found" } });
  await place.sql.query("UPDATE friendships SET status = 'blocked' WHERE user_id = $1", [bob.id]);
  expect(await ask(bob)).toMatchObject({ error: { code: "not_found" } });
});

test("[DM2] who was blocked sends nothing into the conversation that is there", async () => {
  const [ada, bob] = await pair();
  const { id } = await openDm(place, ada, bob);
  await place.sql.query("UPDATE friendships SET status = 'blocked' WHERE user_id = $1", [bob.id]);
  for (const [from, to] of [
    [ada, bob],
    [bob, ada],
  ] as const)
    expect(await (await on(from)).ask("message:send", pairwise(id, "hi", to))).toMatchObject({
      ok: false,
      error: { code: "forbidden" },
    });
  expect((await history(ada, id)).messages).toEqual([]);
});

test("[DM3] plain messages, edits, typing and what stands beside a ciphertext are refused; nothing is stored", async () => {
  const [ada, bob] = await pair();
  const { id: channelId } = await openDm(place, ada, bob);
  const at = await on(ada);
  const message = pairwise(channelId, "hi", bob);
  const sent = await at.must("message:send", message);
  const refused = (code: string) => expect.objectContaining({ ok: false, error: expect.objectContaining({ code }) });
  const plain = { channelId, content: "canari", nonce: "p" };
  const ask = (more: object) => at.ask("message:send", { ...pairwise(channelId, "hi", bob), ...more });
  expect(await at.ask("message:send", plain)).toEqual(refused("encryption_required"));
  expect(await at.ask("message:send", { ...plain, encrypted: true })).toEqual(refused("encryption_required"));
  expect(await at.ask("reaction:add", { channelId, messageId: sent.id, emoji: "👍" })).toMatchObject({
    error: { code: "encryption_required" },
  });
  expect(await at.ask("message:edit", { channelId, messageId: sent.id, content: "x" })).toEqual(
    refused("encryption_required"),
  );
  expect(await at.ask("typing:start", { channelId })).toEqual(refused("encryption_required"));
  expect(await ask({ metadata: { a: 1 } })).toEqual(refused("invalid_request"));
  expect(await ask({ replyTo: sent.id })).toEqual(refused("invalid_request"));
  expect(await ask({ content: "both" })).toEqual(refused("invalid_request"));
  expect(await ask({ listVersions: {} })).toEqual(refused("invalid_request"));
  expect(
    await at.ask("message:send", {
      channelId,
      nonce: "s",
      content: "AA==",
      listVersions: { [ada.id]: 1, [bob.id]: 1 },
    }),
  ).toEqual(refused("invalid_request"));
  const without = await nameless(ada);
  expect(await without.ask("message:send", pairwise(channelId, "hi", bob))).toEqual(refused("device_required"));
  expect(await without.ask("message:received", { channelId, seq: 1 })).toEqual(refused("device_required"));
  const { messages, lastSeq } = await history(ada, channelId);
  expect(messages.map(({ id }) => id)).toEqual([sent.id]);
  expect(lastSeq).toBe(1);
  const server = await serverWith(place, ada);
  const inServer = { ...pairwise(textChannel(server).id, "hi", bob) };
  expect(await at.ask("message:send", inServer)).toEqual(refused("invalid_request"));
  expect(await at.ask("message:send", { ...inServer, ephemeral: true })).toEqual(refused("invalid_request"));
  expect(await at.ask("message:received", { channelId: inServer.channelId, seq: 1 })).toEqual(
    refused("invalid_request"),
  );
});

test("[DM4] both are told, and it stands in ready and in the list", async () => {
  const [ada, bob] = await pair();
  const [atAda, atBob] = [await on(ada), await on(bob)];
  const channel = await openDm(place, ada, bob);
  expect((await atAda.until("dm:created")).channel).toEqual(channel);
  expect((await atBob.until("dm:created")).channel).toEqual(channel);
  await atAda.must("message:send", pairwise(channel.id, "hi", bob));
  const [ready] = (await on(bob)).of("ready");
  expect(ready?.dms).toMatchObject([{ id: channel.id, lastSeq: 1, readSeq: 0 }]);
  const { channels } = await granted(place.url, "listDms", { token: bob.token });
  expect(channels).toEqual(ready?.dms);
  await atBob.must("read:mark", { channelId: channel.id, seq: 1 });
  expect((await on(bob)).of("ready")[0]?.dms).toMatchObject([{ id: channel.id, readSeq: 1 }]);
});

test("[DM5] to an outsider there is no such conversation", async () => {
  const [ada, bob, eve] = (await friends(place, 3)) as [DevicePerson, DevicePerson, DevicePerson];
  const { id: channelId } = await openDm(place, ada, bob);
  const [atAda, atEve] = [await on(ada), await on(eve)];
  const { id: messageId } = await atAda.must("message:send", pairwise(channelId, "secret", bob));
  const hidden = { ok: false, error: { code: "not_found" } };
  for (const answer of await Promise.all([
    atEve.ask("message:send", pairwise(channelId, "hi", ada, bob)),
    atEve.ask("message:send", { ...pairwise(channelId, "hi", ada, bob), ephemeral: true }),
    atEve.ask("message:send", { channelId, content: "AA==", nonce: "n", listVersions: { [ada.id]: 1, [bob.id]: 1 } }),
    atEve.ask("message:edit", { channelId, messageId, content: "x" }),
    atEve.ask("message:delete", { channelId, messageId }),
    atEve.ask("message:received", { channelId, seq: 1 }),
    atEve.ask("typing:start", { channelId }),
    atEve.ask("read:mark", { channelId, seq: 1 }),
  ]))
    expect(answer).toMatchObject(hidden);
  expect(await atEve.must("sync", { channels: { [channelId]: 0 } })).toMatchObject({ channels: {} });
  const { token } = eve;
  for (const answer of [
    await call(place.url, "listMessages", { token, params: { id: channelId } }),
    await call(place.url, "patchChannel", { token, params: { id: channelId }, body: { name: "x" } }),
    await call(place.url, "deleteChannel", { token, params: { id: channelId } }),
    await call(place.url, "addParticipant", { token, params: { id: channelId, userId: ada.id } }),
    await call(place.url, "removeParticipant", { token, params: { id: channelId, userId: ada.id } }),
    await call(place.url, "deleteChannel", { token: ada.token, params: { id: channelId } }),
    await call(place.url, "patchChannel", { token: ada.token, params: { id: channelId }, body: { name: "x" } }),
  ])
    expect(answer).toMatchObject({ status: 404, ...hidden });
  expect(atEve.received.filter(({ event }) => event.startsWith("message") || event.startsWith("dm"))).toEqual([]);
});

test("[DM6] a conversation of two is neither left nor added to", async () => {
  const [ada, bob, cleo] = (await friends(place, 3)) as [DevicePerson, DevicePerson, DevicePerson];
  const { id } = await openDm(place, ada, bob);
  for (const name of ["addParticipant", "removeParticipant"] as const)
    for (const userId of [cleo.id, ada.id])
      expect((await call(place.url, name, { token: ada.token, params: { id, userId } })).ok).toBe(
        name === "addParticipant" && userId === ada.id,
      );
  expect((await granted(place.url, "listDms", { token: bob.token })).channels[0]?.participants).toHaveLength(2);
});

test("[DM11] a message for other devices than those of now is refused, says which, and is nowhere", async () => {
  const [ada, bob] = await pair();
  const second = await withAnotherDevice(place, bob);
  const own = await withAnotherDevice(place, ada);
  const { id: channelId } = await openDm(place, ada, bob);
  const [at, atBob] = [await on(ada), await on(bob)];
  const unknown = { ...bob, deviceId: 9 };
  const cases = [
    { to: [bob, second], missing: [own], extra: [] },
    { to: [bob, second, own, unknown], missing: [], extra: [unknown] },
    { to: [bob, second, own, ada], missing: [], extra: [ada] },
    { to: [], missing: [bob, own, second], extra: [] },
  ];
  for (const { to, missing, extra } of cases) {
    const answer = await at.ask("message:send", pairwise(channelId, "hi", ...to));
    if (answer.ok) throw new Error("it was stored");
    const { code, details = {} } = answer.error;
    expect(code).toBe("devices_changed");
    const addresses = (devices: readonly DevicePerson[]) =>
      expect.arrayContaining(devices.map((one) => ({ userId: one.id, deviceId: one.deviceId })));
    expect(details).toEqual({
      missing: addresses(missing),
      extra: addresses(extra),
      versions: { [ada.id]: 2, [bob.id]: 2 },
    });
    expect((details["missing"] as unknown[]).length).toBe(missing.length);
    expect((details["extra"] as unknown[]).length).toBe(extra.length);
  }
  await at.must("message:send", pairwise(channelId, "hi", bob, second, own));
  await atBob.until("message:new");
  expect(said(atBob, channelId).map(({ seq }) => seq)).toEqual([1]);
});

test("[DM11] with nobody else's device there nothing is sent", async () => {
  const [first, other] = (await enroll(place, 2)) as [Person, Person];
  await befriend(place, [first, other]);
  const ada = await withDevice(place, first);
  const { id: channelId } = await openDm(place, ada, other);
  const at = await on(ada);
  expect(await at.ask("message:send", pairwise(channelId, "hi"))).toMatchObject({ error: { code: "conflict" } });
  const bob = await withDevice(place, other);
  await at.must("message:send", pairwise(channelId, "hi", bob));
});

test("[DM12] each device gets its own ciphertext, live, by sync and in history; no other connection gets any", async () => {
  const [ada, bob] = await pair();
  const [own, second] = [await withAnotherDevice(place, ada), await withAnotherDevice(place, bob)];
  const { id: channelId } = await openDm(place, ada, bob);
  const [at, atOwn, atBob, atSecond] = await Promise.all([on(ada), on(own), on(bob), on(second)]);
  const without = await nameless(bob);
  const message = pairwise(channelId, "canari-7f3a", own, bob, second);
  const sent = await at.must("message:send", message);
  for (const [connection, person] of [
    [atOwn, own],
    [atBob, bob],
    [atSecond, second],
  ] as const) {
    await connection.until("message:new");
    const [live] = said(connection, channelId);
    expect(live).toMatchObject({
      id: sent.id,
      seq: 1,
      authorId: ada.id,
      senderDeviceId: 1,
      content: "",
      encrypted: true,
    });
    expect(words(live)).toBe(`canari-7f3a for ${person.id} ${person.deviceId}`);
    const { channels } = await connection.must("sync", { channels: { [channelId]: 0 } });
    expect(channels[channelId]?.messages).toEqual([live]);
    expect((await history(person, channelId)).messages).toEqual([live]);
  }
  for (const connection of [at, without]) {
    await connection.until("message:new");
    expect(said(connection, channelId)).toMatchObject([{ id: sent.id, ciphertext: null, content: "" }]);
    const { channels } = await connection.must("sync", { channels: { [channelId]: 0 } });
    expect(channels[channelId]?.messages).toMatchObject([{ ciphertext: null, content: "" }]);
  }
  const { rows } = await place.sql.query<{ row: string }>(
    "SELECT to_jsonb(m)::text AS row FROM messages m WHERE id = $1",
    [sent.id],
  );
  expect(rows[0]?.row).not.toContain("canari");
  expect(place.log()).not.toContain("canari");
});

test("[DM14] what a device has acknowledged is gone for it, and for no other", async () => {
  const [ada, bob] = await pair();
  const second = await withAnotherDevice(place, bob);
  const { id: channelId } = await openDm(place, ada, bob);
  const [at, atBob, atSecond] = [await on(ada), await on(bob), await on(second)];
  for (let n = 0; n < 3; n += 1) await at.must("message:send", pairwise(channelId, `m${n}`, bob, second));
  await atBob.must("message:received", { channelId, seq: 2 });
  const seen = async (connection: Connection) =>
    (await connection.must("sync", { channels: { [channelId]: 0 } })).channels[channelId]?.messages.map(words);
  expect(await seen(atBob)).toEqual([null, null, `m2 for ${bob.id} 1`]);
  expect(await seen(atSecond)).toEqual([0, 1, 2].map((n) => `m${n} for ${bob.id} 2`));
  const { rows } = await place.sql.query(
    "SELECT device_id, count(*)::int AS n FROM dm_messages WHERE channel_id = $1 GROUP BY 1 ORDER BY 1",
    [channelId],
  );
  expect(rows).toEqual([
    { device_id: 1, n: 1 },
    { device_id: 2, n: 3 },
  ]);
});

test("[DM14] what nobody fetched goes after 30 days, a ciphertext for all too", async () => {
  const [ada, bob, cleo] = (await friends(place, 3)) as [DevicePerson, DevicePerson, DevicePerson];
  const { id: channelId } = await openDm(place, ada, bob, cleo);
  const at = await on(ada);
  await at.must("message:send", pairwise(channelId, "old", bob, cleo));
  const listVersions = { [ada.id]: 1, [bob.id]: 1, [cleo.id]: 1 };
  await at.must("message:send", { channelId, content: "AA==", nonce: "old", listVersions });
  await at.must("message:send", { channelId, content: "AQ==", nonce: "new", listVersions });
  const waiting = async () => {
    const { rows } = await place.sql.query<{ seq: string }>(
      "SELECT DISTINCT seq FROM dm_messages WHERE channel_id = $1 ORDER BY 1",
      [channelId],
    );
    return rows.map(({ seq }) => Number(seq));
  };
  expect(await waiting()).toEqual([1, 2, 3]);
  await place.sql.query(
    "UPDATE dm_messages SET created_at = now() - interval '30 days 1 minute' WHERE channel_id = $1 AND seq < 3",
    [channelId],
  );
  await waitFor("the sweep", async () => (await waiting()).length === 1, 40_000);
  const { rows } = await place.sql.query("SELECT content FROM messages WHERE channel_id = $1 ORDER BY seq", [
    channelId,
  ]);
  expect(rows).toEqual([{ content: "" }, { content: "" }, { content: "AQ==" }]);
});

test("[DM15] a nonce is answered with its first result, also when the devices have changed since", async () => {
  const [ada, bob] = await pair();
  const { id: channelId } = await openDm(place, ada, bob);
  const [at, atBob] = [await on(ada), await on(bob)];
  const message = pairwise(channelId, "once", bob);
  const answers = await Promise.all(Array.from({ length: 8 }, () => at.must("message:send", message)));
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  await withAnotherDevice(place, bob);
  expect(await at.must("message:send", message)).toEqual(answers[0]);
  await atBob.until("message:new");
  expect(said(atBob, channelId)).toHaveLength(1);
});

test("[DM16] an ephemeral message reaches the devices that are connected, and is nowhere afterwards", async () => {
  const [ada, bob] = await pair();
  const second = await withAnotherDevice(place, bob);
  const { id: channelId } = await openDm(place, ada, bob);
  const [at, atBob, without] = [await on(ada), await on(bob), await nameless(bob)];
  const message = { ...pairwise(channelId, "typing", bob, second), ephemeral: true };
  expect(await at.must("message:send", message)).toMatchObject({ seq: 0 });
  const event = await atBob.until("message:ephemeral");
  expect(event).toMatchObject({ channelId, authorId: ada.id, senderDeviceId: 1, nonce: message.nonce });
  expect(words(event)).toBe(`typing for ${bob.id} 1`);
  expect(await at.ask("message:send", { ...pairwise(channelId, "typing", bob), ephemeral: true })).toMatchObject({
    error: { code: "devices_changed" },
  });
  await at.must("message:send", pairwise(channelId, "real", bob, second));
  await without.until("message:new");
  expect(without.of("message:ephemeral")).toEqual([]);
  expect(at.of("message:ephemeral")).toEqual([]);
  expect(said(atBob, channelId).map(({ seq }) => seq)).toEqual([1]);
  const { rows } = await place.sql.query("SELECT FROM dm_messages WHERE channel_id = $1", [channelId]);
  expect(rows).toHaveLength(2);
});

test("[DM17] only its author deletes a message, with its ciphertexts", async () => {
  const [ada, bob] = await pair();
  const { id: channelId } = await openDm(place, ada, bob);
  const [at, atBob] = [await on(ada), await on(bob)];
  const { id: messageId } = await at.must("message:send", pairwise(channelId, "oops", bob));
  expect(await atBob.ask("message:delete", { channelId, messageId })).toMatchObject({ error: { code: "not_found" } });
  await at.must("message:delete", { channelId, messageId });
  expect(await atBob.until("message:deleted")).toMatchObject({ id: messageId, seq: 2 });
  const { rows } = await place.sql.query("SELECT FROM dm_messages WHERE channel_id = $1", [channelId]);
  expect(rows).toHaveLength(0);
  expect((await history(bob, channelId)).messages).toMatchObject([{ deleted: true, ciphertext: null }]);
});

test("[DM18] a revoked device receives nothing from the answer on, while others write all the time", async () => {
  const [ada, bob] = await pair();
  const lost = await withAnotherDevice(place, bob);
  const { id: channelId } = await openDm(place, ada, bob);
  const [at, atLost] = [await on(ada), await on(lost)];
  let devices = [bob, lost];
  const end = new AbortController();
  const stored: number[] = [];
  const writing = (async () => {
    for (let n = 0; !end.signal.aborted; n += 1) {
      const answer = await at.ask("message:send", pairwise(channelId, `m${n}`, ...devices));
      if (answer.ok) stored.push(answer.seq);
      else if (answer.error.code === "devices_changed") devices = [bob];
      else if (answer.error.code !== "unavailable") throw new Error(answer.error.code);
    }
  })();
  await waitFor("some messages", () => said(atLost, channelId).length > 5);
  const deviceList = { userId: bob.id, version: 3, devices: [bob.device] };
  await granted(place.url, "putDevices", { token: bob.token, body: await signedList(bob.identity, deviceList) });
  const atAnswer = atLost.received.length;
  await waitFor(
    "messages without it",
    () => devices.length === 1 && stored.length > said(atLost, channelId).length + 5,
  );
  end.abort();
  await writing;
  await waitFor("its end", () => atLost.closes.length > 0);
  expect(atLost.received.slice(atAnswer).filter(({ event }) => event === "message:new")).toEqual([]);
  expect(stored).toEqual(stored.map((_, n) => n + 1));
  const { rows } = await place.sql.query("SELECT FROM dm_messages WHERE user_id = $1 AND device_id = 2", [bob.id]);
  expect(rows).toHaveLength(0);
  expect(
    await at.ask("message:send", {
      ...pairwise(channelId, "x"),
      ciphertexts: [sealedFor(bob, "x"), sealedFor(lost, "x")],
    }),
  ).toMatchObject({
    error: { code: "devices_changed" },
  });
});

test("[DM19] who was away gets all 500 messages on each device", async () => {
  const [ada, bob] = await pair();
  const second = await withAnotherDevice(place, bob);
  const { id: channelId } = await openDm(place, ada, bob);
  // One connection may not send so much at once.
  const sockets = await Promise.all(Array.from({ length: 5 }, () => on(ada)));
  const startedMs = performance.now();
  const longest: number[] = [];
  for (let from = 0; from < 500; from += 20)
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const sentMs = performance.now();
        await sockets[n % 5]?.must("message:send", pairwise(channelId, `m${from + n}`, bob, second));
        longest.push(performance.now() - sentMs);
      }),
    );
  console.log(
    `500 direct messages to 2 devices in ${Math.round(performance.now() - startedMs)} ms, 20 at a time: p50 ${Math.round(longest.toSorted((a, b) => a - b)[250] ?? 0)} ms`,
  );
  const at = await on(ada);
  const alone: number[] = [];
  for (let n = 0; n < 100; n += 1) {
    const sentMs = performance.now();
    await at.must("message:send", pairwise(channelId, `n${n}`, bob, second));
    alone.push(performance.now() - sentMs);
  }
  console.log(`one at a time: p50 ${alone.toSorted((a, b) => a - b)[50]?.toFixed(1)} ms`);
  for (const person of [bob, second]) {
    const connection = await on(person);
    const seen: (string | null)[] = [];
    for (let more = true, since = 0; more;) {
      const answer = (await connection.must("sync", { channels: { [channelId]: since } })).channels[channelId];
      seen.push(...(answer?.messages ?? []).map(words));
      since = answer?.messages.at(-1)?.changedSeq ?? since;
      more = answer?.more ?? false;
    }
    expect(new Set(seen).size).toBe(600);
    expect(seen.every((one) => one?.endsWith(` for ${person.id} ${person.deviceId}`))).toBe(true);
  }
});

test("[DM19] what was stored without the actor learning of it is told before the next message, to each device its own", async () => {
  const [ada, bob] = await pair();
  const second = await withAnotherDevice(place, bob);
  const { id: channelId } = await openDm(place, ada, bob);
  const [at, atBob, atSecond] = [await on(ada), await on(bob), await on(second)];
  await at.must("message:send", pairwise(channelId, "first", bob, second));
  // As when the answer of PostgreSQL is lost: two more are there.
  await place.sql.query("UPDATE channels SET last_seq = 3 WHERE id = $1", [channelId]);
  for (const seq of [2, 3]) {
    await place.sql.query(
      `INSERT INTO messages (id, channel_id, seq, changed_seq, author_id, sender_device_id, nonce, content, encrypted)
       VALUES ($1, $2, $3::bigint, $3::bigint, $4, 1, 'lost ' || $3::bigint, '', true)`,
      [v7(), channelId, seq, ada.id],
    );
    for (const device of [bob, second]) {
      const body = Buffer.from(`lost ${seq} for ${device.deviceId}`);
      await place.sql.query("INSERT INTO dm_messages VALUES ($1, $2, $3, $4, $5, 2, $6)", [
        channelId,
        seq,
        bob.id,
        device.deviceId,
        ada.id,
        body,
      ]);
    }
  }
  await at.must("message:send", pairwise(channelId, "last", bob, second));
  for (const connection of [atBob, atSecond])
    await connection.until("message:new", (message) => words(message)?.startsWith("last") === true);
  expect(said(atBob, channelId).map(words)).toEqual([
    `first for ${bob.id} 1`,
    "lost 2 for 1",
    "lost 3 for 1",
    `last for ${bob.id} 1`,
  ]);
  expect(said(atSecond, channelId).map(words).slice(1, 3)).toEqual(["lost 2 for 2", "lost 3 for 2"]);
});

test("[DM18] an account that goes leaves its conversations to the others", async () => {
  const [bob, cleo] = await pair();
  const registered = await register(place);
  await befriend(place, [bob, cleo, registered]);
  const ada = await withDevice(place, registered);
  const dm = await openDm(place, ada, bob);
  const group = await openDm(place, ada, bob, cleo);
  const [at, atBob] = [await on(ada), await on(bob)];
  await at.must("message:send", pairwise(dm.id, "hi", bob));
  await at.must("message:send", pairwise(group.id, "hi", bob, cleo));
  await at.must("keys:send", { messages: [{ toUserId: bob.id, toDeviceId: 1, type: 2, body: "AA==" }] });
  await granted(place.url, "deleteSelf", { token: ada.token, body: { password: registered.password } });
  await waitFor("its sockets to end", () => at.closes.length > 0);
  expect(await atBob.ask("message:send", pairwise(dm.id, "hello?", ada))).toMatchObject({
    error: { code: "devices_changed", details: { extra: [{ userId: ada.id, deviceId: 1 }] } },
  });
  expect(await atBob.ask("message:send", pairwise(dm.id, "hello?"))).toMatchObject({ error: { code: "conflict" } });
  await atBob.must("message:send", pairwise(group.id, "she left", cleo));
  const { channels } = await granted(place.url, "listDms", { token: bob.token });
  expect(channels.find(({ id }) => id === group.id)).toMatchObject({ ownerId: null });
  expect(channels.flatMap(({ participants }) => participants).map(({ id }) => id)).not.toContain(ada.id);
  expect((await history(bob, dm.id)).messages).toMatchObject([{ authorId: null, ciphertext: { type: 2 } }]);
  const { rows } = await place.sql.query("SELECT queued FROM devices WHERE user_id = $1", [bob.id]);
  expect(rows).toEqual([{ queued: 0 }]);
});
