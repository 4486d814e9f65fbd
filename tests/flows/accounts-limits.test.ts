import { afterAll, beforeAll, expect, test } from "vitest";
import { failedConfirmations, failedSecondFactors, failedSignIns } from "../../edge/src/auth/limits.ts";
import type { Env } from "../../edge/src/platform/env.ts";
import { codeOf, stepNow } from "./accounts-authenticator.ts";
import { enroll, freshName } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";

const REGISTER_LIMIT = 3;
const LOGIN_LIMIT = 6;

let place: Place;
beforeAll(async () => {
  place = await startPlace({
    REGISTER_LIMIT: String(REGISTER_LIMIT),
    LOGIN_LIMIT: String(LOGIN_LIMIT),
    // The tests are the proxy: each writes the address it comes from.
    TRUSTED_PROXY: "127.0.0.1",
  });
});
afterAll(() => place.stop());

let addresses = 0;
/** An address that no other test comes from. */
function freshAddress(): string {
  return `198.51.100.${++addresses}`;
}
const from = (address: string) => ({ "x-forwarded-for": address });

function signUp(address: string, username = freshName()) {
  return call(place.url, "register", { headers: from(address), body: { username, password: "correct horse" } });
}
function login(address: string, username: string, password = "wrong password", totp?: string) {
  const body = { username, password, ...(totp === undefined ? {} : { totp }) };
  return call(place.url, "login", { headers: from(address), body });
}
/** Takes all but `left` tokens out of a bucket that is in use: so many failures, without their bcrypt. */
async function drain(bucket: { readonly key: string } | undefined, left: number): Promise<void> {
  const { rowCount } = await place.sql.query("UPDATE rate_limits SET tokens = $2 WHERE key = $1", [bucket?.key, left]);
  if (rowCount !== 1) throw new Error("no such bucket");
}
/** What the names of buckets are made with. */
const env = () => ({ JWT_SECRET: place.jwtSecret }) as Env;

const limited = { status: 429, error: { code: "rate_limited", retryAfterMs: expect.any(Number) } };

test("[LIMIT1] one address registers so many accounts an hour, and is told when it may go on", async () => {
  const address = freshAddress();
  for (let each = 0; each < REGISTER_LIMIT; each++) expect((await signUp(address)).status).toBe(201);
  const refused = await signUp(address);
  expect(refused).toMatchObject(limited);
  const waitMs = refused.ok ? 0 : (refused.error.retryAfterMs ?? 0);
  // Three an hour: the next one after at most twenty minutes.
  expect(waitMs).toBeGreaterThan(15 * 60_000);
  expect(waitMs).toBeLessThanOrEqual(20 * 60_000);
  expect(refused.headers.get("retry-after")).toBe(String(Math.ceil(waitMs / 1_000)));
  expect((await signUp(freshAddress())).status).toBe(201);
});

test("[LIMIT1] names that are taken count too: an address cannot try them all", async () => {
  const address = freshAddress();
  const [taken] = await enroll(place, 1);
  for (let each = 0; each < REGISTER_LIMIT; each++) {
    expect(await signUp(address, taken?.username)).toMatchObject({ error: { code: "username_taken" } });
  }
  expect(await signUp(address)).toMatchObject(limited);
});

test("[LIMIT1] many at once are admitted no more than one by one", async () => {
  const address = freshAddress();
  const answers = await Promise.all(Array.from({ length: 12 }, () => signUp(address)));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(REGISTER_LIMIT);
});

test("[LIMIT2] one address makes so many attempts a minute, whatever the names", async () => {
  const address = freshAddress();
  const answers = await Promise.all(Array.from({ length: LOGIN_LIMIT + 4 }, () => login(address, freshName())));
  expect(answers.filter(({ status }) => status === 429).length).toBe(4);
});

test("[LIMIT3] ten wrong passwords for a name from one address, then one a minute; an account makes no difference", async () => {
  const existing = freshName();
  await signUp(freshAddress(), existing);
  for (const username of [existing, freshName()]) {
    const address = freshAddress();
    const [here] = await failedSignIns(env(), username, address);
    expect(here).toMatchObject({ capacity: 10, periodMs: 600_000 });
    expect((await login(address, username)).status).toBe(401);
    await drain(here, 1);
    expect((await login(address, username)).status).toBe(401);
    const refused = await login(address, username.toUpperCase(), "correct horse");
    expect(refused).toMatchObject(limited);
    expect(refused.ok ? 0 : refused.error.retryAfterMs).toBeLessThanOrEqual(60_000);
    // Elsewhere its owner may still sign in.
    expect((await login(freshAddress(), username)).status).toBe(401);
  }
});

test("[LIMIT3] ten at once are counted as ten", async () => {
  const username = freshName();
  const address = freshAddress();
  await login(address, username);
  const [here] = await failedSignIns(env(), username, address);
  await drain(here, 2);
  const answers = await Promise.all(Array.from({ length: 5 }, () => login(address, username)));
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(2);
});

test("[LIMIT3] signing in does not count against its owner", async () => {
  const address = freshAddress();
  const username = freshName();
  await signUp(address, username);
  expect((await login(address, username, "correct horse")).status).toBe(200);
  const keys = (await failedSignIns(env(), username, address)).map(({ key }) => key);
  const { rows } = await place.sql.query("SELECT tokens FROM rate_limits WHERE key = ANY($1) ORDER BY tokens", [keys]);
  expect(rows).toEqual([{ tokens: 10 }, { tokens: 100 }]);
});

test("[LIMIT3] a hundred wrong passwords an hour for a name from everywhere; who is refused at one place takes none of them", async () => {
  const username = freshName();
  const blocked = freshAddress();
  const [here, everywhere] = await failedSignIns(env(), username, blocked);
  expect(everywhere).toMatchObject({ capacity: 100, periodMs: 3_600_000 });
  expect((await login(blocked, username)).status).toBe(401);
  await drain(here, 0);
  await drain(everywhere, 2);
  expect(await login(blocked, username)).toMatchObject(limited);
  expect((await login(freshAddress(), username)).status).toBe(401);
  expect((await login(freshAddress(), username)).status).toBe(401);
  expect(await login(freshAddress(), username)).toMatchObject(limited);
});

test("[LIMIT4] five wrong codes for an account, then one every five minutes", async () => {
  const username = freshName();
  const registered = await signUp(freshAddress(), username);
  if (!registered.ok) throw new Error(registered.error.code);
  const { accessToken: token, user } = registered.value;
  const { secret } = await granted(place.url, "totpSetup", { token });
  await granted(place.url, "totpEnable", { token, body: { code: codeOf(secret) } });
  const bucket = await failedSecondFactors(env(), user.id);
  expect(bucket).toMatchObject({ capacity: 5, periodMs: 25 * 60_000 });
  await drain(bucket, 1);
  const wrong = await login(freshAddress(), username, "correct horse", codeOf(secret, stepNow() + 100));
  expect(wrong).toMatchObject({ status: 401, error: { code: "totp_invalid" } });
  const refused = await login(freshAddress(), username, "correct horse", codeOf(secret, stepNow() + 1));
  expect(refused).toMatchObject(limited);
  expect(refused.ok ? 0 : refused.error.retryAfterMs).toBeGreaterThan(4 * 60_000);
});

test("[LIMIT5] ten wrong passwords in confirmations, then one a minute", async () => {
  const registered = await signUp(freshAddress());
  if (!registered.ok) throw new Error(registered.error.code);
  const { accessToken: token, user } = registered.value;
  const bodies = [
    () => call(place.url, "deleteSelf", { token, body: { password: "wrong password" } }),
    () => call(place.url, "patchSelf", { token, body: { password: "a new one", currentPassword: "wrong password" } }),
    () => call(place.url, "totpDisable", { token, body: { password: "wrong password", code: "123456" } }),
  ];
  for (const confirm of bodies) expect((await confirm()).status).toBe(401);
  const bucket = await failedConfirmations(env(), user.id);
  expect(bucket).toMatchObject({ capacity: 10, periodMs: 600_000 });
  await drain(bucket, 0);
  for (const confirm of bodies) expect(await confirm()).toMatchObject(limited);
});

test("[LIMIT6] neither addresses nor names can be read from the table, and rows of full buckets go away", async () => {
  const address = freshAddress();
  const username = freshName();
  await login(address, username);
  const before = await place.sql.query<{ key: string }>("SELECT key FROM rate_limits");
  for (const { key } of before.rows) expect(key).toMatch(/^[A-Za-z0-9+/]{22}==$/);
  await place.sql.query("UPDATE rate_limits SET updated_at = now() - interval '61 minutes'");
  for (let each = 0; each < before.rows.length / 4 + 1; each++) await signUp(freshAddress(), username.slice(0, 2));
  const { rows } = await place.sql.query("SELECT key FROM rate_limits WHERE updated_at < now() - interval '1 hour'");
  expect(rows).toEqual([]);
});

test("[LIMIT7] tokens come back with time", async () => {
  const address = freshAddress();
  for (let each = 0; each < REGISTER_LIMIT; each++) await signUp(address);
  expect(await signUp(address)).toMatchObject(limited);
  await place.sql.query("UPDATE rate_limits SET updated_at = updated_at - interval '21 minutes'");
  expect((await signUp(address)).status).toBe(201);
  expect(await signUp(address)).toMatchObject(limited);
});

test("[AUTH13] behind a proxy that ends TLS the cookie is Secure", async () => {
  const username = freshName();
  await signUp(freshAddress(), username);
  const headers = {
    ...from(freshAddress()),
    "x-forwarded-proto": "https",
    origin: place.url.replace("http:", "https:"),
  };
  const answer = await call(place.url, "login", { headers, body: { username, password: "correct horse" } });
  expect(answer.status).toBe(200);
  expect(answer.headers.getSetCookie().join()).toMatch(/; Secure/);
});
