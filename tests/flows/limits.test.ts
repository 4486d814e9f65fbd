import { afterAll, beforeAll, expect, test } from "vitest";
import { enroll, freshName, type Person, register } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call } from "./kit/rest.ts";
import { waitFor } from "./kit/wait.ts";

const LIMIT = 20;
const LOGIN_LIMIT = 5;

let place: Place;
beforeAll(async () => {
  // The tests are the proxy: each writes the address it comes from.
  place = await startPlace({ REST_LIMIT: String(LIMIT), LOGIN_LIMIT: String(LOGIN_LIMIT), TRUSTED_PROXY: "127.0.0.1" });
});
afterAll(() => place.stop());

let addresses = 0;
/** An address that no other test comes from. */
function freshAddress(): string {
  addresses += 1;
  return `10.0.${addresses >> 8}.${addresses & 255}`;
}
const from = (address: string) => ({ "x-forwarded-for": address });
function look(person: Pick<Person, "token">, address: string) {
  return call(place.url, "getSelf", { token: person.token, headers: from(address) });
}
/** Asks for all at once; how many were not refused for their number. */
async function admitted(count: number, ask: () => Promise<{ status: number }>): Promise<number> {
  const answers = await Promise.all(Array.from({ length: count }, ask));
  return answers.filter(({ status }) => status !== 429).length;
}
/** As many are admitted as the bucket holds, and what came back while they were asked. */
async function expectBudget(
  { holds, perMinute }: { holds: number; perMinute: number },
  count: number,
  ask: () => Promise<{ status: number }>,
): Promise<void> {
  const beganMs = performance.now();
  const granted = await admitted(count, ask);
  const gained = ((performance.now() - beganMs) / 60_000) * perMinute;
  expect(granted).toBeGreaterThanOrEqual(holds);
  expect(granted).toBeLessThanOrEqual(holds + gained + 1);
}

test("[LIMIT9] a person has two minutes' requests at once, wherever they come from, and is told when there is another", async () => {
  const [person, friend] = (await enroll(place, 2)) as [Person, Person];
  await expectBudget({ holds: 2 * LIMIT, perMinute: LIMIT }, 80, () => look(person, freshAddress()));
  const refused = await waitFor("a refusal", async () => {
    const answer = await look(person, freshAddress());
    return answer.status === 429 ? answer : undefined;
  });
  expect(refused).toMatchObject({ status: 429, error: { code: "rate_limited", retryAfterMs: expect.any(Number) } });
  const waitMs = refused.ok ? 0 : (refused.error.retryAfterMs ?? 0);
  expect(waitMs).toBeLessThanOrEqual(60_000 / LIMIT);
  expect(refused.headers.get("retry-after")).toBe(String(Math.ceil(waitMs / 1_000)));
  expect((await look(friend, freshAddress())).status, "somebody else").toBe(200);
  await waitFor("the next request to be granted", async () => (await look(person, freshAddress())).ok || undefined);
});

test("[LIMIT9] strangers share their address's budget, IPv6 by /64; forged tokens are strangers', people at the address are not", async () => {
  const [person] = (await enroll(place, 1)) as [Person];
  const address = freshAddress();
  const instance = (at: string) => call(place.url, "getInstance", { headers: from(at) });
  await expectBudget({ holds: LIMIT, perMinute: LIMIT }, 50, () => instance(address));
  await waitFor("a forged token to be refused", async () => {
    const { status } = await look({ token: `${person.token}x` }, address);
    return status === 429 || undefined;
  });
  expect((await look(person, address)).status).toBe(200);
  expect((await instance(freshAddress())).status).toBe(200);
  let host = 0;
  const next = () => instance(`2001:db8:0:1::${(++host).toString(16)}`);
  await expectBudget({ holds: LIMIT, perMinute: LIMIT }, 50, next);
  expect((await instance("2001:db8:0:2::1")).status).toBe(200);
});

test("[LIMIT9] a neighbour who asks too much keeps nobody at the address from staying signed in", async () => {
  const person = await register(place);
  const address = freshAddress();
  const entered = await call(place.url, "login", {
    headers: from(address),
    body: { username: person.username, password: person.password },
  });
  const [cookie = ""] = entered.headers.getSetCookie().map((line) => line.split(";", 1)[0]);
  const instance = () => call(place.url, "getInstance", { headers: from(address) });
  await waitFor("the address's budget to be used up", async () => (await admitted(30, instance)) < 30 || undefined);
  expect((await call(place.url, "refresh", { headers: { ...from(address), cookie } })).status).toBe(200);
  const forged = () => call(place.url, "refresh", { headers: { ...from(address), cookie: `${cookie}x` } });
  await expectBudget({ holds: 10 * LIMIT - 1, perMinute: 10 * LIMIT }, 260, forged);
});

test("[LIMIT9] ten people's requests a minute at one address, however many there are", async () => {
  const address = freshAddress();
  const people = await enroll(place, 8);
  let asked = 0;
  await expectBudget({ holds: 10 * LIMIT, perMinute: 10 * LIMIT }, 260, () =>
    look(people[++asked % people.length] as Person, address),
  );
});

test("[LIMIT9] invites and keys have stricter budgets of their own", async () => {
  const [person] = (await enroll(place, 1)) as [Person];
  const { token } = person;
  const guess = () => call(place.url, "getInvite", { token, params: { code: "abcDEF1234" } });
  await expectBudget({ holds: 2 * LIMIT * 0.2, perMinute: LIMIT * 0.2 }, 30, guess);
  const keys = () => call(place.url, "userDevices", { token, params: { id: person.id } });
  await expectBudget({ holds: 2 * LIMIT * 0.6, perMinute: LIMIT * 0.6 }, 60, keys);
  expect((await look(person, freshAddress())).status).toBe(200);
});

test("[LIMIT10] who has used the budget up costs PostgreSQL nothing, and a crash forgives no sign-in attempts", async () => {
  const [person] = (await enroll(place, 1)) as [Person];
  const address = freshAddress();
  const attempt = () =>
    call(place.url, "login", { headers: from(address), body: { username: freshName(), password: "wrong password" } });
  await waitFor("sign-ins to be refused", async () => (await admitted(6, attempt)) < 6);
  const refusedMs = performance.now();
  await place.stack.workerd.kill9();
  await place.stack.workerd.restart();
  const granted = await admitted(6, attempt);
  const gained = ((performance.now() - refusedMs) / 60_000) * LOGIN_LIMIT;
  expect(granted, "after a crash").toBeLessThanOrEqual(gained + 1);

  const flood = () => look(person, freshAddress());
  await place.stack.postgres?.stop();
  // Those who are let through find no database; the others are refused all the same.
  await waitFor("nobody to be let through", async () => (await admitted(20, flood)) === 0 || undefined, 60_000);
  await place.stack.postgres?.start();
});
