/** What docker-compose.yml and the Dockerfile promise, looked at without a Docker engine; tests/containers runs them. */
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { assemble } from "../../tools/images/assemble.ts";
import { rootFolder } from "../../tools/stack/root.ts";
import { environmentBindings } from "../../tools/stack/workerd-config.ts";

const Service = v.looseObject({
  image: v.string(),
  restart: v.string(),
  pull_policy: v.string(),
  mem_limit: v.string(),
  pids_limit: v.number(),
  cap_drop: v.array(v.string()),
  cap_add: v.optional(v.array(v.string()), []),
  security_opt: v.array(v.string()),
  read_only: v.literal(true),
  user: v.optional(v.string()),
  environment: v.optional(v.record(v.string(), v.unknown()), {}),
  volumes: v.optional(v.array(v.unknown()), []),
  networks: v.optional(v.unknown()),
  ports: v.optional(v.array(v.string()), []),
  healthcheck: v.optional(v.looseObject({ test: v.array(v.string()) })),
  logging: v.looseObject({ options: v.looseObject({ "max-size": v.string() }) }),
});
const Compose = v.looseObject({
  services: v.record(v.string(), Service),
  volumes: v.record(v.string(), v.unknown()),
  networks: v.record(v.string(), v.unknown()),
});

function read(name: string): v.InferOutput<typeof Compose> {
  return v.parse(Compose, parse(readFileSync(join(rootFolder, name), "utf8"), { merge: true }));
}

const files = globSync("docker-compose*.yml", { cwd: rootFolder }).filter((name) => !name.includes(".dev."));
/** They end when they have done their work. */
const oneShots = new Set(["secrets", "migrate", "doctor", "backup"]);

describe.each(files)("%s", (name) => {
  const services = Object.entries(read(name).services);

  test.each(services)(
    "[DK6] %s can do nothing but its work",
    (service, { cap_drop, cap_add, security_opt, ...rest }) => {
      expect(cap_drop).toEqual(["ALL"]);
      expect(cap_add).toEqual(service === "caddy" ? ["NET_BIND_SERVICE"] : []);
      expect(security_opt).toContain("no-new-privileges:true");
      for (const way of ["privileged", "pid", "ipc", "devices", "userns_mode"]) expect(rest).not.toHaveProperty(way);
      expect(rest.user ?? "").not.toMatch(/^(?:0|root)(?::|$)/);
    },
  );

  test.each(services)(
    "[DK7] %s has bounds, and is there again after a crash",
    (service, { restart, pids_limit, mem_limit, ...rest }) => {
      expect(mem_limit).toMatch(/^\d+[mg]$/);
      expect(pids_limit).toBeLessThanOrEqual(256);
      expect(restart).toBe(oneShots.has(service) ? "no" : "unless-stopped");
      expect(rest.healthcheck === undefined).toBe(oneShots.has(service));
    },
  );

  test.each(services)("[DK8] no secret is in the environment of %s", (_, { environment }) => {
    for (const [key, value] of Object.entries(environment)) {
      const isSecret = /SECRET|PASSWORD|PASSPHRASE|TOKEN|KEY|DATABASE_URL/.test(key);
      if (isSecret) expect(`${key}=${String(value)}`).toMatch(/_FILE=/);
    }
  });

  const believing = services.filter(([, { environment }]) => "TRUSTED_PROXY" in environment);
  test.each(believing)("[DK18] %s believes Caddy, and the operator's proxies before it", (_, { environment }) => {
    expect(environment["TRUSTED_PROXY"]).toMatch(/^\$\{INNER_NET:-[\d.]+\}\.2,\$\{TRUSTED_PROXY:-\}$/);
  });

  test.each(services)("[DK9] the image of %s has a version", (_, { image }) => {
    expect(image).toMatch(/:(?:\$\{VERSION:-\d+\.\d+\.\d+\}|v?\d[\w.-]*)$/);
  });
});

const { services, volumes, networks } = read("docker-compose.yml");

test("[DK10] only Caddy and media are published, and the database's network leads nowhere", () => {
  const published = Object.entries(services).filter(([, { ports }]) => ports.length > 0);
  expect(published.map(([name]) => name).toSorted()).toEqual(["caddy", "grafana", "sfu", "sfu2"]);
  expect(services["grafana"]?.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:/)]);
  expect(networks["database"]).toMatchObject({ internal: true });
  expect(networks["inner"]).toMatchObject({ internal: true });
  expect(Object.keys(services["postgres"]?.networks ?? {})).toEqual(["database"]);
});

test("[DK3] voice nodes believe whom the edge believes about who called", () => {
  const elsewhere = read("docker-compose.sfu.yml").services["sfu"];
  const believed = [services["edge"], services["sfu"], services["sfu2"], elsewhere].map(
    (service) => service?.environment["TRUSTED_PROXY"],
  );
  expect(new Set(believed)).toEqual(new Set(["${INNER_NET:-172.29.87}.2,${TRUSTED_PROXY:-}"]));
});

test("[DK4] whatever names this installation names its port", () => {
  const named = files.flatMap(
    (name) => readFileSync(join(rootFolder, name), "utf8").match(/https:\/\/\$\{DOMAIN\S*/g) ?? [],
  );
  expect(named.length).toBeGreaterThan(3);
  for (const address of named) expect(address).toBe("https://${DOMAIN:-localhost}:${HTTPS_PORT:-443}");
});

test("[OM7] every voice node is watched: those of a profile by their names, which lead nowhere while they do not run", () => {
  const Jobs = v.object({ scrape_configs: v.array(v.looseObject({ job_name: v.string() })) });
  const jobs = v.parse(Jobs, parse(readFileSync(join(rootFolder, "ops/monitoring/prometheus.yml"), "utf8")));
  const nodes = Object.entries(services).filter(([, { environment }]) => "SFU_NODE_ID" in environment);
  const always = nodes.filter(([, service]) => service["profiles"] === undefined).map(([name]) => `${name}:8790`);
  const names = nodes.filter(([, service]) => service["profiles"] !== undefined).map(([name]) => name);
  expect(names).not.toEqual([]);
  expect(jobs.scrape_configs.find(({ job_name: name }) => name === "sfu")).toMatchObject({
    static_configs: [{ targets: always }],
    dns_sd_configs: [{ names, type: "A", port: 8790 }],
  });
  // Without it Docker's resolver fails for a name that it does not know, and Prometheus keeps the target that it had.
  expect(services["prometheus"]?.["dns_opt"]).toEqual(["ndots:0"]);
});

test("[DK11] what the edge can be told has a way into its container", () => {
  const secret = new Set([
    "DATABASE_URL",
    "JWT_SECRET",
    "TOTP_KEY",
    "SFU_SIGNING_KEY",
    "SFU_SECRET",
    "METRICS_TOKEN",
    "TURN_SECRET",
  ]);
  const given = new Set(Object.keys(services["edge"]?.environment ?? {}));
  expect(environmentBindings.filter((name) => !secret.has(name) && !given.has(name))).toEqual([]);
});

test("[DK12] every setting is listed in .env.example, and nothing else is", () => {
  const text = files.map((name) => readFileSync(join(rootFolder, name), "utf8")).join("\n");
  const used = new Set([...text.matchAll(/\$\{([A-Z][A-Z0-9_]*)/g)].map((match) => match[1]));
  used.add("COMPOSE_PROFILES"); // compose's own
  const example = readFileSync(join(rootFolder, ".env.example"), "utf8");
  // What compose could not read would stop every command.
  expect(example.split("\n").filter((line) => !/^(?:#.*)?$/.test(line))).toEqual([]);
  const listed = new Set([...example.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map((match) => match[1]));
  expect(listed).toEqual(used);
});

test("[DK13] all that lasts is in named volumes", () => {
  const mounted = Object.values(services).flatMap((service) => service.volumes);
  const named = mounted.map((mount) =>
    typeof mount === "string"
      ? mount.replace(/^\$\{BACKUPS:-(\w+)\}/, "$1").split(":")[0]
      : v.parse(v.looseObject({ source: v.string() }), mount).source,
  );
  for (const volume of Object.keys(volumes)) expect(named).toContain(volume);
});

test("[DK20] whoever looks at the backups is who makes them: nobody else may", () => {
  const looking = Object.entries(services).filter(([, one]) =>
    one.volumes.some((mount) => String(mount).startsWith("${BACKUPS:-")),
  );
  expect(looking.map(([name]) => name).toSorted()).toEqual(["backup", "doctor", "node-exporter"]);
  // Of the images of ours [DK14] says so.
  for (const [name, { image, user }] of looking)
    if (!image.startsWith("${IMAGES")) expect(user, name).toBe("1000:1000");
});

test("[DK14] the Dockerfile's bases are pinned, and no image runs as root", () => {
  const dockerfile = readFileSync(join(rootFolder, "ops/images/Dockerfile"), "utf8");
  const stages = new Set([...dockerfile.matchAll(/^FROM \S+ AS (\S+)/gm)].map((match) => match[1]));
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)]
    .map((match) => match[1] ?? "")
    .filter((base) => !stages.has(base));
  expect(bases.toSorted()).toEqual(["caddy:2", "debian:bookworm-slim", "node:24-bookworm-slim"]);
  for (const target of ["caddy", "edge", "sfu", "tools"]) {
    const stage = dockerfile.split(/^FROM /m).find((text) => text.split("\n")[0]?.endsWith(` AS ${target}`));
    expect(stage).toMatch(/^USER 1000:1000$/m);
  }
});

test("[DK19] a voice node is told to listen for each address that is announced, by its family", () => {
  const folder = mkdtempSync(join(tmpdir(), "lescopains-sfu-"));
  try {
    writeFileSync(join(folder, "sfu.env"), "SFU_SECRET='s'\n");
    writeFileSync(join(folder, "node"), '#!/bin/sh\necho "$SFU_LISTEN $SFU_PORT $SFU_WORKERS $SFU_SECRET"\n', {
      mode: 0o755,
    });
    const listens = (SFU_ANNOUNCED: string) => {
      const env = { PATH: `${folder}:/usr/bin:/bin`, SFU_SECRETS: join(folder, "sfu.env"), SFU_PORTS: "40000-40003" };
      const script = join(rootFolder, "ops/images/sfu.sh");
      return execFileSync("sh", [script], { env: { ...env, SFU_ANNOUNCED }, encoding: "utf8" });
    };
    expect(listens("example.org")).toBe("0.0.0.0=example.org 40000 4 s\n");
    expect(listens("203.0.113.5,2001:db8::5")).toBe("0.0.0.0=203.0.113.5,::=2001:db8::5 40000 4 s\n");
    expect(listens(" 2001:db8::5 , example.org")).toBe("::=2001:db8::5,0.0.0.0=example.org 40000 4 s\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
  for (const name of files)
    for (const [service, { environment }] of Object.entries(read(name).services))
      if ("SFU_NODE_ID" in environment)
        expect(environment["SFU_ANNOUNCED"], service).toBe("${SFU_ANNOUNCED:-${DOMAIN:-localhost}}");
});

describe("the build", () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lescopains-images-"));
    await assemble(folder, () => undefined);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("[DK15] makes what the Dockerfile copies", () => {
    const dockerfile = readFileSync(join(rootFolder, "ops/images/Dockerfile"), "utf8");
    const copied = [...dockerfile.matchAll(/^COPY --from=build \/out\/(\S+)/gm)].map((match) => match[1] ?? "");
    expect(copied.length).toBeGreaterThan(3);
    for (const path of copied) expect(existsSync(join(folder, path)), path).toBe(true);
    const fromHere = [...dockerfile.matchAll(/^COPY (?:--chmod=\d+ )?((?!--from)\S+)/gm)].map(
      (match) => match[1] ?? "",
    );
    for (const path of fromHere) expect(existsSync(join(rootFolder, path)), path).toBe(true);
  });

  test("[DK16] makes a command for each that compose runs, or people are told to run", () => {
    const guide = readFileSync(join(rootFolder, "docs/self-hosting.md"), "utf8");
    const told = [...guide.matchAll(/docker compose run --rm (?:-T )?\w+ ([a-z-]+)/g)].map((match) => match[1] ?? "");
    expect(told).toEqual(expect.arrayContaining(["password-link", "restore"]));
    const commands = Object.values(services)
      .filter(({ image }) => image.includes("/tools:"))
      .flatMap((service) => v.parse(v.array(v.string()), service["command"]).slice(0, 1));
    expect(commands).toContain("migrate");
    for (const command of [...commands, ...told])
      expect(existsSync(join(folder, "tools", `${command}.mjs`)), command).toBe(true);
    expect(globSync("*.sql", { cwd: join(folder, "tools", "migrations") })).toEqual(
      globSync("*.sql", { cwd: join(rootFolder, "migrations") }),
    );
  });

  test("[DK5] the password hasher starts with its own code alone", () => {
    const config = readFileSync(join(folder, "edge", "passwords.capnp"), "utf8");
    expect([...config.matchAll(/embed "([^"]+)"/g)].map((match) => match[1])).toEqual(["passwords/index.js"]);
    expect(statSync(join(folder, "edge", "passwords", "index.js")).size).toBeLessThan(100_000);
  });

  test("[DK17] the edge's configuration names its volumes and no secret", () => {
    const config = readFileSync(join(folder, "edge", "edge.capnp"), "utf8");
    for (const part of [`"*:8787"`, `"/data/actors"`, `"/app/web"`, `"unix:/run/passwords/socket"`])
      expect(config).toContain(part);
    for (const name of environmentBindings) expect(config).toContain(`(name = "${name}", fromEnvironment = "${name}")`);
  });
});
