import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Secrets } from "../stack/secrets.ts";
import { environmentBindings } from "../stack/workerd-config.ts";
import { readWranglerToml } from "../stack/wrangler-config.ts";
import { edgeEnvironments, missingSettings, planDeployment } from "./deployment.ts";

const random = (): string => randomBytes(32).toString("base64");
const secrets: Secrets = {
  jwtSecret: random(),
  totpKey: random(),
  postgresPassword: random(),
  sfuSecret: random(),
  sfuSigningSeed: random(),
};
const settings = {
  CLOUDFLARE_ACCOUNT_ID: "0123456789abcdef0123456789abcdef",
  CLOUDFLARE_API_TOKEN: "a-token-of-forty-characters-or-so-0123456",
  EDGE_DOMAIN: "chat.example.org",
  DATABASE_URL: "postgres://edge:word@db.example.org:5432/lescopains",
};

describe("[ED1] wrangler.toml", () => {
  const { env, ...local } = readWranglerToml();

  test("has the environments that can be deployed, each with a worker of its own", () => {
    expect(Object.keys(env).toSorted()).toEqual(edgeEnvironments.toSorted());
    const names = [local.name, ...Object.values(env).map(({ name }) => name)];
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(edgeEnvironments)("gives %s every binding that this machine has, and passwords its own worker", (name) => {
    expect(env[name]?.durable_objects).toEqual(local.durable_objects);
    expect(env[name]?.services).toEqual([{ binding: "PASSWORDS", service: env[name]?.name, entrypoint: "Passwords" }]);
    expect(local.services).toEqual([{ binding: "PASSWORDS", service: local.name, entrypoint: "Passwords" }]);
  });

  test("makes every class by a migration, once, with SQLite", () => {
    const made = local.migrations.flatMap(({ new_sqlite_classes }) => new_sqlite_classes);
    expect(made.toSorted()).toEqual(local.durable_objects.bindings.map(({ class_name }) => class_name).toSorted());
  });

  test("keeps the migrations that have been deployed as they were", () => {
    expect(local.migrations.slice(0, 2)).toEqual([
      { tag: "v1", new_sqlite_classes: ["Gateway", "Channel", "Server", "PgGate"] },
      { tag: "v2", new_sqlite_classes: ["SfuRegistry"] },
    ]);
  });
});

test("[ED2] what is missing is told all at once, each with where to get it, and no value", () => {
  expect(missingSettings(settings)).toEqual([]);
  expect(missingSettings({ ...settings, HYPERDRIVE_ID: "fedcba98765432100123456789abcdef" })).toEqual([]);
  expect(missingSettings({}).map((line) => line.split(" ")[0])).toEqual(Object.keys(settings));
  const wrong = {
    CLOUDFLARE_ACCOUNT_ID: "SECRET",
    CLOUDFLARE_API_TOKEN: "SECRET",
    EDGE_DOMAIN: "https://SECRET",
    DATABASE_URL: "mysql://SECRET",
    HYPERDRIVE_ID: "SECRET",
  };
  const told = missingSettings(wrong);
  expect(told.map((line) => line.split(" ")[0])).toEqual(Object.keys(wrong));
  expect(told.join()).not.toContain("SECRET");
});

describe("[ED3] what is deployed", () => {
  test("secrets travel as secrets, settings as variables, nothing that is the tool's own as either", () => {
    const all = Object.fromEntries(environmentBindings.map((name) => [name, `value of ${name}`]));
    const { config, secrets: uploaded } = planDeployment("staging", { ...all, ...settings }, secrets);
    expect(Object.keys(uploaded).toSorted()).toEqual(
      [
        "DATABASE_URL",
        "JWT_SECRET",
        "METRICS_TOKEN",
        "SFU_SECRET",
        "SFU_SIGNING_KEY",
        "TOTP_KEY",
        "TURN_SECRET",
      ].toSorted(),
    );
    expect(uploaded).toMatchObject({ JWT_SECRET: secrets.jwtSecret, SFU_SECRET: secrets.sfuSecret });
    const { vars } = config as { vars: Record<string, string> };
    expect(Object.keys(vars).filter((name) => name in uploaded)).toEqual([]);
    expect([...Object.keys(vars), ...Object.keys(uploaded)].toSorted()).toEqual([...environmentBindings].toSorted());
    for (const secret of Object.values(uploaded)) expect(JSON.stringify(config)).not.toContain(secret);
  });

  test("while the secret of voice nodes is changed, the edge takes that of before, too", () => {
    const formerSfuSecret = random();
    const { secrets: uploaded } = planDeployment("production", settings, { ...secrets, formerSfuSecret });
    expect(uploaded["SFU_SECRET"]).toBe(`${secrets.sfuSecret},${formerSfuSecret}`);
  });

  test("with Hyperdrive the edge is not given the database's password", () => {
    const id = "fedcba98765432100123456789abcdef";
    const { config, secrets: uploaded } = planDeployment("production", { ...settings, HYPERDRIVE_ID: id }, secrets);
    expect(config).toMatchObject({ hyperdrive: [{ binding: "HYPERDRIVE", id }] });
    expect(JSON.stringify([config, uploaded])).not.toContain("postgres://");
  });

  test("actors are placed where the operator says", () => {
    const { config } = planDeployment("production", { ...settings, ACTOR_LOCATION: "weur" }, secrets);
    expect(config).toMatchObject({ vars: { ACTOR_LOCATION: "weur" } });
  });
});
