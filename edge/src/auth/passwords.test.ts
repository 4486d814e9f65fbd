import { expect, test } from "vitest";
import type { Env } from "../platform/env.ts";
import { hashPassword, verifyPassword } from "./passwords.ts";

const HASH = `$2b$12$${"a".repeat(53)}`;

/** A passwords process that answers `response`, and remembers what it was asked. */
function answering(response: () => Response) {
  const asked: unknown[] = [];
  const fetch = async (_url: string, { body }: { body: string }): Promise<Response> => {
    asked.push(JSON.parse(body));
    return response();
  };
  return { env: { PASSWORDS: { fetch } } as unknown as Env, asked };
}

test("[AUTH3] an account without a usable hash takes one comparison too, and never matches", async () => {
  for (const stored of [undefined, "", "x", `$argon2id$${HASH}`]) {
    const { env, asked } = answering(() => Response.json({ matches: true, outdated: true }));
    expect(await verifyPassword(env, "p", stored)).toEqual({ ok: true, value: { matches: false, outdated: false } });
    expect(asked).toEqual([{ password: "p", hash: expect.stringMatching(/^\$2b\$12\$.{53}$/) }]);
  }
});

test("[AUTH4] a hash of another work factor is told apart", async () => {
  const { env } = answering(() => Response.json({ matches: true, outdated: true }));
  expect(await verifyPassword(env, "p", HASH)).toEqual({ ok: true, value: { matches: true, outdated: true } });
});

test("[AUTH6] a passwords process that is full, or not there, is unavailable for a while", async () => {
  const gone = answering(() => {
    throw new TypeError("connection refused");
  });
  for (const { env } of [answering(() => new Response(null, { status: 503 })), gone]) {
    const refused = { ok: false, error: { code: "unavailable", retryAfterMs: expect.any(Number) } };
    expect(await hashPassword(env, "p")).toMatchObject(refused);
    expect(await verifyPassword(env, "p", HASH)).toMatchObject(refused);
  }
});

test("an answer that is not its own is a bug, not a match", async () => {
  const { env } = answering(() => Response.json({ matches: "yes" }));
  await expect(verifyPassword(env, "p", HASH)).rejects.toThrow();
  const { env: broken } = answering(() => new Response(null, { status: 500 }));
  await expect(hashPassword(broken, "p")).rejects.toThrow(/500/);
});
