import { UserId } from "@lescopains/protocol/ids";
import { parse } from "valibot";
import { beforeEach, expect, test, vi } from "vitest";
import type { Database, Statement } from "../db/port.ts";
import type { Env } from "../platform/env.ts";
import { login, register } from "./sign-in.ts";

const ID = parse(UserId, "0190163d-8694-739b-aea5-966c26f8ad91");
const VISITOR = { address: "192.0.2.1", userAgent: undefined };
const HASH = `$2b$12$${"a".repeat(53)}`;
const RIGHT = "correct horse";

/** What was asked, in order: statements by name, and `bcrypt` for each request to the passwords process. */
let asked: string[] = [];
let busy = false;
/** Statements by name that answer otherwise than a database with one account, `chloe`. */
let rows: Record<string, unknown[]> = {};

const account = {
  id: ID,
  username: "chloe",
  display_name: "chloe",
  email: null,
  password_hash: HASH,
  totp_secret: null,
  totp_enabled: false,
  account_created_at: "2026-01-01T00:00:00.000Z",
};

const db: Database = {
  async query<Values extends readonly unknown[], Row>(
    { name }: Statement<Values, Row>,
    values: Values,
  ): Promise<Row[]> {
    asked.push(name);
    const answer: Record<string, unknown[]> = {
      "limits.take": [{ taken: true, wait_ms: 0 }],
      "instance.admission": [{ admitted: true, registration: "open" }],
      "accounts.credentials_by_name": values[0] === "chloe" ? [account] : [],
      "sessions.open": [{ ...account, gone: [] }],
      "accounts.create": [account],
      ...rows,
    };
    return (answer[name] ?? []) as Row[];
  },
};

const env = {
  JWT_SECRET: Buffer.alloc(32, 1).toString("base64"),
  PASSWORDS: {
    async fetch(_url: string, { body }: { body: string }): Promise<Response> {
      asked.push("bcrypt");
      if (busy) return new Response(null, { status: 503 });
      const { password, hash } = JSON.parse(body) as { password: string; hash?: string };
      if (hash === undefined) return Response.json({ hash: HASH });
      return Response.json({ matches: password === RIGHT && hash === HASH, outdated: false });
    },
  },
} as unknown as Env;

beforeEach(() => {
  asked = [];
  rows = {};
  busy = false;
  vi.spyOn(console, "log").mockReturnValue(undefined);
});

test("[AUTH3] an unknown name and a wrong password are answered alike, after the same steps", async () => {
  const wrong = await login(env, db, VISITOR, { username: "chloe", password: "wrong" });
  const stepsOfWrong = asked;
  asked = [];
  const unknown = await login(env, db, VISITOR, { username: "nobody", password: "wrong" });
  expect(wrong).toMatchObject({ ok: false, error: { code: "invalid_credentials" } });
  expect(unknown).toEqual(wrong);
  expect(asked).toEqual(stepsOfWrong);
  expect(asked.filter((step) => step === "bcrypt")).toHaveLength(1);
});

test("[AUTH3] a text that cannot be a name takes the same steps, and never reaches the database", async () => {
  const unknown = await login(env, db, VISITOR, { username: "nobody", password: "wrong" });
  const steps = asked;
  asked = [];
  const query = vi.spyOn(db, "query");
  expect(await login(env, db, VISITOR, { username: "a\u0000\ud800", password: "wrong" })).toEqual(unknown);
  expect(asked).toEqual(steps);
  expect(query.mock.calls.filter(([{ name }]) => name !== "limits.take").map(([, values]) => values)).toEqual([[""]]);
});

test("[AUTH3] nobody signs in with the password that the stand-in hash was made of", async () => {
  const matching = {
    PASSWORDS: { fetch: async () => Response.json({ matches: true, outdated: true }) },
  } as unknown as Env;
  expect(await login({ ...env, ...matching }, db, VISITOR, { username: "nobody", password: "x" })).toMatchObject({
    error: { code: "invalid_credentials" },
  });
});

test("[LIMIT2] limits come before bcrypt", async () => {
  rows = { "limits.take": [{ taken: false, wait_ms: 1_234 }] };
  const refused = { ok: false, error: { code: "rate_limited", retryAfterMs: 1_234 } };
  expect(await login(env, db, VISITOR, { username: "chloe", password: RIGHT })).toMatchObject(refused);
  expect(await register(env, db, VISITOR, { username: "chloe", password: RIGHT })).toMatchObject(refused);
  expect(asked).toEqual(["limits.take", "limits.take"]);
});

test("[LIMIT3] a failure costs its tokens, a success gives them back", async () => {
  await login(env, db, VISITOR, { username: "chloe", password: "wrong" });
  expect(asked.filter((step) => step === "limits.give_back")).toHaveLength(0);
  await login(env, db, VISITOR, { username: "chloe", password: RIGHT });
  expect(asked.filter((step) => step === "limits.give_back")).toHaveLength(2);
});

test("[AUTH6] when too many wait the answer is unavailable with a time, and the attempt does not count", async () => {
  busy = true;
  const answer = await login(env, db, VISITOR, { username: "chloe", password: "wrong" });
  expect(answer).toMatchObject({ ok: false, error: { code: "unavailable", retryAfterMs: expect.any(Number) } });
  expect(asked.filter((step) => step === "limits.give_back")).toHaveLength(2);
});

test("[AUTH2] a taken name costs no bcrypt", async () => {
  rows = { "accounts.name_taken": [{ id: ID }] };
  const answer = await register(env, db, VISITOR, { username: "Chloe", password: RIGHT });
  expect(answer).toMatchObject({ ok: false, error: { code: "username_taken" } });
  expect(asked).not.toContain("bcrypt");
});

test("[AUTH8] no session is opened with a password that was changed meanwhile", async () => {
  rows = { "sessions.open": [] };
  const answer = await login(env, db, VISITOR, { username: "chloe", password: RIGHT });
  expect(answer).toMatchObject({ ok: false, error: { code: "unavailable", retryAfterMs: 0 } });
});
