/** docker-compose.yml as a self-hoster runs it, with a real engine: `npm run test:containers`. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChannelId } from "@lescopains/protocol/ids";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkVoice } from "../../tools/doctor/voice.ts";
import { connect } from "../flows/kit/connection.ts";
import { register, type Registered, serverWith, textChannel } from "../flows/kit/people.ts";
import { call, granted } from "../flows/kit/rest.ts";
import { join as joinVoice, voiceIn } from "../flows/kit/voice.ts";
import { waitFor } from "../flows/kit/wait.ts";
import { join as enter } from "../sfu/kit/client.ts";
import { docker, Installation } from "./kit/compose.ts";
import { Talker } from "./kit/talk.ts";

const megabyte = 1024 * 1024;
const running = ["caddy", "edge", "passwords", "postgres", "sfu"] as const;

let place: Installation;
let coldMs: number;
beforeAll(async () => {
  place = await Installation.make();
  await place.compose(["build", "-q"]);
  coldMs = await place.up();
}, 900_000);
afterAll(() => place.remove());

async function healthOf(service: string): Promise<string | undefined> {
  return (await place.inspect(service)).State.Health?.Status;
}

test("[CN1] a cold start is healthy in less than 30 s", () => {
  console.log(`cold start: ${(coldMs / 1_000).toFixed(1)} s`);
  expect(coldMs).toBeLessThan(30_000);
});

test("[CN2] our images are less than 250 MB together, compressed", async () => {
  const { stdout } = await promisify(execFile)(
    "sh",
    [
      "-c",
      'docker save "$@" | gzip -6 | wc -c',
      "sh",
      ...["caddy", "edge", "sfu", "tools"].map((name) => `lescopains/${name}:test`),
    ],
    { env: place.environment() },
  );
  console.log(`images: ${(Number(stdout) / 1e6).toFixed(0)} MB compressed`);
  expect(Number(stdout)).toBeLessThan(250e6);
});

test("[CN3] people register, sign in, write and hear each other through Caddy", async () => {
  const [ana, leo] = [await register(place), await register(place)];
  const server = await serverWith(place, ana, [leo]);
  const channelId = textChannel(server).id;
  // The official client as it is: it begins by polling.
  const [a, b] = [await connect(place, ana, { transports: ["polling", "websocket"] }), await connect(place, leo)];
  const { id } = await a.must("message:send", { channelId, content: "bonjour", nonce: crypto.randomUUID() });
  expect(await b.until("message:new")).toMatchObject({ id, content: "bonjour" });
  a.close();
  b.close();
  await expect(
    granted(place.url, "login", { body: { username: ana.username, password: "wrong wrong wrong" } }),
  ).rejects.toThrow("refused");
  const again = await granted(place.url, "login", { body: { username: ana.username, password: ana.password } });
  expect(again.user.id).toBe(ana.id);
});

test("[CN4] a voice channel is joined, and ICE and DTLS come through", async () => {
  const ana = await register(place);
  const server = await serverWith(place, ana);
  const body = { name: "salon", type: "voice" as const };
  const channel = await granted(place.url, "createChannel", { token: ana.token, params: { id: server.id }, body });
  const joined = await joinVoice(place, ana, channel.id);
  const { client, ready } = await enter(joined.url, joined.token);
  expect(ready).toMatchObject({ peer: { userId: ana.id } });
  await client.must("leave", {});
  const folder = await place.dataFolder();
  try {
    expect(await checkVoice(place.url, folder)).toContain("ICE and DTLS come through");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("[CN5] what the operator is asked for does not pass Caddy", async () => {
  expect((await fetch(`${place.url}/metrics`)).status).toBe(404);
  const token = await place.compose(["exec", "-T", "edge", "sh", "-c", ". /data/edge.env; echo $METRICS_TOKEN"]);
  const ask = `fetch("http://edge:8787/metrics", { headers: { authorization: "Bearer ${token.trim()}" } }).then(async (r) => console.log(r.status, await r.text()))`;
  expect(await place.compose(["exec", "-T", "sfu", "node", "-e", ask])).toMatch(/^200 # HELP/);
});

describe.each(running)("%s", (service) => {
  test("[CN6] runs as nobody, with nothing to write to but its volumes", async () => {
    const write = await place
      .compose(["exec", "-T", service, "sh", "-c", "touch /etc/x /usr/x /app/x /x 2>/dev/null && echo written || true"])
      .then((text) => text.trim());
    expect(write).toBe("");
    const status = await place.compose(["exec", "-T", service, "cat", "/proc/1/status"]);
    expect(status).toMatch(/^Uid:\s+(?!0\s)\d+/m);
    expect(status).toMatch(/^CapEff:\s+0{16}$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  });
});

describe("secrets", () => {
  const read = (file: string) => place.compose(["exec", "-T", "edge", "cat", file]);

  test("[CN7] stand in no log, no environment that Docker shows, and only where they are needed", async () => {
    const secrets = Object.values(JSON.parse(await read("/data/secrets.json")) as Record<string, string>);
    expect(secrets.length).toBeGreaterThan(4);
    const shown = [await place.compose(["logs"]), await place.compose(["config"])];
    for (const service of [...running, "secrets", "migrate"]) shown.push(JSON.stringify(await place.inspect(service)));
    for (const secret of secrets) for (const text of shown) expect(text.includes(secret)).toBe(false);
    const sfu = await place.compose(["exec", "-T", "sfu", "sh", "-c", "cat /secrets/* /proc/1/environ"]);
    expect(secrets.filter((secret) => sfu.includes(secret))).toHaveLength(1);
    expect(
      await place.compose(["exec", "-T", "edge", "stat", "-c", "%a %u", "/data/secrets.json", "/data/edge.env"]),
    ).toBe("400 1000\n400 1000\n");
    expect(await place.compose(["exec", "-T", "sfu", "stat", "-c", "%a %u", "/secrets/sfu.env"])).toBe("400 1000\n");
    expect(await place.compose(["exec", "-T", "postgres", "stat", "-c", "%a %g", "/secrets/password"])).toBe(
      "440 999\n",
    );
  });

  test("[CN8] are made once, whatever a start that was cut short has left", async () => {
    const before = await read("/data/secrets.json");
    await place.compose([
      "exec",
      "-T",
      "edge",
      "sh",
      "-c",
      "echo '{\"jwtSecret\":' > /data/secrets.json.new; echo JWT_ > /data/edge.env.new",
    ]);
    await place.compose(["up", "-d", "--wait"]);
    expect(await read("/data/secrets.json")).toBe(before);
    const none = await place.compose([
      "exec",
      "-T",
      "edge",
      "sh",
      "-c",
      '. /data/edge.env; test -n "$JWT_SECRET" && echo whole',
    ]);
    expect(none).toBe("whole\n");
  });
});

test("[CN9] doing nothing costs less than 500 MB and leaves no noise in the logs", async () => {
  await sleep(12_000); // longer than idle connections to PostgreSQL are kept: closing them is no news
  const ids = await Promise.all(running.map(async (service) => (await place.inspect(service)).Id));
  const lines = (await docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", ...ids))
    .trim()
    .split("\n");
  const used = lines.map((line) => {
    const [, amount = "0", unit] = /([\d.]+)(KiB|MiB|GiB) \//.exec(line) ?? [];
    return Number(amount) * ({ KiB: 1 / 1024, MiB: 1, GiB: 1024 }[unit ?? "MiB"] ?? 0);
  });
  const total = used.reduce((sum, one) => sum + one, 0);
  console.log(`idle: ${total.toFixed(0)} MB (${lines.join(", ")})`);
  expect(total * megabyte).toBeLessThan(500 * megabyte);
  const said = await place.compose(["logs", "--no-log-prefix", "--since", "10s", "edge", "sfu"]);
  expect(
    said.split("\n").filter((line) => line.includes('"level":"warn"') || line.includes('"level":"error"')),
  ).toEqual([]);
});

describe("a crash of", () => {
  let talker: Talker;
  let folder: string;
  /** Where people speak. */
  let salon: ChannelId;
  beforeAll(async () => {
    talker = await Talker.start(place.url);
    folder = await place.dataFolder();
    salon = (await voiceIn(place, await serverWith(place, talker.person), talker.person)).id;
  });
  afterAll(async () => {
    await talker.stop();
    rmSync(folder, { recursive: true });
  });

  /** As people do: not without a break, which would take the processor from what is starting. */
  async function tryUntil(what: string, attempt: () => Promise<unknown>): Promise<void> {
    await waitFor(
      what,
      async () => {
        await sleep(100);
        return (await attempt()) !== undefined;
      },
      60_000,
    );
  }

  /** When it works again for people, in ms after the crash. */
  const works: Readonly<Record<(typeof running)[number], (sinceMs: number) => Promise<number>>> = {
    caddy: (sinceMs) => talker.heardAgain(sinceMs),
    edge: (sinceMs) => talker.heardAgain(sinceMs),
    postgres: (sinceMs) => talker.heardAgain(sinceMs),
    passwords: async (sinceMs) => {
      const body = { username: talker.person.username, password: talker.person.password };
      await tryUntil("a sign-in", () => granted(place.url, "login", { body }));
      return performance.now() - sinceMs;
    },
    sfu: async (sinceMs) => {
      await tryUntil("a way to the node", () => joinVoice(place, talker.person, salon));
      await tryUntil("media", () => checkVoice(place.url, folder));
      return performance.now() - sinceMs;
    },
  };

  test.each(running)(
    "[CN10] %s: the others stay healthy, people are back in less than 5 s, nothing acknowledged is lost",
    async (service) => {
      const { State } = await place.inspect(service);
      await talker.heardAgain(performance.now());
      const sinceMs = await place.crash(service);
      const tookMs = await works[service](sinceMs);
      console.log(`${service} killed: people are back after ${(tookMs / 1_000).toFixed(1)} s`);
      await waitFor("its health", async () => (await healthOf(service)) === "healthy", 60_000);
      expect((await place.inspect(service)).State.Pid).not.toBe(State.Pid);
      for (const other of running) expect(await healthOf(other), other).toBe("healthy");
      expect(tookMs).toBeLessThan(5_000);
      expect(await talker.lost()).toEqual({ missing: [], doubled: 0 });
    },
  );
});

test("[CN11] all is there again after down and up", async () => {
  const talker = await Talker.start(place.url);
  await talker.heardAgain(performance.now());
  await talker.stop();
  await place.compose(["down"]);
  await place.up();
  expect(await talker.lost()).toEqual({ missing: [], doubled: 0 });
});

test("[CN12] plain HTTP leads to HTTPS, which offers HTTP/3", async () => {
  const plain = `http://localhost:${place.environment()["HTTP_PORT"]}/`;
  const redirected = await fetch(plain, { redirect: "manual" });
  expect(redirected.status).toBe(308);
  expect(redirected.headers.get("location")).toBe(`${place.url}/`);
  expect((await fetch(place.url)).headers.get("alt-svc")).toContain(
    `h3="${new URL(place.url).host.replace(/^[^:]+/, "")}"`,
  );
});

test("[CN17] the first operator's link leads here", async () => {
  const said = await place.compose(["logs", "--no-log-prefix", "--tail", "1", "migrate"]);
  const link = /Nobody runs this instance yet: (\S+) makes you its operator/.exec(said)?.[1] ?? "";
  expect(link).toContain(`${place.url}/operator/claim#`);
  const { token } = await register(place);
  await granted(place.url, "claimInstance", { token, body: { secret: new URL(link).hash.slice(1) } });
});

test("[CN14] the doctor finds nothing wrong, from the network of this machine", async () => {
  const said = await place.compose(["run", "--rm", "-T", "doctor"]);
  for (const hop of ["database", "certificate", "edge", "web client", "socket", "voice", "clocks", "disk"])
    expect(said).toMatch(new RegExp(`^ok     ${hop}: `, "m"));
  expect(said).toContain("ICE and DTLS come through");
});

test("[CN15] a backup is taken while it runs, and brings back what was there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lescopains-backup-"));
  try {
    const more = { BACKUP_PASSPHRASE_FILE: join(folder, "passphrase") };
    writeFileSync(more.BACKUP_PASSPHRASE_FILE, "correct horse battery staple\n", { mode: 0o444 });
    const before = await register(place);
    await place.compose(["run", "--rm", "-T", "backup"], more);
    const after = await register(place);
    await place.compose(["stop", "caddy", "edge", "sfu"]);
    const file = (
      await place.compose(["run", "--rm", "-T", "--entrypoint", "sh", "backup", "-c", "ls /backups/*.age"], more)
    ).trim();
    await place.compose(["run", "--rm", "-T", "backup", "restore", file, "--replace"], more);
    await place.up();
    const signIn = ({ username, password }: Registered) => call(place.url, "login", { body: { username, password } });
    expect((await signIn(before)).status).toBe(200);
    expect((await signIn(after)).status).toBe(401);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** The nodes that the edge knows, `id url`. */
async function nodes(): Promise<string[]> {
  const secret = await place.compose(["exec", "-T", "sfu", "sh", "-c", ". /secrets/sfu.env; echo $SFU_SECRET"]);
  const answer = await fetch(`${place.url}/operator/sfu`, { headers: { authorization: `Bearer ${secret.trim()}` } });
  const body = (await answer.json()) as { nodes: { id: string; url: string }[] };
  return body.nodes.map(({ id, url }) => `${id} ${url}`).toSorted();
}

test("[CN13] a second voice node of this machine registers by its profile", async () => {
  await place.compose(["--profile", "sfu2", "up", "-d", "--wait", "sfu2"]);
  await waitFor("both nodes", async () => (await nodes()).length === 2);
  expect(await nodes()).toEqual(["local ", "sfu2 /nodes/sfu2"]);
  expect(await place.compose(["run", "--rm", "-T", "doctor"])).toMatch(
    /^ok     voice: .*local: ICE and DTLS.*; sfu2: ICE and DTLS/m,
  );
  await place.compose(["--profile", "sfu2", "rm", "-s", "-f", "sfu2"]);
});

test("[CN16] a voice node of docker-compose.sfu.yml registers with the secret of the installation", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lescopains-node-"));
  const secrets = join(folder, "sfu.env");
  writeFileSync(secrets, await place.compose(["exec", "-T", "sfu", "cat", "/secrets/sfu.env"]), { mode: 0o444 });
  const elsewhere = await Installation.make(["docker-compose.sfu.yml", "tests/containers/kit/near.yml"], {
    SFU_SECRETS_FILE: secrets,
    SFU_NODE_ID: "voice2",
    NEAR: `${place.project}_inner`,
  });
  try {
    await elsewhere.compose(["up", "-d", "--wait"]);
    await waitFor("the node", async () => (await nodes()).some((node) => node === `voice2 ${elsewhere.url}`));
  } finally {
    await elsewhere.remove();
    rmSync(folder, { recursive: true });
  }
});
