import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { edgeFolder, webFolder } from "../../tools/stack/build.ts";
import { rootFolder } from "../../tools/stack/root.ts";
import { loadSecrets } from "../../tools/stack/secrets.ts";
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
    migrations: [{ tag: "v1" }, { tag: "v2" }],
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
