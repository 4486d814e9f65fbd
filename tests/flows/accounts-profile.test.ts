import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, stepNow } from "./accounts-authenticator.ts";
import { connect } from "./kit/connection.ts";
import { enroll, register, type Registered } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { waitFor } from "./kit/wait.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace();
});
afterAll(() => place.stop());

/** Forgets which codes were used, so that a test need not wait for the next half-minute. */
async function forgetSteps(person: Registered): Promise<void> {
  await place.sql.query("UPDATE users SET totp_last_step = 0 WHERE id = $1", [person.id]);
}

function login(person: Pick<Registered, "username" | "password">, totp?: string) {
  const { username, password } = person;
  return call(place.url, "login", { body: { username, password, ...(totp === undefined ? {} : { totp }) } });
}

interface Cautious extends Registered {
  readonly secret: string;
  readonly recoveryCodes: readonly string[];
  /** The half-minute whose code is used up: it proved the secret. The next one's is accepted already. */
  readonly usedStep: number;
}

/** Someone with two-factor sign-in. */
async function cautious(): Promise<Cautious> {
  const person = await register(place);
  const { secret } = await granted(place.url, "totpSetup", { token: person.token });
  const usedStep = stepNow();
  const body = { code: codeOf(secret, usedStep) };
  const { recoveryCodes } = await granted(place.url, "totpEnable", { token: person.token, body });
  return { ...person, secret, recoveryCodes, usedStep };
}

describe("two-factor sign-in", () => {
  test("[TOTP2] it is off until the secret is proved; the secret is not in the database", async () => {
    const person = await register(place);
    const { token } = person;
    const { secret, uri } = await granted(place.url, "totpSetup", { token });
    expect(uri).toBe(`otpauth://totp/LesCopains:${person.username}?secret=${secret}&issuer=LesCopains`);
    expect((await login(person)).status).toBe(200);
    const wrong = codeOf(secret, stepNow() + 40);
    const refused = await call(place.url, "totpEnable", { token, body: { code: wrong } });
    expect(refused).toMatchObject({ status: 401, error: { code: "totp_invalid" } });
    const { recoveryCodes } = await granted(place.url, "totpEnable", { token, body: { code: codeOf(secret) } });
    expect(await granted(place.url, "getSelf", { token })).toMatchObject({ totpEnabled: true });
    const { rows } = await place.sql.query<{ row: string }>(
      `SELECT u::text || (SELECT string_agg(r::text, '') FROM recovery_codes r WHERE r.user_id = u.id) AS row
       FROM users u WHERE id = $1`,
      [person.id],
    );
    // Bytes are shown in hexadecimal.
    expect(rows[0]?.row).toContain(person.username);
    for (const hidden of [secret, ...recoveryCodes]) {
      expect(rows[0]?.row).not.toContain(Buffer.from(hidden).toString("hex"));
      expect(rows[0]?.row).not.toContain(hidden);
    }
  });

  test("[TOTP4] then a code is asked for, after the password only, and works once", async () => {
    const person = await cautious();
    expect(await login(person)).toMatchObject({ status: 401, error: { code: "totp_required" } });
    expect(await login({ ...person, password: "wrong password" })).toMatchObject({
      error: { code: "invalid_credentials" },
    });
    const used = codeOf(person.secret, person.usedStep);
    expect(await login(person, used)).toMatchObject({ status: 401, error: { code: "totp_invalid" } });
    const next = codeOf(person.secret, person.usedStep + 1);
    expect(await login(person, next)).toMatchObject({ status: 200, value: { user: { totpEnabled: true } } });
    expect(await login(person, next)).toMatchObject({ status: 401, error: { code: "totp_invalid" } });
    // A code of an earlier half-minute is of no use any more either.
    expect(await login(person, used)).toMatchObject({ status: 401, error: { code: "totp_invalid" } });
  });

  test("[TOTP4] a code that is sent many times at once signs in once", async () => {
    const person = await cautious();
    await forgetSteps(person);
    const code = codeOf(person.secret);
    const answers = await Promise.all(Array.from({ length: 5 }, () => login(person, code)));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  });

  test("[TOTP5] a recovery code stands in for a code, once, also when it is sent many times at once", async () => {
    const person = await cautious();
    expect(new Set(person.recoveryCodes).size).toBe(10);
    const [first = "", second = ""] = person.recoveryCodes;
    const answers = await Promise.all(Array.from({ length: 4 }, () => login(person, first)));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(answers.filter(({ ok }) => !ok).every((answer) => !answer.ok && answer.error.code === "totp_invalid")).toBe(
      true,
    );
    expect((await login(person, second)).status).toBe(200);
    const { rows } = await place.sql.query("SELECT FROM recovery_codes WHERE user_id = $1", [person.id]);
    expect(rows).toHaveLength(8);
    const other = await cautious();
    expect(await login(other, person.recoveryCodes[2])).toMatchObject({ error: { code: "totp_invalid" } });
  });

  test("[TOTP6] turning it off needs the password and a code, and leaves nothing of it", async () => {
    const person = await cautious();
    const { token, password, secret, usedStep } = person;
    const code = codeOf(secret, usedStep + 1);
    const off = (body: { password: string; code: string }) => call(place.url, "totpDisable", { token, body });
    expect(await off({ password: "wrong password", code })).toMatchObject({ error: { code: "invalid_credentials" } });
    expect(await off({ password, code: codeOf(secret, usedStep) })).toMatchObject({ error: { code: "totp_invalid" } });
    expect((await off({ password, code })).status).toBe(204);
    expect(await off({ password, code })).toMatchObject({ status: 409, error: { code: "conflict" } });
    expect((await login(person)).status).toBe(200);
    const { rows } = await place.sql.query(
      `SELECT totp_secret, totp_enabled_at, (SELECT count(*)::integer FROM recovery_codes r WHERE r.user_id = u.id) AS codes
       FROM users u WHERE id = $1`,
      [person.id],
    );
    expect(rows).toEqual([{ totp_secret: null, totp_enabled_at: null, codes: 0 }]);
  });

  test("[TOTP7] a secret in use is not replaced; one that waits is, and only the last one can be proved", async () => {
    const person = await cautious();
    const again = await call(place.url, "totpSetup", { token: person.token });
    expect(again).toMatchObject({ status: 409, error: { code: "conflict" } });
    const other = await register(place);
    const body = { code: "123456" };
    expect(await call(place.url, "totpEnable", { token: other.token, body })).toMatchObject({
      error: { code: "conflict" },
    });
    const { secret: first } = await granted(place.url, "totpSetup", { token: other.token });
    const { secret: second } = await granted(place.url, "totpSetup", { token: other.token });
    const enable = (code: string) => call(place.url, "totpEnable", { token: other.token, body: { code } });
    expect(await enable(codeOf(first))).toMatchObject({ error: { code: "totp_invalid" } });
    const answers = await Promise.all([enable(codeOf(second)), enable(codeOf(second)), enable(codeOf(second))]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409]);
    const { rows } = await place.sql.query("SELECT FROM recovery_codes WHERE user_id = $1", [other.id]);
    expect(rows).toHaveLength(10);
  });
});

describe("one's own account", () => {
  test("[ACCT1] display name and e-mail can be changed; what is left out stays", async () => {
    const { token, id, username } = await register(place);
    const patch = (body: object) => granted(place.url, "patchSelf", { token, body });
    expect(await patch({ displayName: "Zoé ☀" })).toMatchObject({ id, username, displayName: "Zoé ☀", email: null });
    expect(await patch({ email: "zoe@example.org" })).toMatchObject({ displayName: "Zoé ☀", email: "zoe@example.org" });
    expect(await patch({})).toMatchObject({ displayName: "Zoé ☀", email: "zoe@example.org" });
    expect(await patch({ email: null })).toMatchObject({ displayName: "Zoé ☀", email: null });
    expect(await granted(place.url, "getSelf", { token })).toMatchObject({ displayName: "Zoé ☀", email: null });
  });

  test("[ACCT2] members of one's servers see a new name at once", async () => {
    const chloe = await register(place);
    const { id } = await granted(place.url, "createServer", { token: chloe.token, body: { name: "friends" } });
    const { code } = await granted(place.url, "createInvite", { token: chloe.token, params: { id }, body: {} });
    const [sami] = await enroll(place, 1);
    if (sami === undefined) throw new Error("nobody");
    await granted(place.url, "joinInvite", { token: sami.token, params: { code } });
    const socket = await connect(place, sami);
    await granted(place.url, "patchSelf", { token: chloe.token, body: { displayName: "Chloé" } });
    await socket.until("member:updated", ({ member }) => member.user.displayName === "Chloé");
    socket.close();
  });

  test("[ACCT3] a new password needs the present one, and ends every other session", async () => {
    const person = await register(place);
    const { token, username, password } = person;
    const other = await granted(place.url, "login", { body: { username, password } });
    const socket = await connect(place, { token: other.accessToken });
    const patch = (body: object) => call(place.url, "patchSelf", { token, body });
    expect(await patch({ password: "a new password" })).toMatchObject({
      status: 400,
      error: { code: "invalid_request" },
    });
    expect(await patch({ password: "a new password", currentPassword: "wrong" })).toMatchObject({
      status: 401,
      error: { code: "invalid_credentials" },
    });
    expect((await call(place.url, "getSelf", { token: other.accessToken })).status).toBe(200);
    const changed = await patch({ password: "a new password", currentPassword: password, displayName: "New" });
    expect(changed).toMatchObject({ status: 200, value: { displayName: "New" } });
    expect(await call(place.url, "getSelf", { token: other.accessToken })).toMatchObject({
      error: { code: "session_revoked" },
    });
    await waitFor("the close", () => socket.closes.length > 0);
    socket.close();
    expect((await call(place.url, "getSelf", { token })).status).toBe(200);
    expect((await login({ username, password })).status).toBe(401);
    expect((await login({ username, password: "a new password" })).status).toBe(200);
  });

  test("[ACCT3] sign-ins with the old password that race its change leave no session behind", async () => {
    const { token, username, password, sessionId } = await register(place);
    const change = call(place.url, "patchSelf", {
      token,
      body: { password: "a new password", currentPassword: password },
    });
    const signIns = await Promise.all(Array.from({ length: 8 }, () => login({ username, password })));
    expect((await change).status).toBe(200);
    const { sessions } = await granted(place.url, "listSessions", { token });
    // All that may remain are sessions opened after the change, and those had no right to be.
    expect(sessions.map(({ id }) => id)).toEqual([sessionId]);
    for (const answer of signIns) {
      if (!answer.ok) continue;
      const { accessToken } = answer.value;
      expect(await call(place.url, "getSelf", { token: accessToken })).toMatchObject({
        error: { code: "session_revoked" },
      });
    }
  });

  test("[ACCT4] an account is deleted with its password: it leaves its servers, its sessions end, its words stay", async () => {
    const chloe = await register(place);
    const sami = await register(place);
    const { id, channels } = await granted(place.url, "createServer", {
      token: chloe.token,
      body: { name: "friends" },
    });
    const { code } = await granted(place.url, "createInvite", { token: chloe.token, params: { id }, body: {} });
    await granted(place.url, "joinInvite", { token: sami.token, params: { code } });
    const channelId = channels[0]?.id;
    if (channelId === undefined) throw new Error("a server is made with a channel");
    const watching = await connect(place, chloe);
    const leaving = await connect(place, sami);
    await leaving.must("message:send", { channelId, content: "hello", nonce: "1" });
    const remove = (password: string) => call(place.url, "deleteSelf", { token: sami.token, body: { password } });
    expect(await remove("wrong password")).toMatchObject({ status: 401, error: { code: "invalid_credentials" } });
    const answer = await remove(sami.password);
    expect(answer.status).toBe(204);
    expect(answer.headers.getSetCookie().join()).toContain("lescopains_refresh=;");
    await watching.until("member:left", ({ userId }) => userId === sami.id);
    await waitFor("the close", () => leaving.closes.length > 0);
    expect(await call(place.url, "getSelf", { token: sami.token })).toMatchObject({
      error: { code: "session_revoked" },
    });
    expect((await login(sami)).status).toBe(401);
    const { messages } = await granted(place.url, "listMessages", {
      token: chloe.token,
      params: { id: channelId },
      query: {},
    });
    expect(messages).toMatchObject([{ content: "hello", authorId: null }]);
    // The name is free again.
    expect((await register(place, sami.username)).id).not.toBe(sami.id);
    watching.close();
    leaving.close();
  });

  test("[ACCT5] who owns a server cannot delete their account", async () => {
    const { token, password } = await register(place);
    const { id } = await granted(place.url, "createServer", { token, body: { name: "mine" } });
    const remove = () => call(place.url, "deleteSelf", { token, body: { password } });
    expect(await remove()).toMatchObject({ status: 409, error: { code: "conflict" } });
    expect((await call(place.url, "getServer", { token, params: { id } })).status).toBe(200);
    await granted(place.url, "deleteServer", { token, params: { id } });
    expect((await remove()).status).toBe(204);
  });

  test("[ACCT6] one sees the people one shares a server with, and nobody else", async () => {
    const [chloe, sami, stranger] = await enroll(place, 3);
    if (chloe === undefined || sami === undefined || stranger === undefined) throw new Error("nobody");
    const { id } = await granted(place.url, "createServer", { token: chloe.token, body: { name: "friends" } });
    const { code } = await granted(place.url, "createInvite", { token: chloe.token, params: { id }, body: {} });
    const look = (token: string, userId: string) => call(place.url, "getUser", { token, params: { id: userId } });
    expect(await look(chloe.token, sami.id)).toMatchObject({ status: 404, error: { code: "not_found" } });
    await granted(place.url, "joinInvite", { token: sami.token, params: { code } });
    expect(await look(chloe.token, sami.id)).toMatchObject({
      status: 200,
      value: { id: sami.id, username: sami.username, displayName: sami.username },
    });
    expect((await look(sami.token, chloe.id)).status).toBe(200);
    expect((await look(chloe.token, chloe.id)).status).toBe(200);
    expect(await look(stranger.token, chloe.id)).toMatchObject({ status: 404, error: { code: "not_found" } });
    expect(await look(chloe.token, "0190163d-8694-739b-aea5-966c26f8ad91")).toMatchObject({ status: 404 });
    expect(await look(chloe.token, "@others")).toMatchObject({ status: 404 });
    expect(JSON.stringify(await look(sami.token, chloe.id))).not.toContain("email");
  });
});

test("[ACCT7] nobody acts without a token", async () => {
  const { url } = place;
  const password = "12345678";
  const id = "0190163d-8694-739b-aea5-966c26f8ad91";
  const answers = await Promise.all([
    call(url, "getSelf"),
    call(url, "patchSelf", { body: { displayName: "x" } }),
    call(url, "deleteSelf", { body: { password } }),
    call(url, "getUser", { params: { id } }),
    call(url, "listSessions"),
    call(url, "revokeSession", { params: { id } }),
    call(url, "totpSetup"),
    call(url, "totpEnable", { body: { code: "123456" } }),
    call(url, "totpDisable", { body: { password, code: "123456" } }),
  ]);
  for (const answer of answers) expect(answer).toMatchObject({ status: 401, error: { code: "unauthenticated" } });
});
