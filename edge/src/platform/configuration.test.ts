import { randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import { describe, expect, test } from "vitest";
import { misconfigurations } from "./configuration.ts";
import type { Env } from "./env.ts";

const secret = (): string => randomBytes(32).toString("base64");
const { privateKey } = await generateKeyPair("EdDSA", { extractable: true });
const jwk = { ...(await exportJWK(privateKey)), kid: "1" };

const complete = {
  DATABASE_URL: "postgres://edge:word@db:5432/lescopains",
  JWT_SECRET: secret(),
  TOTP_KEY: secret(),
  SFU_SIGNING_KEY: JSON.stringify(jwk),
  SFU_SECRET: secret(),
};

function problems(changes: Partial<Record<keyof Env, unknown>>): readonly string[] {
  return misconfigurations({ ...complete, ...changes } as unknown as Env);
}

test("[CONF1] nothing is wrong with a whole configuration, with or without voice, by Hyperdrive alone, or with empty settings", () => {
  expect(problems({})).toEqual([]);
  expect(problems({ SFU_SIGNING_KEY: "", SFU_SECRET: "" })).toEqual([]);
  expect(problems({ SFU_SECRET: `${secret()}, ${secret()}` })).toEqual([]);
  expect(problems({ DATABASE_URL: "", HYPERDRIVE: { connectionString: "postgresql://x" } })).toEqual([]);
  expect(problems({ GATEWAY_SHARDS: "", DATABASE_DRIVER: "", ACTOR_LOCATION: "", NEON_PROXY: "" })).toEqual([]);
  expect(problems({ DATABASE_DRIVER: "neon", NEON_PROXY: "wss://proxy/v1", ACTOR_LOCATION: "weur" })).toEqual([]);
});

describe("[CONF2] what is missing or wrong is named, its value is not", () => {
  test.each([
    ["DATABASE_URL", undefined],
    ["DATABASE_URL", ""],
    ["DATABASE_URL", "mysql://secret-value"],
    ["JWT_SECRET", undefined],
    ["JWT_SECRET", ""],
    ["JWT_SECRET", "secret-value: no base64"],
    ["JWT_SECRET", randomBytes(31).toString("base64")],
    ["TOTP_KEY", ""],
    ["SFU_SECRET", "secret-value"],
    ["SFU_SECRET", ""],
    ["SFU_SECRET", `${secret()},secret-value`],
    ["SFU_SECRET", [secret(), secret(), secret()].join()],
    ["SFU_SIGNING_KEY", ""],
    ["SFU_SIGNING_KEY", "secret-value"],
    ["SFU_SIGNING_KEY", JSON.stringify({ ...jwk, d: undefined })],
    ["SFU_SIGNING_KEY", JSON.stringify({ ...jwk, kid: "" })],
    ["NEON_PROXY", "https://secret-value"],
    ["VOICE_ORIGINS", "https://secret-value/path"],
    ["DATABASE_DRIVER", "secret-value"],
    ["ACTOR_LOCATION", "secret-value"],
    ["GATEWAY_SHARDS", "0"],
    ["PG_POOL_SIZE", "many"],
    ["REGISTER_LIMIT", "1.5"],
  ] as const)("%s=%s", (name, value) => {
    const found = problems({ [name]: value });
    expect(found).toEqual([expect.stringContaining(name)]);
    if (value !== undefined && value.length > 4) expect(found.join()).not.toContain("secret-value");
  });

  test("TURN_URLS without its secret", () => {
    expect(problems({ TURN_URLS: "turn:example.org" })).toEqual(["TURN_URLS needs TURN_SECRET"]);
  });

  test("all of it at once", () => {
    expect(misconfigurations({} as Env)).toHaveLength(3);
  });
});
