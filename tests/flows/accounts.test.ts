import { createHmac, randomUUID } from "node:crypto";
import type { SessionId } from "@lescopains/protocol/ids";
import { LIMITS, PERIODS } from "@lescopains/protocol/limits";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signAccessToken } from "../../edge/src/auth/access-token.ts";
import { openRefreshToken, sealRefreshToken } from "../../edge/src/auth/refresh-token.ts";
import { connect } from "./kit/connection.ts";
import { enroll, freshName, register } from "./kit/people.ts";
import { ON_WRANGLER, type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { waitFor } from "./kit/wait.ts";

/** `wrangler dev` hashes passwords in the process of everything else, and is slow to take 200 requests at once. */
const onWorkerd = ON_WRANGLER ? () => undefined : test;

let place: Place;
beforeAll(async () => {
  place = await startPlace();
});
afterAll(() => place.stop());

/** The refresh cookie that an answer sets: its value and its attributes. */
function refreshCookie({ headers }: { readonly headers: Headers }): { value: string; attributes: string[] } {
  const cookie = headers.getSetCookie().find((line) => line.startsWith("lescopains_refresh="));
  const [pair = "", ...attributes] = (cookie ?? "").split("; ");
  return { value: pair.slice(pair.indexOf("=") + 1), attributes: attributes.toSorted() };
}
const withCookie = (value: string) => ({ headers: { cookie: `lescopains_refresh=${value}` } });
const refresh = (value: string) => call(place.url, "refresh", withCookie(value));
const whoAmI = (token?: string) => call(place.url, "getSelf", token === undefined ? {} : { token });
const login = (username: string, password: string) => call(place.url, "login", { body: { username, password } });

/** Registers and answers what a browser keeps. */
async function signUp(username = freshName()) {
  const password = `the password of ${username}`;
  const answer = await call(place.url, "register", { body: { username, password } });
  if (!answer.ok) throw new Error(answer.error.code);
  return { ...answer.value, username, password, cookie: refreshCookie(answer).value };
}

describe("registering and signing in", () => {
  test("[AUTH1] registering makes an account that is signed in", async () => {
    const username = freshName("Chloe");
    const answer = await call(place.url, "register", {
      body: { username, password: "correct horse", email: "chloe@example.org" },
    });
    expect(answer).toMatchObject({
      status: 201,
      value: {
        user: { username, displayName: username, email: "chloe@example.org", totpEnabled: false },
        expiresIn: PERIODS.accessTokenMs / 1_000,
      },
    });
    if (!answer.ok) return;
    expect(await whoAmI(answer.value.accessToken)).toMatchObject({ status: 200, value: answer.value.user });
    expect(JSON.stringify(answer.value)).not.toContain(refreshCookie(answer).value);
  });

  test("[AUTH2] a name is one person's whatever its case, also when several ask at once", async () => {
    const name = freshName("race");
    const answers = await Promise.all(
      [name, name.toUpperCase(), name, name.toUpperCase()].map((username) =>
        call(place.url, "register", { body: { username, password: "correct horse" } }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409]);
    expect(answers.filter(({ ok }) => !ok)).toEqual(
      Array(3).fill(
        expect.objectContaining({
          error: expect.objectContaining({ code: "username_taken" }),
        }),
      ),
    );
  });

  test("[AUTH3] an unknown name and a wrong password are answered alike; any case of the name signs in", async () => {
    const { username, password } = await register(place);
    const wrong = await login(username, "wrong password");
    const unknown = await login(freshName(), "wrong password");
    const impossible = await login("no\u0000name", "wrong password");
    expect(wrong).toMatchObject({ status: 401, error: { code: "invalid_credentials" } });
    for (const other of [unknown, impossible]) {
      expect(other.status).toBe(wrong.status);
      expect(other.ok ? undefined : other.error).toEqual(wrong.ok ? undefined : wrong.error);
    }
    expect(await login(username.toUpperCase(), password)).toMatchObject({ status: 200, value: { user: { username } } });
  });

  test("[AUTH4] passwords are stored with bcrypt at cost 12, and older ones are brought to it at the next sign-in", async () => {
    const { id, username, password } = await register(place);
    const stored = async () =>
      (await place.sql.query<{ hash: string }>("SELECT password_hash AS hash FROM users WHERE id = $1", [id])).rows[0]
        ?.hash;
    expect(await stored()).toMatch(/^\$2b\$12\$/);
    // bcrypt of "an old password" at cost 4.
    const weak = "$2b$04$Xai8DJT/C9SH0nMh2lsDOe/IpjDiWMTR2DN3s8BqzFrVNDugpY9N.";
    await place.sql.query("UPDATE users SET password_hash = $2 WHERE id = $1", [id, weak]);
    expect((await login(username, password)).status).toBe(401);
    expect(await stored()).toMatch(/^\$2b\$04\$/);
    expect((await login(username, "an old password")).status).toBe(200);
    expect(await stored()).toMatch(/^\$2b\$12\$/);
    expect((await login(username, "an old password")).status).toBe(200);
  });

  test("[AUTH5] what bcrypt would not read to its end never matches", async () => {
    const long = "é".repeat(36); // 72 bytes.
    const username = freshName();
    await granted(place.url, "register", { body: { username, password: long } });
    expect((await login(username, `${long}!`)).status).toBe(401);
    expect((await login(username, long)).status).toBe(200);
    const short = await register(place);
    expect((await login(short.username, `${short.password}\u0000${short.password}`)).status).toBe(401);
    const tooLong = await call(place.url, "register", { body: { username: freshName(), password: `${long}!` } });
    expect(tooLong).toMatchObject({ status: 400, error: { code: "invalid_request" } });
  });

  onWorkerd(
    "[AUTH6] sign-ins hold nobody else up; with too many of them some are told when to come again",
    async () => {
      const { username, password, token } = await register(place);
      let pending = 60;
      const signIns = Array.from({ length: pending }, async (_, each) => {
        const answer = await login(each === 0 ? username : freshName(), password);
        pending--;
        return answer;
      });
      for (let each = 0; each < 20; each++) expect((await whoAmI(token)).status).toBe(200);
      expect(pending).toBeGreaterThan(0);
      const answers = await Promise.all(signIns);
      const refused = answers.filter(({ status }) => status === 503);
      expect(refused.length).toBeGreaterThan(0);
      // Whoever was not told so was answered: the one with an account, if it was among them, and those without.
      const answered = answers.filter(({ status }) => status !== 503);
      expect(answered.length).toBeGreaterThan(0);
      for (const { status } of answered) expect([200, 401]).toContain(status);
      await waitFor("a free place", async () => (await login(username, password)).status === 200, 60_000);
      for (const answer of refused) {
        expect(answer).toMatchObject({ error: { code: "unavailable", retryAfterMs: expect.any(Number) } });
        expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
      }
    },
  );

  test("[AUTH6] people who give up while they wait leave no place taken", async () => {
    const { username, password } = await register(place);
    const impatience = AbortSignal.timeout(150);
    const init = { method: "POST", signal: impatience } as const;
    await Promise.allSettled(
      Array.from({ length: 25 }, () =>
        fetch(`${place.url}/api/auth/login`, { ...init, body: JSON.stringify({ username: freshName(), password }) }),
      ),
    );
    await waitFor("a free place", async () => (await login(username, password)).status === 200, 60_000);
  });
});

describe("access tokens and sessions", () => {
  test("[AUTH7] a token that is missing, made up, of another instance or without a signature is refused", async () => {
    const { id, sessionId, token } = await register(place);
    const theirs = Buffer.alloc(32, 7).toString("base64");
    const [header = "", payload = "", signature = ""] = token.split(".");
    const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    /** A token that is properly signed, with other claims. */
    const signed = (claims: object) => {
      const text = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
      const mac = createHmac("sha256", Buffer.from(place.jwtSecret, "base64")).update(text).digest("base64url");
      return `${text}.${mac}`;
    };
    const ours = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Record<string, unknown>;
    expect((await whoAmI(signed(ours))).status).toBe(200);
    const forged = [
      undefined,
      "",
      "x",
      "x".repeat(5_000),
      `${header}.${payload}.`,
      `${none}.${payload}.`,
      `${header}.${payload}.${signature.replace(/^./, (char) => (char === "A" ? "B" : "A"))}`,
      signed({ ...ours, iss: "someone else" }),
      signed({ ...ours, sub: "not an id" }),
      signed({ ...ours, sid: undefined }),
      await signAccessToken(theirs, id, sessionId, Date.now()),
    ];
    for (const each of forged)
      expect(await whoAmI(each)).toMatchObject({ status: 401, error: { code: "unauthenticated" } });
    const answer = await call(place.url, "getSelf", { headers: { authorization: `Basic ${token}` } });
    expect(answer).toMatchObject({ status: 401, error: { code: "unauthenticated" } });
  });

  test("[AUTH7] a token that has ended says so", async () => {
    const { id, sessionId } = await register(place);
    const ended = await signAccessToken(place.jwtSecret, id, sessionId, Date.now() - PERIODS.accessTokenMs - 1_000);
    expect(await whoAmI(ended)).toMatchObject({ status: 401, error: { code: "token_expired" } });
  });

  test("[AUTH8] a revoked session is refused at once, and its sockets close", async () => {
    const { username, password, token } = await register(place);
    const other = await granted(place.url, "login", { body: { username, password } });
    const socket = await connect(place, { token: other.accessToken });
    const kept = await connect(place, { token });
    const { sessions } = await granted(place.url, "listSessions", { token: other.accessToken });
    const id = sessions.find(({ current }) => current)?.id as SessionId;
    await granted(place.url, "revokeSession", { token, params: { id } });
    expect(await whoAmI(other.accessToken)).toMatchObject({ status: 401, error: { code: "session_revoked" } });
    expect(await socket.until("session:revoked")).toEqual({ sessionId: id });
    await waitFor("the close", () => socket.closes.length > 0);
    expect((await whoAmI(token)).status).toBe(200);
    expect(kept.closes).toEqual([]);
    socket.close();
    kept.close();
  });

  test("[AUTH16] sessions are listed by a short name, the current one marked; nobody sees or ends another person's", async () => {
    const { username, password, token } = await register(place);
    const [stranger] = await enroll(place, 1);
    const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
    const firefox = await granted(place.url, "login", {
      body: { username, password },
      headers: { "user-agent": agent },
    });
    const { sessions } = await granted(place.url, "listSessions", { token: firefox.accessToken });
    expect(sessions.map(({ name, current }) => ({ name, current }))).toEqual([
      { name: "Firefox on Linux", current: true },
      { name: "node", current: false },
    ]);
    const [mine] = sessions;
    const theft = await call(place.url, "revokeSession", {
      token: stranger?.token ?? "",
      params: { id: mine?.id ?? "" },
    });
    expect(theft).toMatchObject({ status: 404, error: { code: "not_found" } });
    expect((await whoAmI(firefox.accessToken)).status).toBe(200);
    const itself = await call(place.url, "revokeSession", {
      token: firefox.accessToken,
      params: { id: mine?.id ?? "" },
    });
    expect(itself.status).toBe(204);
    expect(refreshCookie(itself).attributes).toContain("Max-Age=0");
    expect((await whoAmI(token)).status).toBe(200);
  });

  test("[AUTH17] an account has at most 50 sessions: those unused for the longest give way", async () => {
    const { id, username, password, token } = await register(place);
    await place.sql.query(
      `INSERT INTO sessions (id, user_id, name, last_used_at, expires_at)
       SELECT gen_random_uuid(), $1, 'old ' || n, now() - n * interval '1 hour', now() + interval '1 day' FROM generate_series(1, 60) n`,
      [id],
    );
    await granted(place.url, "login", { body: { username, password } });
    const { sessions } = await granted(place.url, "listSessions", { token });
    expect(sessions).toHaveLength(LIMITS.sessionsPerUser);
    expect(sessions.at(-1)?.name).toBe("old 48");
  });

  test("[AUTH18] a session that was not used for 7 days has ended, and is swept away later", async () => {
    const { accessToken, cookie, user, username, password } = await signUp();
    await place.sql.query("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE user_id = $1", [user.id]);
    expect(await whoAmI(accessToken)).toMatchObject({ status: 401, error: { code: "session_revoked" } });
    expect(await refresh(cookie)).toMatchObject({ status: 401, error: { code: "session_revoked" } });
    await granted(place.url, "login", { body: { username, password } });
    const { rows } = await place.sql.query("SELECT id FROM sessions WHERE user_id = $1", [user.id]);
    expect(rows).toHaveLength(1);
  });
});

describe("refresh tokens", () => {
  test("[AUTH9] refreshing gives a new token and seven more days", async () => {
    const { cookie, user } = await signUp();
    await place.sql.query("UPDATE sessions SET expires_at = now() + interval '1 minute' WHERE user_id = $1", [user.id]);
    const answer = await refresh(cookie);
    expect(answer).toMatchObject({ status: 200, value: { user, expiresIn: 900 } });
    expect(refreshCookie(answer).value).not.toBe(cookie);
    expect((await refresh(refreshCookie(answer).value)).status).toBe(200);
    const { rows } = await place.sql.query<{ days: number }>(
      "SELECT extract(epoch FROM expires_at - now())::float8 / 86400 AS days FROM sessions WHERE user_id = $1",
      [user.id],
    );
    expect(rows[0]?.days).toBeCloseTo(7, 2);
  });

  test("[AUTH10] a refresh token that is used twice ends its session and the session's sockets", async () => {
    const { cookie, username, password } = await signUp();
    const other = await granted(place.url, "login", { body: { username, password } });
    const rotated = await refresh(cookie);
    if (!rotated.ok) throw new Error(rotated.error.code);
    const socket = await connect(place, { token: rotated.value.accessToken });
    const reused = await refresh(cookie);
    expect(reused).toMatchObject({ status: 401, error: { code: "session_revoked" } });
    expect(refreshCookie(reused).attributes).toContain("Max-Age=0");
    expect(await refresh(refreshCookie(rotated).value)).toMatchObject({ error: { code: "session_revoked" } });
    expect(await whoAmI(rotated.value.accessToken)).toMatchObject({ error: { code: "session_revoked" } });
    await waitFor("the close", () => socket.closes.length > 0);
    socket.close();
    // Only that session: the account is still signed in elsewhere.
    expect((await whoAmI(other.accessToken)).status).toBe(200);
  });

  test("[AUTH10] a later refresh token than is known is its browser's, after a restore from a backup; the ones before it have been used", async () => {
    const { user, cookie } = await signUp();
    const tokens = [cookie];
    for (let count = 0; count < 3; count += 1) tokens.push(refreshCookie(await refresh(tokens.at(-1) ?? "")).value);
    const [, , third = "", last = ""] = tokens;
    await place.sql.query("UPDATE sessions SET generation = 2 WHERE user_id = $1", [user.id]);
    const taken = await refresh(last);
    expect(taken.status).toBe(200);
    const next = await refresh(refreshCookie(taken).value);
    expect(next.status).toBe(200);
    expect(await refresh(third)).toMatchObject({ status: 401, error: { code: "session_revoked" } });
    expect(await refresh(refreshCookie(next).value)).toMatchObject({ status: 401 });
  });

  onWorkerd("[AUTH11] of 200 refreshes with one token at once, one wins, and the session ends", async () => {
    const { cookie, accessToken } = await signUp();
    const answers = await Promise.all(Array.from({ length: 200 }, () => refresh(cookie)));
    const winners = answers.filter(({ ok }) => ok);
    expect(winners).toHaveLength(1);
    for (const answer of answers) {
      if (!answer.ok) expect(answer).toMatchObject({ status: 401, error: { code: "session_revoked" } });
    }
    expect(await whoAmI(accessToken)).toMatchObject({ error: { code: "session_revoked" } });
    expect(await refresh(refreshCookie(winners[0] ?? answers[0]!).value)).toMatchObject({
      error: { code: "session_revoked" },
    });
  });

  test("[AUTH12] a forged refresh token is refused and ends nothing", async () => {
    const { cookie, accessToken } = await signUp();
    const claims = await openRefreshToken(place.jwtSecret, cookie);
    if (claims === undefined) throw new Error("not a token of ours");
    await refresh(cookie);
    const theirs = Buffer.alloc(32, 7).toString("base64");
    const forged = [
      "",
      "x",
      "A".repeat(70),
      `B${cookie.slice(1)}`,
      await sealRefreshToken(theirs, claims),
      await sealRefreshToken(theirs, { ...claims, generation: 2 }),
    ];
    for (const each of forged)
      expect(await refresh(each)).toMatchObject({ status: 401, error: { code: "unauthenticated" } });
    expect(await call(place.url, "refresh")).toMatchObject({ status: 401, error: { code: "unauthenticated" } });
    expect((await whoAmI(accessToken)).status).toBe(200);
  });

  test("[AUTH12] a genuine token of no session ends nothing", async () => {
    const { cookie, accessToken } = await signUp();
    const claims = await openRefreshToken(place.jwtSecret, cookie);
    if (claims === undefined) throw new Error("not a token of ours");
    const other = { ...claims, sessionId: randomUUID() as SessionId };
    const answer = await refresh(await sealRefreshToken(place.jwtSecret, other));
    expect(answer).toMatchObject({ status: 401, error: { code: "session_revoked" } });
    expect((await whoAmI(accessToken)).status).toBe(200);
  });

  test("[AUTH13] the cookie is out of scripts' and other sites' reach, and is sent to /api/auth only", async () => {
    const { username, password } = await register(place);
    const answer = await login(username, password);
    expect(refreshCookie(answer).attributes).toEqual([
      "HttpOnly",
      "Max-Age=604800",
      "Path=/api/auth",
      "SameSite=Strict",
    ]);
  });

  test("[AUTH14] a page of another origin may not use the routes that read or set the cookie", async () => {
    const { cookie, accessToken, username, password } = await signUp();
    const headers = { origin: "https://evil.example", cookie: `lescopains_refresh=${cookie}` };
    const answers = [
      await call(place.url, "refresh", { headers }),
      await call(place.url, "logout", { headers }),
      await call(place.url, "login", { headers, body: { username, password } }),
      await call(place.url, "register", { headers, body: { username: freshName(), password } }),
      await call(place.url, "refresh", { headers: { ...headers, origin: "null" } }),
    ];
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 403, error: { code: "cross_origin" } });
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect((await whoAmI(accessToken)).status).toBe(200);
    expect((await call(place.url, "refresh", { headers: { ...headers, origin: place.url } })).status).toBe(200);
  });

  test("[AUTH15] signing out ends the session and its sockets; with nothing to end it is fine too", async () => {
    const { cookie, accessToken } = await signUp();
    const socket = await connect(place, { token: accessToken });
    const answer = await call(place.url, "logout", withCookie(cookie));
    expect(answer.status).toBe(204);
    expect(refreshCookie(answer).value).toBe("");
    expect(refreshCookie(answer).attributes).toContain("Max-Age=0");
    expect(await whoAmI(accessToken)).toMatchObject({ error: { code: "session_revoked" } });
    expect(await refresh(cookie)).toMatchObject({ error: { code: "session_revoked" } });
    await waitFor("the close", () => socket.closes.length > 0);
    socket.close();
    expect((await call(place.url, "logout")).status).toBe(204);
    expect((await call(place.url, "logout", withCookie("made up"))).status).toBe(204);
  });
});

describe("bad input", () => {
  test("[AUTH19] whatever is posted is refused with a code, never with a 500", async () => {
    const bodies = [
      "",
      "{",
      "[]",
      "null",
      "7",
      '"x"',
      "{}",
      '{"username":7,"password":[]}',
      '{"username":"ab","password":"short"}',
      JSON.stringify({ username: "a\u0000b", password: "12345678" }),
      JSON.stringify({ username: "x".repeat(60_000), password: "p" }),
      JSON.stringify({ username: "ab", password: "\ud800".repeat(9) }),
      JSON.stringify({ username: "../..", password: "12345678" }),
      JSON.stringify({ username: "éàü", password: "12345678" }),
      JSON.stringify({ username: "ab", password: "12345678", email: "x" }),
    ];
    for (const path of ["register", "login"]) {
      for (const body of bodies) {
        const response = await fetch(`${place.url}/api/auth/${path}`, { method: "POST", body });
        const { error } = (await response.json()) as { error: { code: string } };
        expect([path, body.slice(0, 40), response.status, error.code]).toEqual([
          path,
          body.slice(0, 40),
          expect.toSatisfy((status: number) => status >= 400 && status < 500),
          expect.any(String),
        ]);
      }
    }
  });

  test("[AUTH20] passwords, tokens, names and addresses are not in the log", async () => {
    const { username, password, cookie, accessToken } = await signUp();
    await login(username, "a wrong password");
    await refresh(cookie);
    await refresh(cookie);
    const log = place.log();
    expect(log).toContain("account made");
    for (const secret of [username, password, "a wrong password", cookie, accessToken, "127.0.0.1"])
      expect(log).not.toContain(secret);
  });
});
