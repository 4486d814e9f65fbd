import { setTimeout as sleep } from "node:timers/promises";
import { v7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, type Connection } from "../flows/kit/connection.ts";
import { type DevicePerson, friends, kyberPreKeys, preKeys, withAnotherDevice } from "../flows/kit/devices.ts";
import { openDm, pairwise, words } from "../flows/kit/direct.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { call, granted } from "../flows/kit/rest.ts";
import { waitFor } from "../flows/kit/wait.ts";

const KILLS = 6;

let place: Place;
beforeAll(async () => {
  place = await startPlace();
});
afterAll(() => place.stop());

/** Kills the edge some milliseconds into what is under way, `KILLS` times, and starts it again. */
async function killing(underWay: () => boolean): Promise<void> {
  for (let kill = 0; kill < KILLS && underWay(); kill += 1) {
    await sleep(40 + 15 * (kill % 5));
    await place.stack.workerd.kill9();
    await place.stack.workerd.restart();
    await sleep(150);
  }
}

test("[FT8] [KEY12] kills of the edge in the middle of claims: no key is handed out twice, and none that was handed out comes back", async () => {
  const [ada, ...others] = (await friends(place, 21)) as [DevicePerson, ...DevicePerson[]];
  for (const first of [1, 101])
    await granted(place.url, "addPreKeys", {
      token: ada.token,
      body: { deviceId: 1, preKeys: preKeys(100, first), kyberPreKeys: await kyberPreKeys(ada.identity, 100, first) },
    });
  const got: { ec: number | undefined; kyber: number }[] = [];
  let running = true;
  let cut = 0;
  const claiming = others.map(async (other) => {
    // Each may claim so often in an hour; what was cut off may count.
    for (let answered = 0; answered < 16;) {
      try {
        const answer = await call(place.url, "claimKeys", { token: other.token, params: { id: ada.id } });
        if (!answer.ok && answer.error.code === "rate_limited") break;
        if (answer.ok) answered += 1;
        const [bundle] = answer.ok ? answer.value.bundles : [];
        if (bundle !== undefined) got.push({ ec: bundle.preKey?.keyId, kyber: bundle.kyberPreKey.keyId });
      } catch {
        // The edge died before it answered: what it took is lost, and nobody's.
        cut += 1;
      }
      await sleep(30);
    }
  });
  const kills = killing(() => running);
  await Promise.all(claiming);
  running = false;
  await kills;
  const ec = got.flatMap((one) => (one.ec === undefined ? [] : [one.ec]));
  console.log(`${got.length} claims answered, ${cut} cut off, ${ec.length} one-time keys handed out`);
  expect(cut).toBeGreaterThan(0);
  expect(ec.length).toBeGreaterThan(50);
  expect(new Set(ec).size).toBe(ec.length);
  const kyber = got.filter((one) => one.ec !== undefined).map((one) => one.kyber);
  expect(new Set(kyber).size).toBe(kyber.length);
  const { rows } = await place.sql.query<{ key_id: number }>(
    "SELECT key_id FROM prekeys WHERE user_id = $1 AND kind = 'ec' AND NOT used",
    [ada.id],
  );
  expect(rows.filter(({ key_id }) => ec.includes(key_id))).toEqual([]);
}, 120_000);

test("[FT8] [KEY22] kills of the edge in the middle of envelopes: what was acknowledged comes once, in order, and the queue counts right", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const receiver = await connect(place, ada);
  const sender = await connect(place, bob);
  const acked: number[] = [];
  const seen = new Map<number, number>();
  receiver.socket.on("keys:received", ({ messages }: { messages: { id: number; body: string }[] }) => {
    for (const { id, body } of messages) {
      const n = Number(Buffer.from(body, "base64").toString());
      const before = seen.get(id);
      if (before !== undefined) expect(n).toBe(before);
      seen.set(id, n);
    }
    // Some acknowledgements are lost with the edge: then these come again.
    receiver.ask("keys:ack", { upTo: messages.at(-1)?.id ?? 0 }, 1_000).catch(() => undefined);
  });
  let running = true;
  const sending = (async () => {
    for (let n = 0; n < 400; n += 1) {
      const message = {
        toUserId: ada.id,
        toDeviceId: 1,
        type: 2 as const,
        body: Buffer.from(String(n)).toString("base64"),
      };
      try {
        const answer = await sender.ask("keys:send", { messages: [message] }, 1_000);
        if (answer.ok) acked.push(n);
        else if (answer.error.code !== "unavailable") throw new Error(answer.error.code);
      } catch (error) {
        if (error instanceof Error && /^[a-z_]+$/.test(error.message)) throw error;
        await sleep(100);
      }
    }
  })();
  const kills = killing(() => running);
  await sending;
  running = false;
  await kills;
  await waitFor("all that was acknowledged", () => {
    const numbers = new Set(seen.values());
    return acked.every((n) => numbers.has(n));
  });
  const inOrder = [...seen].toSorted(([a], [b]) => a - b).map(([, n]) => n);
  expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
  expect(new Set(inOrder).size).toBe(inOrder.length);
  console.log(`${acked.length} of 400 envelopes acknowledged, ${inOrder.length} received`);
  expect(acked.length).toBeGreaterThan(50);
  await waitFor("an empty queue", async () => {
    await receiver.ask("keys:ack", { upTo: Math.max(...seen.keys()) }, 1_000).catch(() => undefined);
    const { rows } = await place.sql.query<{ queued: number; n: string }>(
      "SELECT queued, (SELECT count(*) FROM envelopes WHERE user_id = $1) AS n FROM devices WHERE user_id = $1",
      [ada.id],
    );
    return rows[0]?.queued === 0 && rows[0].n === "0";
  });
  for (const connection of [receiver, sender]) connection.close();
}, 120_000);

test("[FT8] [DM19] kills of the edge in the middle of a conversation: each message is there once, with a ciphertext for each device", async () => {
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const away = await withAnotherDevice(place, bob);
  const { id: channelId } = await openDm(place, ada, bob);
  const [at, listener]: Connection[] = [await connect(place, ada), await connect(place, bob)];
  if (at === undefined || listener === undefined) throw new Error("two connections were made");
  const acked: string[] = [];
  let running = true;
  const sending = (async () => {
    for (let n = 0; n < 150; n += 1) {
      const message = { ...pairwise(channelId, `m${n}`, bob, away), nonce: v7() };
      for (;;) {
        const answer = await at.ask("message:send", message, 1_000).catch(() => undefined);
        if (answer?.ok === true) break;
        if (answer?.ok === false && answer.error.code !== "unavailable") throw new Error(answer.error.code);
        await sleep(50);
      }
      acked.push(`m${n}`);
    }
  })();
  const kills = killing(() => running);
  await sending;
  running = false;
  await kills;
  const fetched: Record<number, (string | null)[]> = {};
  for (const person of [bob, away]) {
    const connection = await connect(place, person);
    const seen: (string | null)[] = [];
    for (let more = true, since = 0; more;) {
      const answer = (await connection.must("sync", { channels: { [channelId]: since } })).channels[channelId];
      seen.push(...(answer?.messages ?? []).map(words));
      since = answer?.messages.at(-1)?.changedSeq ?? since;
      more = answer?.more ?? false;
    }
    fetched[person.deviceId] = seen;
    connection.close();
  }
  for (const deviceId of [1, 2])
    expect(fetched[deviceId]).toEqual(acked.map((text) => `${text} for ${bob.id} ${deviceId}`));
  for (const connection of [at, listener]) connection.close();
}, 120_000);
