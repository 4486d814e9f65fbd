import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { opener } from "./kit/opener.ts";
import { enroll, freshName, type Person, register } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { waitFor } from "./kit/wait.ts";
import { runTool } from "../ops/kit/tool.ts";
import { codeOf, stepNow } from "./accounts-authenticator.ts";

const LOGIN_LIMIT = 20;
const NEW = "a whole new password";

let place: Place;
let operator: Person;
beforeAll(async () => {
  // The tests are the proxy: each comes from an address of its own.
  place = await startPlace({ LOGIN_LIMIT: String(LOGIN_LIMIT), TRUSTED_PROXY: "127.0.0.1" });
  [operator] = (await enroll(place, 1)) as [Person];
  await place.sql.query("UPDATE users SET operator = true WHERE id = $1", [operator.id]);
});
afterAll(() => place.stop());
const open = opener(() => place);

let addresses = 0;
/** Headers of somebody who comes from where nobody came from before. */
const elsewhere = () => ({ "x-forwarded-for": `198.51.100.${++addresses}` });

const make = (by: Pick<Person, "token">, { id }: Pick<Person, "id">) =>
  call(place.url, "makePasswordLink", { token: by.token, params: { id } });
async function secretFor(person: Pick<Person, "id">): Promise<string> {
  const { secret } = await granted(place.url, "makePasswordLink", { token: operator.token, params: { id: person.id } });
  return secret;
}
const read = (secret: string, headers = elsewhere()) =>
  call(place.url, "readPasswordLink", { headers, body: { secret } });
const use = (secret: string, password = NEW, headers = elsewhere()) =>
  call(place.url, "usePasswordLink", { headers, body: { secret, password } });
const signIn = (username: string, password: string, totp?: string) =>
  call(place.url, "login", {
    headers: elsewhere(),
    body: { username, password, ...(totp === undefined ? {} : { totp }) },
  });
const told = async (token: string) => (await granted(place.url, "listSessions", { token })).passwordLink;

const over = { status: 403, error: { code: "forbidden" } };

describe("[OP8] a link for a new password", () => {
  test("is made by an operator, for a person who is none and is not disabled; the log tells it", async () => {
    const [person, other] = (await enroll(place, 2)) as [Person, Person];
    const made = await make(operator, person);
    expect(made).toMatchObject({
      status: 201,
      value: { secret: expect.stringMatching(/^[\w-]{43}$/), expiresIn: 86_400 },
    });
    const { entries } = await granted(place.url, "operatorLog", { token: operator.token, query: { limit: "1" } });
    expect(entries).toMatchObject([
      {
        action: "user.passwordLink",
        operator: { id: operator.id },
        subject: person.id,
        subjectName: person.username,
        details: null,
      },
    ]);
    expect(await make(person, other)).toMatchObject({ status: 403, error: { code: "forbidden" } });
    const conflict = { status: 409, error: { code: "conflict" } };
    expect(await make(operator, operator), "for oneself").toMatchObject(conflict);
    const change = (what: "promote" | "disable" | "enable") =>
      granted(place.url, "patchAccount", {
        token: operator.token,
        params: { id: other.id },
        body: { change: what },
      });
    const before = await secretFor(other);
    await change("promote");
    expect(await make(operator, other), "for another operator").toMatchObject(conflict);
    expect(await read(before), "made before they were one").toMatchObject(over);
    await change("disable");
    expect(await make(operator, other), "for who is disabled").toMatchObject(conflict);
    await granted(place.url, "deleteAccount", {
      token: operator.token,
      params: { id: other.id },
      body: { ownedServers: 0 },
    });
    expect(await make(operator, other)).toMatchObject({ status: 404, error: { code: "not_found" } });
  });

  test("is none for who was an operator when they opened the page", async () => {
    const [former, person] = (await enroll(place, 2)) as [Person, Person];
    await place.sql.query("UPDATE users SET operator = true WHERE id = $1", [former.id]);
    expect((await make(former, person)).status).toBe(201);
    await place.sql.query("UPDATE users SET operator = false WHERE id = $1", [former.id]);
    expect(await make(former, person)).toMatchObject({ status: 403, error: { code: "forbidden" } });
  });
});

describe("[PWL1] the secret", () => {
  test("stands in no table and no log; who it is for is told by it alone", async () => {
    const person = await register(place);
    const secret = await secretFor(person);
    expect(await read(secret)).toMatchObject({ status: 200, value: { username: person.username } });
    expect((await use(secret)).status).toBe(204);
    const another = await secretFor(person);
    const { rows } = await place.sql.query<{ row: string }>(
      `SELECT u::text || (SELECT string_agg(l::text, '') FROM operator_log l WHERE l.subject = u.id::text) AS row
       FROM users u WHERE id = $1`,
      [person.id],
    );
    expect(rows[0]?.row).toContain("user.passwordLink");
    for (const word of [secret, another]) {
      expect(rows[0]?.row).not.toContain(word);
      expect(rows[0]?.row).not.toContain(Buffer.from(word).toString("hex"));
      expect(place.log()).not.toContain(word);
    }
    expect(place.log()).not.toContain(NEW);
  });

  test("is void once another is made, a day has gone by, the account is disabled, or its owner changed the password", async () => {
    const person = await register(place);
    const first = await secretFor(person);
    const second = await secretFor(person);
    expect(await read(first)).toMatchObject(over);
    expect((await read(second)).status).toBe(200);
    const later = (interval: string) =>
      place.sql.query("UPDATE users SET password_link_made_at = password_link_made_at - $2::interval WHERE id = $1", [
        person.id,
        interval,
      ]);
    await later("23 hours 59 minutes");
    expect((await read(second)).status).toBe(200);
    await later("1 minute");
    expect(await read(second)).toMatchObject(over);
    expect(await use(second)).toMatchObject(over);

    const third = await secretFor(person);
    const body = { currentPassword: person.password, password: "their own doing" };
    await granted(place.url, "patchSelf", { token: person.token, body });
    expect(await use(third)).toMatchObject(over);
    expect((await signIn(person.username, "their own doing")).status).toBe(200);

    const fourth = await secretFor(person);
    for (const what of ["disable", "enable"] as const) {
      await granted(place.url, "patchAccount", {
        token: operator.token,
        params: { id: person.id },
        body: { change: what },
      });
      expect(await read(fourth), what).toMatchObject(over);
    }
  });
});

describe("[PWL2] a link", () => {
  test("that was used, and one that somebody made up, are answered alike", async () => {
    const person = await register(place);
    const secret = await secretFor(person);
    expect((await use(secret)).status).toBe(204);
    const answers = [];
    for (const word of [secret, "A".repeat(43), secret.toLowerCase(), secret.split("").toReversed().join("")]) {
      for (const answer of [await read(word), await use(word, "yet another one")]) {
        expect(answer).toMatchObject(over);
        answers.push(JSON.stringify(answer.ok ? undefined : answer.error));
      }
    }
    expect(new Set(answers).size).toBe(1);
    expect((await signIn(person.username, NEW)).status).toBe(200);
  });

  test("sets one password, however many use it at once", async () => {
    const person = await register(place);
    const secret = await secretFor(person);
    const passwords = Array.from({ length: 5 }, (_, n) => `the password number ${n}`);
    const answers = await Promise.all(passwords.map((password) => use(secret, password)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 403, 403, 403, 403]);
    for (const [n, password] of passwords.entries())
      expect((await signIn(person.username, password)).status, password).toBe(answers[n]?.ok === true ? 200 : 401);
    expect((await signIn(person.username, person.password)).status).toBe(401);
  });

  test("takes the passwords that registration takes, and a refused one does not use it up", async () => {
    const person = await register(place);
    const secret = await secretFor(person);
    for (const password of ["short", "é".repeat(37), "with\u0000nothing"])
      expect(await use(secret, password)).toMatchObject({ status: 400, error: { code: "invalid_request" } });
    const url = `${place.url}/api/auth/password-link`;
    for (const [path, body, code] of [
      ["", "{", "invalid_request"],
      ["", "{}", "invalid_request"],
      ["", JSON.stringify({ secret: [secret] }), "invalid_request"],
      ["/use", JSON.stringify({ secret: `${secret}\u0000`, password: NEW }), "invalid_request"],
      ["/use", JSON.stringify({ secret }), "invalid_request"],
    ] as const) {
      const response = await fetch(`${url}${path}`, { method: "POST", headers: elsewhere(), body });
      expect((await response.json()) as object, body.slice(0, 60)).toMatchObject({ error: { code } });
    }
    expect((await use(secret)).status).toBe(204);
  });
});

describe("[PWL3] a password that a link set", () => {
  test("ends every session and socket before the answer; the old password is none any more", async () => {
    const person = await register(place);
    const other = await granted(place.url, "login", {
      headers: elsewhere(),
      body: { username: person.username, password: person.password },
    });
    const sockets = [await open.on(person, { reconnection: false }), await open.on({ token: other.accessToken })];
    const answer = await use(await secretFor(person));
    expect(answer.status).toBe(204);
    expect(answer.headers.getSetCookie(), "nobody is signed in by it").toEqual([]);
    for (const token of [person.token, other.accessToken])
      expect(await call(place.url, "getSelf", { token })).toMatchObject({ error: { code: "session_revoked" } });
    for (const socket of sockets) {
      await socket.until("session:revoked");
      await waitFor("the close", () => socket.closes.length > 0);
    }
    expect((await signIn(person.username, person.password)).status).toBe(401);
    expect((await signIn(person.username, NEW)).status).toBe(200);
  });

  test("leaves no session of a sign-in that was under way", async () => {
    const person = await register(place);
    const secret = await secretFor(person);
    const used = use(secret);
    const attempts = await Promise.all(Array.from({ length: 6 }, () => signIn(person.username, person.password)));
    expect((await used).status).toBe(204);
    for (const attempt of attempts) {
      if (!attempt.ok) continue;
      const { accessToken: token } = attempt.value;
      expect(await call(place.url, "getSelf", { token })).toMatchObject({ error: { code: "session_revoked" } });
    }
    const { rows } = await place.sql.query("SELECT id FROM sessions WHERE user_id = $1", [person.id]);
    expect(rows).toEqual([]);
  });

  test("leaves the second factor as it was", async () => {
    const person = await register(place);
    const { secret: factor } = await granted(place.url, "totpSetup", { token: person.token });
    const step = stepNow();
    await granted(place.url, "totpEnable", { token: person.token, body: { code: codeOf(factor, step) } });
    expect((await use(await secretFor(person))).status).toBe(204);
    expect(await signIn(person.username, NEW)).toMatchObject({ error: { code: "totp_required" } });
    expect((await signIn(person.username, NEW, codeOf(factor, step + 1))).status).toBe(200);
  });
});

test("[LIMIT2] attempts on links count as sign-ins from their address", async () => {
  const headers = elsewhere();
  const attempts = await Promise.all(
    Array.from({ length: LOGIN_LIMIT + 4 }, (_, n) =>
      n % 2 === 0 ? read("A".repeat(43), headers) : use("A".repeat(43), NEW, headers),
    ),
  );
  expect(attempts.filter(({ status }) => status === 403)).toHaveLength(LOGIN_LIMIT);
  expect(
    attempts.filter(({ ok, ...rest }) => !ok && "error" in rest && rest.error.code === "rate_limited"),
  ).toHaveLength(4);
  const body = { username: freshName(), password: NEW };
  expect(await call(place.url, "login", { headers, body })).toMatchObject({ status: 429 });
});

test("[PWL4] its owner is told of the last link: when it was made, and when it was used", async () => {
  const person = await register(place);
  expect(await told(person.token)).toBeNull();
  const secret = await secretFor(person);
  const justNow = expect.toSatisfy((at: string) => Math.abs(Date.parse(at) - Date.now()) < 60_000);
  expect(await told(person.token)).toEqual({ madeAt: justNow, usedAt: null });
  await use(secret);
  const { accessToken } = await granted(place.url, "login", {
    headers: elsewhere(),
    body: { username: person.username, password: NEW },
  });
  expect(await told(accessToken)).toEqual({ madeAt: justNow, usedAt: justNow });
  await secretFor(person);
  expect(await told(accessToken)).toEqual({ madeAt: justNow, usedAt: null });
});

describe("[PWL5] from the machine", () => {
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    runTool("password-link", args, { DATA_DIR: place.stack.dataDir, DATABASE_URL: "", LESCOPAINS_URL: "", ...env });
  const linkIn = (output: string) =>
    /^(http\S+)\/reset#(\S{43}) sets a new password for (\S+), once/m.exec(output) ?? [];

  test("a link is made while the place runs, for the only operator too, and voids the one before", async () => {
    const [chief] = (await enroll(place, 1)) as [Person];
    await place.sql.query("UPDATE users SET operator = true WHERE id = $1", [chief.id]);
    const before = await run([chief.username]);
    const { code, output } = await run([chief.username.toUpperCase()]);
    expect(code, output).toBe(0);
    const [, url, secret = "", name] = linkIn(output);
    expect([url, name]).toEqual([place.url, chief.username]);
    expect(await read(linkIn(before.output)[2] ?? "")).toMatchObject(over);
    expect(await read(secret)).toMatchObject({ value: { username: chief.username } });
    expect(await told(chief.token)).toMatchObject({ usedAt: null });
    expect((await use(secret)).status).toBe(204);
    expect(await signIn(chief.username, NEW)).toMatchObject({ value: { user: { operator: true } } });
  });

  test("also by the database's address alone, as in a container and for Cloudflare", async () => {
    const [person] = (await enroll(place, 1)) as [Person];
    const { code, output } = await run([person.username], {
      DATA_DIR: "/nowhere",
      DATABASE_URL: place.stack.databaseUrl,
      LESCOPAINS_URL: "https://example.org:443",
    });
    expect(code, output).toBe(0);
    const [, url, secret = ""] = linkIn(output);
    expect(url).toBe("https://example.org");
    expect(await read(secret)).toMatchObject({ value: { username: person.username } });
  });

  test("what cannot be is one line", async () => {
    const [disabled] = (await enroll(place, 1)) as [Person];
    await place.sql.query("UPDATE users SET disabled_at = now() WHERE id = $1", [disabled.id]);
    for (const [args, env, line] of [
      [[], {}, /^Say whose: npm run password-link -- <username>\n$/],
      [["a", "b"], {}, /^Say whose/],
      [["nobody-at-all"], {}, /^There is no account nobody-at-all, or it is disabled\n$/],
      [[disabled.username], {}, /^There is no account \S+, or it is disabled\n$/],
      [
        ["ada"],
        { DATA_DIR: "/nowhere" },
        /^Nothing was ever started on \/nowhere: .*LESCOPAINS_URL=https:\/\/example.org npm run/,
      ],
    ] as const) {
      const { code, output } = await run(args, env);
      expect([code, output], args.join(" ")).toEqual([1, expect.stringMatching(line)]);
    }
  });
});
