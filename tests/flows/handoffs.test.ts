import { randomBytes, randomUUID } from "node:crypto";
import type { HandoffId, SessionId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signAccessToken } from "../../edge/src/auth/access-token.ts";
import { connect } from "./kit/connection.ts";
import { enroll, type Person } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { sealed } from "./kit/vault.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace({ GATEWAY_SHARDS: "2" });
});
afterAll(() => place.stop());

/** A person with two browsers: an old one, and a new one that knows nothing yet. */
async function twoBrowsers(): Promise<{ old: Person; fresh: Person }> {
  const [old] = await enroll(place, 1);
  if (old === undefined) throw new Error("a person was enrolled");
  const sessionId = randomUUID() as SessionId;
  await place.sql.query(
    "INSERT INTO sessions (id, user_id, name, expires_at) VALUES ($1, $2, 'a new browser', now() + interval '1 day')",
    [sessionId, old.id],
  );
  const token = await signAccessToken(place.jwtSecret, old.id, sessionId, Date.now());
  return { old, fresh: { ...old, sessionId, token } };
}

const newKey = () => Buffer.concat([Buffer.of(5), randomBytes(32)]).toString("base64");
const open = ({ token }: Person, publicKey = newKey()) =>
  call(place.url, "openHandoff", { token, body: { publicKey } });
const fill = ({ token }: Person, id: HandoffId, content: string) =>
  call(place.url, "fillHandoff", { token, params: { id }, body: { sealed: content } });
const take = ({ token }: Person, id: HandoffId) => call(place.url, "takeHandoff", { token, params: { id } });

async function opened(person: Person, publicKey?: string): Promise<HandoffId> {
  const answer = await open(person, publicKey);
  if (!answer.ok) throw new Error(answer.error.code);
  return answer.value.id;
}

const refusal = (status: number, code: string) => ({ status, ok: false, error: { code } });
const none = refusal(404, "not_found");

test("[HO1] an open handoff lasts ten minutes", async () => {
  const { fresh } = await twoBrowsers();
  const answer = await open(fresh);
  if (!answer.ok) throw new Error(answer.error.code);
  const leftMs = Date.parse(answer.value.expiresAt) - Date.now();
  expect(leftMs).toBeGreaterThan(9.5 * 60_000);
  expect(leftMs).toBeLessThanOrEqual(10 * 60_000 + 1_000);
});

test("[HO2] it is filled once, and the new browser is told; the same again is granted, something else is a conflict", async () => {
  const { old, fresh } = await twoBrowsers();
  const connections = await Promise.all([connect(place, fresh), connect(place, fresh), connect(place, fresh)]);
  const id = await opened(fresh);
  const content = sealed(LIMITS.handoffBytes);
  expect(await fill(old, id, content)).toMatchObject({ status: 204 });
  for (const connection of connections) {
    expect(await connection.until("keys:handoff")).toEqual({ id });
    connection.close();
  }
  expect(await fill(old, id, content)).toMatchObject({ status: 204 });
  expect(await fill(old, id, sealed(10))).toMatchObject(refusal(409, "conflict"));
  expect(await take(fresh, id)).toMatchObject({ value: { sealed: content } });
  expect(await fill(old, id, content)).toMatchObject(none);
});

test("[HO2] of several that fill it at once one does", async () => {
  const { old, fresh } = await twoBrowsers();
  const id = await opened(fresh);
  const contents = Array.from({ length: 8 }, () => sealed(100));
  const answers = await Promise.all(contents.map((content) => fill(old, id, content)));
  const [held, ...more] = contents.filter((_, n) => answers[n]?.ok);
  expect(more).toEqual([]);
  for (const answer of answers) if (!answer.ok) expect(answer).toMatchObject(refusal(409, "conflict"));
  expect(await take(fresh, id)).toMatchObject({ value: { sealed: held } });
});

test("[HO3] what is in it is taken once, by the session that opened it; others of the account see the key alone", async () => {
  const { old, fresh } = await twoBrowsers();
  const publicKey = newKey();
  const id = await opened(fresh, publicKey);
  const waiting = { status: 200, value: { publicKey, sealed: null } };
  expect(await take(fresh, id)).toMatchObject(waiting);
  expect(await take(old, id)).toMatchObject(waiting);
  const content = sealed(1_000);
  await fill(old, id, content);
  expect(await take(old, id)).toMatchObject(waiting);
  const taken = await Promise.all(Array.from({ length: 6 }, () => take(fresh, id)));
  expect(taken.filter(({ ok }) => ok)).toHaveLength(1);
  expect(taken.find(({ ok }) => ok)).toMatchObject({ value: { publicKey, sealed: content } });
  expect(await take(fresh, id)).toMatchObject(none);
  expect(await take(old, id)).toMatchObject(none);
});

test("[HO4] to everyone else it does not exist, and they are told nothing", async () => {
  const { old, fresh } = await twoBrowsers();
  const [outsider] = await enroll(place, 1);
  if (outsider === undefined) throw new Error("a person was enrolled");
  const [listening, own] = await Promise.all([connect(place, outsider), connect(place, fresh)]);
  const id = await opened(fresh);
  expect(await take(outsider, id)).toMatchObject(none);
  expect(await fill(outsider, id, sealed(10))).toMatchObject(none);
  expect(await take(fresh, id)).toMatchObject({ value: { sealed: null } });
  await fill(old, id, sealed(10));
  await own.until("keys:handoff");
  expect(await take(outsider, id)).toMatchObject(none);
  expect(await fill(outsider, id, sealed(10))).toMatchObject(none);
  for (const other of [randomUUID(), "x"]) {
    expect(await take(fresh, other as HandoffId)).toMatchObject(none);
    expect(await fill(old, other as HandoffId, sealed(10))).toMatchObject(none);
  }
  expect(await call(place.url, "takeHandoff", { params: { id } })).toMatchObject(refusal(401, "unauthenticated"));
  expect(await call(place.url, "openHandoff", { body: { publicKey: newKey() } })).toMatchObject(
    refusal(401, "unauthenticated"),
  );
  expect(listening.of("keys:handoff")).toEqual([]);
  for (const connection of [listening, own]) connection.close();
});

test("[HO5] an account has five open at most, also when more are asked for at once", async () => {
  const { old, fresh } = await twoBrowsers();
  const answers = await Promise.all(Array.from({ length: 12 }, () => open(fresh)));
  for (const answer of answers) if (!answer.ok) expect(answer).toMatchObject(refusal(409, "limit_reached"));
  const { rowCount } = await place.sql.query("SELECT FROM handoffs WHERE user_id = $1", [old.id]);
  expect(rowCount).toBe(answers.filter(({ ok }) => ok).length);
  expect(rowCount).toBeLessThanOrEqual(LIMITS.handoffsOpen);
  for (let left = LIMITS.handoffsOpen - (rowCount ?? 0); left > 0; left -= 1) await opened(fresh);
  expect(await open(fresh)).toMatchObject(refusal(409, "limit_reached"));
  // Others are not held up, and whoever takes one has room for the next.
  const id = (
    await place.sql.query<{ id: HandoffId }>("SELECT id FROM handoffs WHERE session_id = $1", [fresh.sessionId])
  ).rows[0]?.id;
  if (id === undefined) throw new Error("the new browser has one");
  await fill(old, id, sealed(10));
  await take(fresh, id);
  expect(await open(fresh)).toMatchObject({ status: 201 });
});

test("[HO6] what has ended is not found, makes room, and is deleted when anybody opens the next", async () => {
  const { old, fresh } = await twoBrowsers();
  const ids = await Promise.all(Array.from({ length: 3 }, () => opened(fresh)));
  const [id = ids[0]] = ids;
  if (id === undefined) throw new Error("three were opened");
  await fill(old, id, sealed(10));
  await place.sql.query("UPDATE handoffs SET expires_at = now() - interval '1 second' WHERE user_id = $1", [old.id]);
  expect(await take(fresh, id)).toMatchObject(none);
  expect(await take(old, id)).toMatchObject(none);
  expect(await fill(old, ids[1] ?? id, sealed(10))).toMatchObject(none);
  const someoneElse = await twoBrowsers();
  await opened(someoneElse.fresh);
  expect((await place.sql.query("SELECT FROM handoffs WHERE user_id = $1", [old.id])).rowCount).toBe(0);
});

test("[HO7] it ends with the session that opened it; an ended session opens, fills and takes nothing", async () => {
  const { old, fresh } = await twoBrowsers();
  const [mine, theirs] = [await opened(old), await opened(fresh)];
  await fill(old, theirs, sealed(10));
  await granted(place.url, "revokeSession", { token: old.token, params: { id: fresh.sessionId } });
  const ended = refusal(401, "session_revoked");
  expect(await open(fresh)).toMatchObject(ended);
  expect(await fill(fresh, mine, sealed(10))).toMatchObject(ended);
  expect(await take(fresh, theirs)).toMatchObject(ended);
  expect(await take(old, theirs)).toMatchObject(none);
  expect(await take(old, mine)).toMatchObject({ value: { sealed: null } });
});

test("[HO8] logs hold neither keys nor what is sealed, and what is too large or misshapen is refused", async () => {
  const { old, fresh } = await twoBrowsers();
  const publicKey = newKey();
  const id = await opened(fresh, publicKey);
  const content = sealed(500);
  for (const wrong of ["", "x", sealed(32), newKey().replace("B", "A"), `${publicKey}=`]) {
    expect(await open(fresh, wrong)).toMatchObject(refusal(400, "invalid_request"));
  }
  expect(await fill(old, id, sealed(LIMITS.handoffBytes + 1))).toMatchObject(refusal(400, "invalid_request"));
  expect(await fill(old, id, sealed(100_000))).toMatchObject(refusal(413, "too_large"));
  await fill(old, id, content);
  await place.stack.workerd.kill9();
  await place.stack.workerd.restart();
  expect(await fill(old, id, content)).toMatchObject({ status: 204 });
  expect(await take(fresh, id)).toMatchObject({ value: { sealed: content } });
  const log = place.log();
  for (const secret of [publicKey, content]) expect(log).not.toContain(secret);
  expect(log.split("\n").filter((line) => line.includes('"level":"error"'))).toEqual([]);
});
