import { randomBytes } from "node:crypto";
import { LIMITS } from "@lescopains/protocol/limits";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, type Connection } from "./kit/connection.ts";
import { base64, type DevicePerson, friends, withAnotherDevice, withDevice } from "./kit/devices.ts";
import { enroll, type Person } from "./kit/people.ts";
import { opener } from "./kit/opener.ts";
import { ON_WRANGLER, type Place, startPlace } from "./kit/place.ts";
import { waitFor } from "./kit/wait.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace({ GATEWAY_SHARDS: "3", METRICS_TOKEN: "let me see" });
});
afterAll(() => place.stop());

const { on, keep } = opener(() => place);

const text = (n: number | string) => base64(Buffer.from(String(n)));
function to(person: DevicePerson, ...bodies: string[]) {
  return {
    messages: bodies.map((body) => ({ toUserId: person.id, toDeviceId: person.deviceId, type: 3 as const, body })),
  };
}
function got(connection: Connection) {
  return connection.of("keys:received").flatMap(({ messages }) => messages);
}
async function queued(person: DevicePerson): Promise<[rows: number, counter: number]> {
  const { rows } = await place.sql.query<{ n: string; queued: number }>(
    `SELECT (SELECT count(*) FROM envelopes e WHERE e.user_id = d.user_id AND e.device_id = d.device_id) AS n, queued
     FROM devices d WHERE user_id = $1 AND device_id = $2`,
    [person.id, person.deviceId],
  );
  return [Number(rows[0]?.n), rows[0]?.queued ?? -1];
}

test("[KEY21] an envelope reaches every socket of its device as it was sent, on whatever gateway, and nobody else", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const second = await withAnotherDevice(place, ada);
  const [one, two, other, nameless, sender] = await Promise.all([
    on(ada),
    on(ada),
    on(second),
    connect(place, { token: ada.token }),
    on(bob),
  ]);
  keep(nameless);
  await sender.must("keys:send", to(ada, text("hello")));
  for (const socket of [one, two]) {
    await waitFor("the envelope", () => got(socket).length > 0);
    expect(got(socket)).toMatchObject([{ fromUserId: bob.id, fromDeviceId: 1, type: 3, body: text("hello") }]);
  }
  await sender.must("keys:send", to(second, text("there")));
  await waitFor("the other's envelope", () => got(other).length > 0);
  expect(got(nameless)).toEqual([]);
  expect(got(sender)).toEqual([]);
  expect(got(one)).toHaveLength(1);
});

test("[KEY21] twenty senders at once, 1,000 envelopes: each comes once, in one order, and a sender's own stand as they were sent", async () => {
  const people = await friends(place, 11);
  const [ada, ...senders] = people as [DevicePerson, ...DevicePerson[]];
  const at = await on(ada);
  const sockets = await Promise.all(senders.flatMap((sender) => [on(sender), on(sender)]));
  const acks: Promise<unknown>[] = [];
  at.socket.on("keys:received", ({ messages }: { messages: { id: number }[] }) => {
    acks.push(at.must("keys:ack", { upTo: messages.at(-1)?.id ?? 0 }));
  });
  const startedMs = performance.now();
  await Promise.all(
    sockets.map(async (socket, s) => {
      for (let n = 0; n < 10; n += 1)
        await socket.must("keys:send", to(ada, ...Array.from({ length: 5 }, (_, k) => text(`${s} ${n * 5 + k}`))));
    }),
  );
  await waitFor("all of them", () => got(at).length >= 1_000);
  await Promise.all(acks);
  console.log(`1,000 envelopes of 20 sockets in ${Math.round(performance.now() - startedMs)} ms`);
  const received = got(at).map(({ id, body }) => ({ id, body: Buffer.from(body, "base64").toString() }));
  expect(received.map(({ id }) => id)).toEqual(received.map(({ id }) => id).toSorted((a, b) => a - b));
  expect(new Set(received.map(({ body }) => body)).size).toBe(1_000);
  expect(received).toHaveLength(1_000);
  for (let s = 0; s < 20; s += 1) {
    const own = received.map(({ body }) => body).filter((body) => body.startsWith(`${s} `));
    expect(own).toEqual(Array.from({ length: 50 }, (_, n) => `${s} ${n}`));
  }
  expect(await queued(ada)).toEqual([0, 0]);
});

test("[KEY22] what waits for a device that is away comes in pages, and again until it is acknowledged", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const sender = await on(bob);
  for (let page = 0; page < 5; page += 1)
    await sender.must("keys:send", to(ada, ...Array.from({ length: 50 }, (_, n) => text(page * 50 + n))));
  const first = await on(ada);
  await waitFor("a page", () => got(first).length === LIMITS.envelopesPage);
  first.close();
  const again = await on(ada);
  await waitFor("the same page", () => got(again).length === LIMITS.envelopesPage);
  expect(got(again)).toEqual(got(first));
  await again.must("keys:ack", { upTo: got(again)[39]?.id ?? 0 });
  await waitFor("as many more", () => got(again).length === 140);
  await again.must("keys:ack", { upTo: got(again).at(-1)?.id ?? 0 });
  await waitFor("the rest", () => got(again).length === 240);
  await again.must("keys:ack", { upTo: got(again).at(-1)?.id ?? 0 });
  await waitFor("the last ones", () => got(again).length === 250);
  expect(got(again).map(({ body }) => Buffer.from(body, "base64").toString())).toEqual(
    Array.from({ length: 250 }, (_, n) => String(n)),
  );
  await again.must("keys:ack", { upTo: got(again).at(-1)?.id ?? 0 });
  expect(await queued(ada)).toEqual([0, 0]);
});

test("[KEY22] large envelopes come in pages of some 256 KiB", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const sender = await on(bob);
  const body = base64(randomBytes(LIMITS.ciphertextBytes));
  for (let n = 0; n < 5; n += 1) await sender.must("keys:send", to(ada, ...Array.from({ length: 8 }, () => body)));
  const at = await on(ada);
  await waitFor("a page", () => got(at).length > 0);
  expect(got(at)).toHaveLength(16);
  for (let seen = 0; seen < 40;) {
    await waitFor("more", () => got(at).length > seen);
    seen = got(at).length;
    await at.must("keys:ack", { upTo: got(at).at(-1)?.id ?? 0 });
  }
  expect(got(at)).toHaveLength(40);
});

test("[KEY23] a device keeps 1,000, of one person 250; then nothing of a frame with one too many for anyone is queued", async () => {
  const [ada, cleo, ...others] = (await friends(place, 7)) as [DevicePerson, DevicePerson, ...DevicePerson[]];
  const senders = await Promise.all(others.map((person) => on(person)));
  const [first, second, third, fourth, last] = senders as [Connection, Connection, Connection, Connection, Connection];
  const many = (count: number) => to(ada, ...Array.from({ length: count }, () => "AA=="));
  const full = {
    ok: false,
    error: { code: "queue_full", details: { devices: [{ userId: ada.id, deviceId: 1 }] } },
  };
  for (const sender of [first, second, third]) {
    for (const count of [100, 100, 50]) await sender.must("keys:send", many(count));
    expect(await sender.ask("keys:send", many(1))).toMatchObject(full);
  }
  for (const count of [100, 60]) await fourth.must("keys:send", many(count));
  const answers = await Promise.all(Array.from({ length: 6 }, () => last.ask("keys:send", many(26))));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
  const mixed = { messages: [...to(cleo, "AA==").messages, ...many(13).messages] };
  expect(await last.ask("keys:send", mixed)).toMatchObject(full);
  expect(await queued(ada)).toEqual([988, 988]);
  expect(await queued(cleo)).toEqual([0, 0]);
  await last.must("keys:send", many(12));
  expect(await queued(ada)).toEqual([1_000, 1_000]);
});

test("[KEY23] an envelope for a device that is on no list is refused with the others of its frame", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const sender = await on(bob);
  const answer = await sender.ask("keys:send", {
    messages: [...to(ada, "AA==").messages, ...to({ ...ada, deviceId: 5 }, "AA==").messages],
  });
  expect(answer).toMatchObject({
    error: { code: "devices_changed", details: { extra: [{ userId: ada.id, deviceId: 5 }] } },
  });
  expect(await queued(ada)).toEqual([0, 0]);
});

test("[KEY24] without a device, or to a stranger, nothing is sent", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const [nobody] = (await enroll(place, 1)) as [Person];
  const stranger = await withDevice(place, nobody);
  const nameless = await connect(place, { token: bob.token });
  keep(nameless);
  for (const ask of [
    nameless.ask("keys:send", to(ada, "AA==")),
    nameless.ask("keys:ack", { upTo: 1 }),
    (await connectAs(bob, 2)).ask("keys:send", to(ada, "AA==")),
  ])
    expect(await ask).toMatchObject({ ok: false, error: { code: "device_required" } });
  const outsider = await on(stranger);
  const mixed = { messages: [...to(stranger, "AA==").messages, ...to(ada, "AA==").messages] };
  expect(await outsider.ask("keys:send", mixed)).toMatchObject({ ok: false, error: { code: "not_found" } });
  await place.sql.query("UPDATE friendships SET status = 'blocked' WHERE user_id = $1", [ada.id]);
  expect(await (await on(bob)).ask("keys:send", to(ada, "AA=="))).toMatchObject({ error: { code: "not_found" } });
  expect(await queued(ada)).toEqual([0, 0]);
  await outsider.must("keys:send", to(stranger, "AA=="));
});

/** A socket that names a device which its session does not have. */
async function connectAs(person: Person, deviceId: number): Promise<Connection> {
  return on({ ...person, deviceId });
}

test("[KEY24] an acknowledgement reaches one's own queue only", async () => {
  const [ada, bob, cleo] = (await friends(place, 3)) as [DevicePerson, DevicePerson, DevicePerson];
  await (await on(bob)).must("keys:send", to(ada, "AA==", "AA=="));
  await (await on(cleo)).must("keys:ack", { upTo: Number.MAX_SAFE_INTEGER });
  expect(await queued(ada)).toEqual([2, 2]);
  const at = await on(ada);
  await at.must("keys:ack", { upTo: Number.MAX_SAFE_INTEGER });
  await (await on(bob)).must("keys:send", to(ada, text("later")));
  await waitFor("the later one", () => got(at).some(({ body }) => body === text("later")));
});

test("[KEY25] junk of 10 MB closes the connection; frames above 64 KiB count against the flood limit by their size", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const junk = await on(bob);
  junk.socket.emit("keys:send", to(ada, "A".repeat(10_000_000)));
  await waitFor("a close", () => junk.closes.length > 0);
  expect(junk.closes[0]).toMatchObject({ code: 1009 });
  const flood = await on(bob);
  for (let n = 0; n < 80; n += 1) flood.socket.emit("keys:send", to(ada, "A".repeat(250_000)));
  await waitFor("a close", () => flood.closes.length > 0);
  expect(flood.closes[0]).toMatchObject({ code: 1008 });
  const small = await on(bob);
  const answer = await small.ask("keys:send", to(ada, base64(randomBytes(LIMITS.ciphertextBytes + 1))));
  expect(answer).toMatchObject({ ok: false, error: { code: "invalid_request" } });
  expect(await queued(ada)).toEqual([0, 0]);
});

test("[KEY21] an account that goes takes its envelopes out of the queues", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  await (await on(bob)).must("keys:send", to(ada, "AA==", "AA==", "AA=="));
  await place.sql.query("DELETE FROM users WHERE id = $1", [bob.id]);
  expect((await queued(ada))[0]).toBe(0);
});

test("[KEY41] failures are counted by reason, and nothing else of them is kept", async () => {
  const [ada] = (await friends(place, 1)) as [DevicePerson];
  const at = await on(ada);
  await at.must("keys:failed", { reason: "no_session" });
  await at.must("keys:failed", { reason: "no_session" });
  await at.must("keys:failed", { reason: "invalid_message" });
  expect(await at.ask("keys:failed", { reason: 'x"} 1\n' as never })).toMatchObject({ ok: false });
  const answer = await fetch(`${place.url}/metrics`, { headers: { authorization: "Bearer let me see" } });
  const metrics = await answer.text();
  // Where actors may be anywhere no process counts for all, and wrangler dev says that it is such a place.
  if (ON_WRANGLER) return;
  expect(metrics).toMatch(/^lescopains_decryption_failures_total\{reason="no_session"\} 2$/m);
  expect(metrics).toMatch(/^lescopains_decryption_failures_total\{reason="invalid_message"\} 1$/m);
  expect(metrics).toMatch(/^lescopains_ciphertexts_delivered_total \d+$/m);
});
