import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChannelId } from "@lescopains/protocol/ids";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Connection } from "../flows/kit/connection.ts";
import { enroll, type Person, serverWith, textChannel } from "../flows/kit/people.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { call, granted } from "../flows/kit/rest.ts";
import { waitFor } from "../flows/kit/wait.ts";
import { expectAgreement, talkers } from "./talk.ts";

let place: Place;
let people: Person[];
beforeAll(async () => {
  place = await startPlace();
  people = await enroll(place, 4);
});
afterAll(() => place.stop());

/** The embedded PostgreSQL of this stack. */
function postgres() {
  const { postgres: embedded } = place.stack;
  if (embedded === undefined) throw new Error("the stack has its own PostgreSQL");
  return embedded;
}

async function freshChannel(): Promise<{ channelId: ChannelId; owner: Person }> {
  const [owner, ...others] = people;
  if (owner === undefined) throw new Error("people were enrolled");
  return { channelId: textChannel(await serverWith(place, owner, others)).id, owner };
}

async function health(): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${place.url}/health`);
  return { status: response.status, body: await response.json() };
}

test("[FT2] without PostgreSQL sends are answered unavailable with retryAfterMs, REST 503, /health names the database; with it again all goes on, each message once", async () => {
  const { channelId, owner } = await freshChannel();
  const everyone = await talkers(place, people, channelId);
  const [a] = everyone;
  if (a === undefined) throw new Error("there are talkers");
  a.say("before");
  await waitFor("the first message", () => everyone.every(({ heardUpTo }) => heardUpTo === 1));
  expect(await health()).toEqual({ status: 200, body: { status: "ok", checks: { database: "ok" } } });

  await postgres().stop();
  const message = { channelId, content: "during", nonce: randomUUID() };
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const answer = await a.connection.ask("message:send", message);
    expect(answer).toMatchObject({
      ok: false,
      error: { code: "unavailable", retryAfterMs: expect.any(Number) as number },
    });
  }
  expect(await a.connection.ask("sync", { channels: { [channelId]: 0 } })).toMatchObject({
    ok: false,
    error: { code: "unavailable" },
  });
  await waitFor("the health to be known", async () => (await health()).status === 503);
  expect(await health()).toEqual({ status: 503, body: { status: "unavailable", checks: { database: "unavailable" } } });
  for (const name of ["getSelf", "listSessions"] as const) {
    const answer = await call(place.url, name, { token: owner.token });
    expect(answer).toMatchObject({
      status: 503,
      error: { code: "unavailable", retryAfterMs: expect.any(Number) as number },
    });
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  }
  const history = await call(place.url, "listMessages", { token: owner.token, params: { id: channelId } });
  expect(history).toMatchObject({ status: 503, error: { code: "unavailable" } });
  const login = await call(place.url, "login", { body: { username: "someone", password: "a password" } });
  expect(login).toMatchObject({ status: 503, error: { code: "unavailable" } });
  const newcomer = new Connection(place.url, owner.token, { transports: ["websocket"], reconnection: false });
  await waitFor("the refusal", () => newcomer.refusals.length > 0);
  expect(newcomer.refusals).toEqual(["unavailable"]);
  newcomer.close();
  // Nobody who was there was cut off; what they say meanwhile waits with them.
  for (const [index, one] of everyone.entries()) one.say(`while it was away ${index}`);
  await waitFor("everyone to be put off", () => everyone.every(({ putOff }) => putOff.length > 0));

  await postgres().start();
  await waitFor("health", async () => (await health()).status === 200);
  await expectAgreement(place, channelId, everyone, 1 + everyone.length);
  await granted(place.url, "getSelf", { token: owner.token });
  for (const { connection } of everyone) {
    expect(connection.closes).toEqual([]);
    connection.close();
  }
});

test("[FT21] a full disk is unavailable for people, and told once to whoever runs the instance", async () => {
  const { owner } = await freshChannel();
  const body = { name: "a place" };
  await place.sql.query(`
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = 'could not extend file "base/1/2": No space left on device';
    END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON servers FOR EACH ROW EXECUTE FUNCTION full_disk()`);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const refused = await call(place.url, "createServer", { token: owner.token, body });
    expect(refused).toMatchObject({ status: 503, error: { code: "unavailable" } });
  }
  await place.sql.query("DROP TRIGGER full_disk ON servers; DROP FUNCTION full_disk");
  expect(place.log().match(/"level":"warn".*lacks something.*No space left on device/g)).toHaveLength(1);
  await granted(place.url, "createServer", { token: owner.token, body });
});

test("[FT3] PostgreSQL restarted under load costs no acknowledged message and doubles none", async () => {
  const { channelId } = await freshChannel();
  const everyone = await talkers(place, people, channelId);
  let said = 0;
  const enough = new AbortController();
  const load = (async () => {
    while (!enough.signal.aborted) {
      for (const one of everyone) {
        one.say(`message ${said}`);
        said += 1;
      }
      await sleep(60);
    }
  })();
  for (let round = 0; round < 3; round += 1) {
    const acked = (): number => everyone.reduce((sum, one) => sum + one.acked.size, 0);
    const before = acked();
    await waitFor("some acknowledgements", () => acked() > before + 20);
    const putOff = (): number => everyone.reduce((sum, one) => sum + one.putOff.length, 0);
    const putOffBefore = putOff();
    await postgres().stop();
    await waitFor("somebody to be put off", () => putOff() > putOffBefore);
    await postgres().start();
  }
  enough.abort();
  await load;
  await expectAgreement(place, channelId, everyone, said);
  for (const { connection } of everyone) connection.close();
});

test("[FT7] a message that was stored although its sender was told unavailable reaches everyone when the sender's retry is acknowledged", async () => {
  const { channelId } = await freshChannel();
  const everyone = await talkers(place, people, channelId);
  const [a, ...listeners] = everyone;
  if (a === undefined) throw new Error("there are talkers");
  a.say("before");
  await waitFor("the first message", () => everyone.every(({ heardUpTo }) => heardUpTo === 1));
  const message = { channelId, content: "of unknown fate", nonce: randomUUID() };
  const holder = await place.sql.connect();
  try {
    await holder.query("BEGIN");
    await holder.query("SELECT FROM channels WHERE id = $1 FOR UPDATE", [channelId]);
    // The statement waits for the row until the edge gives up on it; PostgreSQL does not, and carries it out afterwards.
    expect(await a.connection.ask("message:send", message)).toMatchObject({
      ok: false,
      error: { code: "unavailable" },
    });
  } finally {
    await holder.query("COMMIT");
    holder.release();
  }
  await waitFor("the message to be stored", async () => {
    const { rows } = await place.sql.query("SELECT FROM messages WHERE channel_id = $1 AND seq = 2", [channelId]);
    return rows.length === 1;
  });
  expect(await a.connection.must("message:send", message)).toMatchObject({ seq: 2 });
  // Nobody has to ask `sync`, for nobody can know that there is something to ask for.
  for (const { connection } of listeners) {
    await connection.until("message:new", ({ nonce }) => nonce === message.nonce, 5_000);
  }
  for (const { connection } of everyone) connection.close();
});
