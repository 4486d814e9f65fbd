import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";
import { edgeFolder, webFolder } from "../../tools/stack/build.ts";
import { rootFolder } from "../../tools/stack/root.ts";
import { loadSecrets } from "../../tools/stack/secrets.ts";
import { startServer } from "../postgres/server.ts";
import { startFakeCloudflare } from "./fake-cloudflare.ts";
import { dataFolder } from "./start-process.ts";

const settings = {
  CLOUDFLARE_ACCOUNT_ID: "0123456789abcdef0123456789abcdef",
  CLOUDFLARE_API_TOKEN: "a-token-of-forty-characters-or-so-0123456",
  EDGE_DOMAIN: "chat.example.org",
  DATABASE_URL: "postgres://edge:hidden-word@db.example.org:5432/lescopains",
  GATEWAY_SHARDS: "4",
  ACTOR_LOCATION: "weur",
};

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** `npm run deploy:edge -- …`, with these settings and no way to the network. */
function deploy(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const nowhere = "http://127.0.0.1:1";
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(rootFolder, "tools", "deploy-edge.ts"), ...args],
      {
        cwd: rootFolder,
        env: {
          PATH: process.env["PATH"] ?? "",
          HOME: env["DATA_DIR"],
          HTTPS_PROXY: nowhere,
          HTTP_PROXY: nowhere,
          ...env,
        },
      },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), output: `${stdout}${stderr}` }),
    );
  });
}

test("[ED4] --dry-run says what would be uploaded: the bundle that runs everywhere, bindings, migrations, the client; offline, and leaving no secret", async () => {
  const folder = dataFolder();
  const { code, output } = await deploy(["--env", "staging", "--dry-run"], { ...settings, DATA_DIR: folder });
  expect([code, output]).toEqual([0, expect.stringContaining("--dry-run: exiting now.")]);
  for (const line of [
    /env\.GATEWAY \(Gateway\) +Durable Object/,
    /env\.CHANNEL \(Channel\) +Durable Object/,
    /env\.SERVER \(Server\) +Durable Object/,
    /env\.PG_GATE \(PgGate\) +Durable Object/,
    /env\.LIMITER \(Limiter\) +Durable Object/,
    /env\.SFU_REGISTRY \(SfuRegistry\) +Durable Object/,
    /env\.PASSWORDS \(lescopains-staging#Passwords\) +Worker/,
    /env\.ASSETS +Assets/,
    /env\.GATEWAY_SHARDS \("4"\) +Environment Variable/,
    /env\.JWT_SECRET \("\(hidden\)"\)/,
    /env\.DATABASE_URL \("\(hidden\)"\)/,
    /Read \d{2,} files from the assets directory/,
  ])
    expect(output).toMatch(line);

  const deployed = join(folder, "deploy");
  expect(
    readFileSync(join(deployed, "upload", "index.js"), "utf8").replace(/\n\/\/# sourceMappingURL=.*\n?$/, ""),
  ).toBe(readFileSync(join(edgeFolder, "index.js"), "utf8").replace(/\n\/\/# sourceMappingURL=.*\n?$/, ""));
  const toml = readFileSync(join(rootFolder, "wrangler.toml"), "utf8");
  expect(JSON.parse(readFileSync(join(deployed, "wrangler.json"), "utf8"))).toMatchObject({
    name: "lescopains-staging",
    compatibility_date: /compatibility_date = "([^"]+)"/.exec(toml)?.[1],
    compatibility_flags: ["no_web_socket_compression"],
    workers_dev: false,
    routes: [{ pattern: "chat.example.org", custom_domain: true }],
    assets: { directory: webFolder, run_worker_first: true },
    migrations: [{ tag: "v1" }, { tag: "v2" }, { tag: "v3" }],
    limits: { cpu_ms: 10_000 },
    observability: { enabled: true, logs: { invocation_logs: false } },
    vars: { GATEWAY_SHARDS: "4", ACTOR_LOCATION: "weur" },
  });
  // The free plans of old took three megabytes, compressed.
  expect(Number(/gzip: ([\d.]+) KiB/.exec(output)?.[1])).toBeLessThan(1_000);

  // The secrets are made once, for the owner's eyes, and stay out of everything else.
  expect(statSync(join(folder, "secrets.json")).mode & 0o077).toBe(0);
  expect(existsSync(join(deployed, "secrets.json"))).toBe(false);
  const written = `${output}${readFileSync(join(deployed, "wrangler.json"), "utf8")}`;
  const made = loadSecrets(folder);
  for (const secret of ["hidden-word", settings.CLOUDFLARE_API_TOKEN, made.jwtSecret, made.totpKey, made.sfuSecret])
    expect(written).not.toContain(secret);
});

test("[ED5] what is missing or unknown is told in plain words, and nothing is begun", async () => {
  const folder = dataFolder();
  const { EDGE_DOMAIN: _, ...incomplete } = settings;
  const missing = await deploy(["--env", "dev"], { ...incomplete, DATA_DIR: folder });
  expect(missing).toEqual({
    code: 1,
    output: expect.stringMatching(
      /^dev cannot be deployed yet\. Put these into \.env\.dev:\n {2}EDGE_DOMAIN is missing: .*\n$/,
    ) as string,
  });
  expect(existsSync(join(folder, "secrets.json"))).toBe(false);
  expect(await deploy(["--env", "moon"], { ...settings, DATA_DIR: folder })).toEqual({
    code: 1,
    output: "There is no environment moon: use one of production, staging, dev\n",
  });
});

test("[ED6] a database that cannot be reached stops the deployment before anything is uploaded", async () => {
  const folder = dataFolder();
  const env = { ...settings, DATABASE_URL: "postgres://edge:hidden-word@127.0.0.1:1/lescopains", DATA_DIR: folder };
  const { code, output } = await deploy([], env);
  expect([code, output]).toEqual([1, expect.stringMatching("No database at postgres://edge@127.0.0.1:1/lescopains")]);
  expect(output).not.toContain("hidden-word");
  expect(output).not.toContain("wrangler");
});

test("[ED8] a deployment migrates the database, uploads the worker with its secrets, gives it its address, and waits until it is healthy", async () => {
  const folder = dataFolder();
  const cloudflare = await startFakeCloudflare();
  const postgres = await startServer();
  onTestFinished(async () => {
    await cloudflare.stop();
    await postgres.stop();
  });
  const databaseUrl = await postgres.empty();
  // chat.example.org is nobody's: what would be asked of it is answered in the process that asks, unhealthy at first.
  const health = `let n = 0; globalThis.fetch = async (url) => url === "https://chat.example.org/health" && n++ > 0 ? new Response("{}") : new Response("not yet", { status: 503 });`;
  const { code, output } = await deploy(["--env", "production"], {
    ...settings,
    DATABASE_URL: databaseUrl,
    DATA_DIR: folder,
    CLOUDFLARE_API_BASE_URL: cloudflare.url,
    HTTPS_PROXY: "",
    HTTP_PROXY: "",
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(health)}`,
  });
  expect([code, output]).toEqual([0, expect.stringContaining("LesCopains is ready at https://chat.example.org\n")]);

  const secrets = loadSecrets(folder);
  const [upload] = cloudflare.uploads;
  if (upload === undefined) throw new Error("nothing was uploaded");
  expect(cloudflare.uploads).toHaveLength(1);
  const actor = (name: string, class_name: string) => ({ name, type: "durable_object_namespace", class_name });
  const { bindings, ...metadata } = upload.metadata as { bindings: { name: string }[] };
  expect(metadata).toMatchObject({
    main_module: "index.js",
    compatibility_flags: ["no_web_socket_compression"],
    migrations: {
      new_tag: "v3",
      steps: [
        { new_sqlite_classes: ["Gateway", "Channel", "Server", "PgGate"] },
        { new_sqlite_classes: ["SfuRegistry"] },
        { new_sqlite_classes: ["Limiter"] },
      ],
    },
    code_update_strategy: { mode: "immediate" },
    limits: { cpu_ms: 10_000 },
    assets: { jwt: "of the assets", config: { run_worker_first: true } },
    observability: { enabled: true, logs: { invocation_logs: false } },
  });
  const named = (name: string) => bindings.find((binding) => binding.name === name);
  for (const binding of [
    actor("GATEWAY", "Gateway"),
    actor("CHANNEL", "Channel"),
    actor("SERVER", "Server"),
    actor("PG_GATE", "PgGate"),
    actor("SFU_REGISTRY", "SfuRegistry"),
    actor("LIMITER", "Limiter"),
    { name: "PASSWORDS", type: "service", service: "lescopains-production", entrypoint: "Passwords" },
    { name: "ASSETS", type: "assets" },
    { name: "ACTOR_LOCATION", type: "plain_text", text: "weur" },
    { name: "JWT_SECRET", type: "secret_text", text: secrets.jwtSecret },
    { name: "TOTP_KEY", type: "secret_text", text: secrets.totpKey },
    { name: "SFU_SECRET", type: "secret_text", text: secrets.sfuSecret },
    { name: "DATABASE_URL", type: "secret_text", text: databaseUrl },
  ])
    expect(named(binding.name)).toEqual(binding);
  expect([...upload.modules.keys()].filter((name) => !name.endsWith(".map"))).toEqual(["index.js"]);
  expect(cloudflare.bodies.get("PUT /workers/scripts/lescopains-production/domains/records")).toMatchObject({
    origins: [{ hostname: "chat.example.org" }],
  });
  const assets = cloudflare.bodies.get("POST /workers/scripts/lescopains-production/assets-upload-session");
  expect(Object.keys((assets as { manifest: object }).manifest)).toContain("/index.html");
  expect([...cloudflare.tokens]).toEqual([`Bearer ${settings.CLOUDFLARE_API_TOKEN}`]);

  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ version: number }>("SELECT max(version) AS version FROM schema_migrations");
  await client.end();
  expect(output).toContain(`The database is at migration ${rows[0]?.version}: applied 0001`);
  expect(existsSync(join(folder, "deploy", "secrets.json"))).toBe(false);
  for (const secret of [secrets.jwtSecret, secrets.sfuSecret, databaseUrl]) expect(output).not.toContain(secret);
});
