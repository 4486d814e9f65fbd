import type { Route } from "@lescopains/protocol/rest";
import { type RouteName, ROUTES } from "@lescopains/protocol/routes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { operatorLink } from "../../tools/stack/operator-link.ts";
import { opener } from "./kit/opener.ts";
import { enroll, freshName, type Person, register, serverWith, tokenFor } from "./kit/people.ts";
import { ON_WRANGLER, type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { FakeSfu } from "./kit/sfu.ts";
import { waitFor } from "./kit/wait.ts";

let place: Place;
let operator: Person;
beforeAll(async () => {
  place = await startPlace();
  [operator] = (await enroll(place, 1)) as [Person];
});
afterAll(() => place.stop());
const open = opener(() => place);

async function secret(): Promise<string> {
  const link = await operatorLink(place.stack.databaseUrl);
  if (link === undefined) throw new Error("nobody is operator, so there is a link");
  return new URL(link, place.url).hash.slice(1);
}
function claim(person: Pick<Person, "token">, word: string) {
  return call(place.url, "claimInstance", { token: person.token, body: { secret: word } });
}
function signUp(invite?: string) {
  const body = { username: freshName(), password: "correct horse", ...(invite === undefined ? {} : { invite }) };
  return call(place.url, "register", { body });
}
function signIn(username: string, password: string) {
  return call(place.url, "login", { body: { username, password } });
}
const setInstance = (body: { registration?: "open" | "invite" | "closed"; serverInvites?: boolean; name?: string }) =>
  granted(place.url, "patchInstance", { token: operator.token, body });
const accountsOf = async (search: string) =>
  (await granted(place.url, "listAccounts", { token: operator.token, query: { search } })).users;
function change(
  by: Pick<Person, "token">,
  { id }: Pick<Person, "id">,
  what: "disable" | "enable" | "promote" | "demote" | "resetTotp",
) {
  return call(place.url, "patchAccount", { token: by.token, params: { id }, body: { change: what } });
}

describe("[OP1] the first operator", () => {
  test("is who opens the link of the latest start; earlier links, made-up ones and first comers get nothing", async () => {
    const [early] = (await enroll(place, 1)) as [Person];
    expect(await granted(place.url, "getSelf", { token: early.token })).toMatchObject({ operator: false });
    const old = await secret();
    const word = await secret();
    for (const wrong of [old, "A".repeat(43)])
      expect(await claim(early, wrong)).toMatchObject({ status: 403, error: { code: "forbidden" } });
    const { rows } = await place.sql.query<{ row: string }>("SELECT instance::text AS row FROM instance");
    expect(rows[0]?.row).not.toContain(word);
    const answers = await Promise.all([claim(operator, word), claim(operator, word)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 403]);
    expect(await granted(place.url, "getSelf", { token: operator.token })).toMatchObject({ operator: true });
    expect(await claim(early, word)).toMatchObject({ status: 403 });
    expect(place.log()).not.toContain(word);
  });

  test("then no start makes a link any more", async () => {
    expect(await operatorLink(place.stack.databaseUrl)).toBeUndefined();
  });

  test("its sockets and sign-ins say that it is one", async () => {
    const connection = await open.on(operator);
    expect((await connection.until("ready")).user).toMatchObject({ id: operator.id, operator: true });
  });
});

describe("[OP2] routes of operators", () => {
  const OPERATORS = Object.entries(ROUTES).filter(([, route]: [string, Route]) => route.auth === "operator") as [
    RouteName,
    Route,
  ][];

  test("are all that stand under /api/operator, save the claim", () => {
    const under = Object.entries(ROUTES).filter(([, { path }]) => path.startsWith("/api/operator/"));
    expect(under.map(([name]) => name).filter((name) => name !== "claimInstance")).toEqual(
      OPERATORS.map(([name]) => name),
    );
    expect(OPERATORS.length).toBeGreaterThan(9);
  });

  test.each(OPERATORS)(
    "%s refuses outsiders, those who are operators no more, and forged tokens",
    async (_name, route) => {
      const [outsider, former, disabled] = (await enroll(place, 3)) as [Person, Person, Person];
      for (const one of [former, disabled]) expect((await change(operator, one, "promote")).status).toBe(200);
      expect((await change(former, disabled, "disable")).status, "an operator until now").toBe(200);
      expect((await change(operator, former, "demote")).status).toBe(200);
      const ended = await tokenFor(place, operator, -60_000);
      const forged = `${operator.token.slice(0, -8)}${operator.token.slice(-8).toLowerCase().split("").toReversed().join("")}`;
      const path = route.path.replace(":id", outsider.id).replace(":code", "abcDEF1234").replace(":node", "local");
      for (const [token, code, status] of [
        [outsider.token, "forbidden", 403],
        [former.token, "forbidden", 403],
        [disabled.token, "session_revoked", 401],
        [ended, "token_expired", 401],
        [forged, "unauthenticated", 401],
        ["", "unauthenticated", 401],
        [place.secrets.sfuSecret, "unauthenticated", 401],
      ] as const) {
        const answer = await fetch(`${place.url}${path}`, {
          method: route.method,
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          ...(route.method === "GET" ? {} : { body: "{}" }),
        });
        expect(answer.status, `${token.slice(0, 8)} ${await answer.clone().text()}`).toBe(status);
        expect(await answer.json()).toMatchObject({ error: { code } });
      }
    },
  );

  test("tell nothing of what people write, nor of their servers' names", async () => {
    const [owner, friend] = (await enroll(place, 2)) as [Person, Person];
    const server = await serverWith(place, owner, [friend]);
    const canary = freshName("canary");
    await granted(place.url, "patchServer", { token: owner.token, params: { id: server.id }, body: { name: canary } });
    const talk = await open.on(owner);
    const channelId = server.channels.find(({ type }) => type === "text")?.id;
    if (channelId === undefined) throw new Error("a server begins with a text channel");
    await talk.must("message:send", { channelId, content: canary, nonce: canary });
    for (const [name, { method, path }] of OPERATORS) {
      if (method !== "GET") continue;
      const answer = await fetch(`${place.url}${path}`, { headers: { authorization: `Bearer ${operator.token}` } });
      expect(answer.status, name).toBe(200);
      expect(await answer.text(), name).not.toContain(canary);
    }
  });
});

describe("[OP3] an account", () => {
  test("that is disabled is out at once, everywhere, and is told why when it signs in; enabled, it is back", async () => {
    const person = await register(place);
    const connection = await open.on(person, { reconnection: false });
    expect((await change(operator, person, "disable")).status).toBe(200);
    expect(await call(place.url, "getSelf", { token: person.token })).toMatchObject({
      error: { code: "session_revoked" },
    });
    await connection.until("session:revoked");
    await waitFor("the socket to close", () => connection.closes.length > 0 || undefined);
    expect(await signIn(person.username, person.password)).toMatchObject({ error: { code: "account_disabled" } });
    expect(await signIn(person.username, "a wrong one")).toMatchObject({ error: { code: "invalid_credentials" } });
    expect(await accountsOf(person.username)).toMatchObject([{ id: person.id, disabled: true, lastUsedAt: null }]);
    expect(await change(operator, person, "disable")).toMatchObject({ error: { code: "conflict" } });
    expect((await change(operator, person, "enable")).status).toBe(200);
    expect((await signIn(person.username, person.password)).status).toBe(200);
  });

  test("whose sign-in was under way has no session left", async () => {
    const person = await register(place);
    const attempts = Promise.all(Array.from({ length: 4 }, () => signIn(person.username, person.password)));
    await change(operator, person, "disable");
    for (const answer of await attempts) {
      if (!answer.ok) continue;
      const { accessToken: token } = answer.value;
      expect(await call(place.url, "getSelf", { token })).toMatchObject({ error: { code: "session_revoked" } });
    }
    const { rows } = await place.sql.query("SELECT id FROM sessions WHERE user_id = $1", [person.id]);
    expect(rows).toEqual([]);
  });

  test("is deleted with the servers it owns, if the operator was shown how many", async () => {
    const [owner, friend] = (await enroll(place, 2)) as [Person, Person];
    const server = await serverWith(place, owner, [friend]);
    const params = { id: owner.id };
    const remove = (ownedServers: number) =>
      call(place.url, "deleteAccount", { token: operator.token, params, body: { ownedServers } });
    expect(await remove(0)).toMatchObject({ error: { code: "conflict" } });
    expect((await remove(1)).status).toBe(204);
    expect(await call(place.url, "getServer", { token: friend.token, params: { id: server.id } })).toMatchObject({
      error: { code: "not_found" },
    });
    expect(await call(place.url, "getSelf", { token: owner.token })).toMatchObject({ status: 401 });
    expect(await remove(0)).toMatchObject({ error: { code: "not_found" } });
  });

  test("that lost its second factor gets rid of it", async () => {
    const [person] = (await enroll(place, 1)) as [Person];
    await place.sql.query("UPDATE users SET totp_secret = '\\x00', totp_enabled_at = now() WHERE id = $1", [person.id]);
    await place.sql.query("INSERT INTO recovery_codes VALUES ($1, '\\x01')", [person.id]);
    expect(await change(operator, person, "resetTotp")).toMatchObject({ value: { totpEnabled: false } });
    const { rows } = await place.sql.query(
      "SELECT totp_secret FROM users WHERE id = $1 UNION ALL SELECT code_hash FROM recovery_codes WHERE user_id = $1",
      [person.id],
    );
    expect(rows).toEqual([{ totp_secret: null }]);
  });

  test("is found by parts of its names and address, a page at a time; what looks like a pattern is none", async () => {
    const people = (await enroll(place, 3)) as [Person, Person, Person];
    const tag = freshName("find");
    for (const [n, { id }] of people.entries())
      await place.sql.query("UPDATE users SET username = $2, display_name = 'Ünique 100%', email = $3 WHERE id = $1", [
        id,
        `${tag}-${n}`,
        `${tag}@example.org`,
      ]);
    const names = (users: { username: string }[]) => users.map(({ username }) => username);
    expect(names(await accountsOf(tag.toUpperCase()))).toEqual([0, 1, 2].map((n) => `${tag}-${n}`));
    expect(await accountsOf(`${tag}%`)).toEqual([]);
    expect(names(await accountsOf("00%"))).toHaveLength(3);
    const query = { search: tag, limit: "2" };
    const first = await granted(place.url, "listAccounts", { token: operator.token, query });
    expect(names(first.users)).toEqual([`${tag}-0`, `${tag}-1`]);
    const after = first.next ?? "";
    const second = await granted(place.url, "listAccounts", { token: operator.token, query: { ...query, after } });
    expect([names(second.users), second.next]).toEqual([[`${tag}-2`], null]);
    expect((await change(operator, people[0], "disable")).status).toBe(200);
    expect((await change(operator, people[1], "promote")).status).toBe(200);
    const only = async (which: "operators" | "disabled") =>
      names(
        (await granted(place.url, "listAccounts", { token: operator.token, query: { search: tag, only: which } }))
          .users,
      );
    expect([await only("disabled"), await only("operators")]).toEqual([[`${tag}-0`], [`${tag}-1`]]);
    expect((await change(operator, people[1], "demote")).status).toBe(200);
  });
});

describe("[OP4] the last operator", () => {
  test("stays: neither withdrawn, nor disabled by themselves, nor deleted", async () => {
    expect(await change(operator, operator, "demote")).toMatchObject({ status: 409, error: { code: "last_operator" } });
    expect(await change(operator, operator, "disable")).toMatchObject({ error: { code: "conflict" } });
    const body = { ownedServers: 0 };
    expect(
      await call(place.url, "deleteAccount", { token: operator.token, params: { id: operator.id }, body }),
    ).toMatchObject({ error: { code: "conflict" } });
    await expect(place.sql.query("DELETE FROM users WHERE id = $1", [operator.id])).rejects.toThrow("last operator");
    expect(await granted(place.url, "getSelf", { token: operator.token })).toMatchObject({ operator: true });
  });

  test("stays when all are withdrawn at once", async () => {
    const others = await enroll(place, 3);
    for (const other of others) expect((await change(operator, other, "promote")).status).toBe(200);
    const all = [operator, ...others];
    // Each withdraws themselves, and the next one.
    await Promise.all(
      all.flatMap((one, n) => [change(one, one, "demote"), change(one, all[(n + 1) % 4] as Person, "demote")]),
    );
    const { rows } = await place.sql.query<{ id: Person["id"] }>("SELECT id FROM users WHERE operator");
    expect(rows).toHaveLength(1);
    const left = all.find(({ id }) => id === rows[0]?.id) as Person;
    if (left !== operator) {
      expect((await change(left, operator, "promote")).status).toBe(200);
      expect((await change(operator, left, "demote")).status).toBe(200);
    }
  });
});

describe("[OP5] registration", () => {
  test("is open at first, and everybody is told", async () => {
    const { registration, version } = await granted(place.url, "getInstance");
    expect([registration, version]).toEqual(["open", expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
    expect((await signUp()).status).toBe(201);
  });

  test("takes an invite where one is needed, as often as it may be used, and not when it ended", async () => {
    await setInstance({ registration: "invite", serverInvites: false, name: "Chez nous" });
    expect(await granted(place.url, "getInstance")).toMatchObject({ registration: "invite", name: "Chez nous" });
    expect(await signUp()).toMatchObject({ status: 403, error: { code: "invite_required" } });
    expect(await signUp("abcDEF1234")).toMatchObject({ error: { code: "invite_invalid" } });
    const { code } = await granted(place.url, "createInstanceInvite", {
      token: operator.token,
      body: { maxUses: 2, expiresIn: 3_600 },
    });
    // Of many at once two get in.
    const answers = await Promise.all(Array.from({ length: 5 }, () => signUp(code)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    const { code: ended } = await granted(place.url, "createInstanceInvite", {
      token: operator.token,
      body: { maxUses: null, expiresIn: null },
    });
    await place.sql.query("UPDATE instance_invites SET expires_at = now() - interval '1 second' WHERE code = $1", [
      ended,
    ]);
    expect(await signUp(ended)).toMatchObject({ error: { code: "invite_invalid" } });
    const { code: revoked } = await granted(place.url, "createInstanceInvite", {
      token: operator.token,
      body: { maxUses: null, expiresIn: null },
    });
    const { invites } = await granted(place.url, "listInstanceInvites", { token: operator.token });
    expect(invites.map((each) => each.code)).toEqual([revoked]);
    await granted(place.url, "revokeInstanceInvite", { token: operator.token, params: { code: revoked } });
    expect(await signUp(revoked)).toMatchObject({ error: { code: "invite_invalid" } });
  });

  test("a name that is taken uses no invite up", async () => {
    await setInstance({ registration: "invite" });
    const { code } = await granted(place.url, "createInstanceInvite", {
      token: operator.token,
      body: { maxUses: 1, expiresIn: null },
    });
    const body = { username: operator.username, password: "correct horse", invite: code };
    expect(await call(place.url, "register", { body })).toMatchObject({ error: { code: "username_taken" } });
    expect((await signUp(code)).status).toBe(201);
  });

  test("takes an invite to a server where operators let it", async () => {
    await setInstance({ registration: "invite", serverInvites: false });
    const [owner] = (await enroll(place, 1)) as [Person];
    const server = await serverWith(place, owner, []);
    const { code } = await granted(place.url, "createInvite", {
      token: owner.token,
      params: { id: server.id },
      body: {},
    });
    expect(await signUp(code)).toMatchObject({ error: { code: "invite_invalid" } });
    await setInstance({ serverInvites: true });
    expect((await signUp(code)).status).toBe(201);
  });

  test("is closed where operators close it", async () => {
    await setInstance({ registration: "closed" });
    const { code } = await granted(place.url, "createInstanceInvite", {
      token: operator.token,
      body: { maxUses: null, expiresIn: null },
    });
    for (const invite of [undefined, code])
      expect(await signUp(invite)).toMatchObject({ status: 403, error: { code: "registration_closed" } });
    await setInstance({ registration: "open" });
  });
});

test("[OP6] what operators did is told: who, what, when; accounts that are gone have their names", async () => {
  const person = await register(place);
  await change(operator, person, "disable");
  await granted(place.url, "deleteAccount", {
    token: operator.token,
    params: { id: person.id },
    body: { ownedServers: 0 },
  });
  await setInstance({ name: "LesCopains" });
  const { entries, next } = await granted(place.url, "operatorLog", { token: operator.token, query: { limit: "3" } });
  expect(entries).toMatchObject([
    { action: "instance.change", details: { name: "LesCopains" } },
    { action: "user.delete", subject: person.id, subjectName: person.username },
    { action: "user.disable", subject: person.id, subjectName: person.username },
  ]);
  for (const { operator: by, at } of entries) {
    expect(by).toEqual({ id: operator.id, name: operator.username });
    expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(60_000);
  }
  const before = String(next);
  const more = await granted(place.url, "operatorLog", { token: operator.token, query: { before, limit: "1" } });
  expect(more.entries[0]?.id).toBeLessThan(entries.at(-1)?.id ?? 0);
  // A code would let whoever reads the log in.
  const { rows } = await place.sql.query("SELECT subject FROM operator_log WHERE action LIKE 'invite.%'");
  expect(rows.length).toBeGreaterThan(2);
  for (const { subject } of rows as { subject: string }[]) expect(subject).toHaveLength(4);
});

test("[OP7] voice nodes are shown with their load, drained and taken back", async () => {
  const sfu = await new FakeSfu(place).start();
  const { token } = operator;
  const nodes = async () => (await granted(place.url, "listVoiceNodes", { token })).nodes;
  await waitFor("the node to be there", async () => (await nodes()).length > 0 || undefined);
  expect(await nodes()).toMatchObject([{ id: sfu.id, draining: false, connected: true, load: { rooms: 0 } }]);
  const params = { node: sfu.id };
  await granted(place.url, "patchVoiceNode", { token, params, body: { draining: true, minutes: 5 } });
  expect(sfu.commands).toMatchObject([{ type: "drain", deadlineMs: 300_000 }]);
  await granted(place.url, "patchVoiceNode", { token, params, body: { draining: false } });
  expect(sfu.commands.at(-1)).toMatchObject({ type: "undrain" });
  expect(
    await call(place.url, "patchVoiceNode", { token, params: { node: "nowhere" }, body: { draining: false } }),
  ).toMatchObject({ error: { code: "not_found" } });
  expect(await granted(place.url, "operatorStatus", { token })).toMatchObject({
    nodes: 1,
    unnamedProxy: false,
    databaseVersion: expect.stringMatching(/^1[7-9]/),
    tables: expect.arrayContaining([expect.objectContaining({ name: "users" })]),
  });
  const headers = { "x-forwarded-for": "198.51.100.7" };
  // In wrangler dev nobody calls directly.
  const unnamedProxy = ON_WRANGLER ? expect.any(Boolean) : true;
  expect(await granted(place.url, "operatorStatus", { token, headers })).toMatchObject({ unnamedProxy });
  sfu.kill();
});
