/** One installation, and what it tells about itself: its metrics, its logs, and what the doctor finds. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ChannelId } from "@lescopains/protocol/ids";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { findPrometheus } from "../../tools/find-prometheus.ts";
import { freePort } from "../../tools/stack/ports.ts";
import { connect } from "../flows/kit/connection.ts";
import { type DevicePerson, friends } from "../flows/kit/devices.ts";
import { openDm, pairwise } from "../flows/kit/direct.ts";
import { freshName, type Registered, register, serverWith, textChannel } from "../flows/kit/people.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { granted } from "../flows/kit/rest.ts";
import { FakeSfu } from "../flows/kit/sfu.ts";
import { Client } from "../sfu/kit/client.ts";
import { voiceIn } from "../flows/kit/voice.ts";
import { waitFor } from "../flows/kit/wait.ts";
import { serveTls } from "./kit/certificate.ts";
import {
  alertCases,
  alerts,
  dashboardQueries,
  labelsOf,
  metricsIn,
  monitoringFolder,
  namesIn,
} from "./kit/monitoring.ts";
import { runTool } from "./kit/tool.ts";

const METRICS_TOKEN = `metrics-${randomUUID()}`;
const canary = `canary-${randomUUID()}`;
const bearer = { authorization: `Bearer ${METRICS_TOKEN}` };

let folder: string;
let place: Place;
/** People who have done a bit of everything by the time that tests look. */
let owner: Registered;
let ada: DevicePerson;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lescopains-ops-"));
  // PostgreSQL, which is another user when this one is root, has its files inside.
  chmodSync(folder, 0o711);
  const options = { sfu: true, dataDir: join(folder, "data") };
  place = await startPlace({ METRICS_TOKEN, TRUSTED_PROXY: "127.0.0.1" }, options);
  owner = await register(place, freshName(canary.slice(0, 12)));
  await live();
  const env = { DATA_DIR: join(folder, "data"), DATABASE_URL: "", BACKUP_PASSPHRASE: "a passphrase of the test" };
  expect(await runTool("backup", [folder], env)).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await place.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A message, a ciphertext, envelopes, a call, and mistakes. */
async function live(): Promise<void> {
  const [first, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  ada = first;
  const server = await serverWith(place, owner, [ada]);
  const voice = await voiceIn(place, server, owner);
  const at = await connect(place, ada);
  const content = `${canary} said`;
  await at.must("message:send", { channelId: textChannel(server).id, content, nonce: randomUUID() });
  const dm = await openDm(place, ada, bob);
  await at.must("message:send", pairwise(dm.id, canary, bob));
  await at.must("keys:send", { messages: [{ toUserId: bob.id, toDeviceId: 1, type: 2, body: btoa(canary) }] });
  await at.must("keys:failed", { reason: "no_session" });
  const { url, token } = await granted(place.url, "joinVoice", { token: ada.token, body: { channelId: voice.id } });
  const call = new Client(url === "" ? place.url : url, { token });
  await call.until("ready");
  call.socket.disconnect();
  await at.must("voice:leave", { channelId: voice.id });
  const ask = (path: string, init: RequestInit = {}) => fetch(`${place.url}${path}`, init);
  const headers = { "content-type": "application/json" };
  await ask("/api/auth/login", {
    method: "POST",
    headers,
    body: JSON.stringify({ username: canary, password: canary }),
  });
  await ask(`/api/${canary}`, { method: "PROPFIND" });
  await ask(`/api/users/@me?token=${canary}`, { headers: { authorization: `Bearer ${canary}` } });
  await ask("/sfu/join", { method: "POST", headers: { authorization: `Bearer ${canary}` } });
  await ask(`/sfu/${canary}`);
  await at.ask("message:send", { channelId: canary, content: canary, nonce: canary });
  await at.ask(canary as never, { canary } as never).catch(() => undefined);
  at.close();
}

async function metrics(url = place.url): Promise<string> {
  const answer = await fetch(`${url}/metrics`, { headers: bearer });
  expect(answer.status).toBe(200);
  return answer.text();
}

const sfuUrl = (): string => `http://127.0.0.1:${place.stack.sfu?.httpPort}`;

/** Starts an exporter; it ends with the test file. Answers its page once it is there. */
async function pageOf(program: "NODE_EXPORTER_BIN" | "BLACKBOX_EXPORTER_BIN", path: string, ...args: string[]) {
  const port = await freePort();
  const child: ChildProcess = spawn(
    await findPrometheus(program),
    [`--web.listen-address=127.0.0.1:${port}`, ...args],
    {
      stdio: "ignore",
    },
  );
  try {
    return await waitFor(program, async () => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
      return answer?.ok === true ? answer.text() : undefined;
    });
  } finally {
    child.kill();
  }
}

// ── metrics ──────────────────────────────────────────────────────────────────────────────────────────────────────

test("[OM1] nobody sees the metrics of edge or voice node without the token", async () => {
  for (const url of [place.url, sfuUrl()]) {
    for (const authorization of [undefined, "Bearer ", `Bearer ${METRICS_TOKEN}x`, METRICS_TOKEN]) {
      const answer = await fetch(`${url}/metrics`, { headers: authorization === undefined ? {} : { authorization } });
      expect([answer.status, await answer.text()]).toEqual([404, "not found"]);
    }
  }
});

test("[OM2] what was done is counted, under names of ours only", async () => {
  const page = await metrics();
  expect(page).not.toContain(canary.slice(0, 12));
  expect(page).toMatch(/^lescopains_message_ack_duration_seconds_count 2$/m);
  expect(page).toMatch(/^lescopains_decryption_failures_total\{reason="no_session"\} 1$/m);
  expect(page).toMatch(/^lescopains_voice_joins_total\{outcome="ok"\} 1$/m);
  expect(page).toMatch(/^lescopains_refusals_total\{via="http",code="invalid_credentials"\} 1$/m);
  expect(page).toMatch(/^lescopains_refusals_total\{via="socket",code="unknown_event"\} 1$/m);
  expect(page).toMatch(/^lescopains_sfu_nodes\{state="ready"\} 1$/m);
  expect(page).toMatch(/^lescopains_postgres_up 1$/m);
  const requests = labelsOf(page, "lescopains_http_request_duration_seconds_count");
  expect(requests).toContainEqual({ method: "POST", route: "/api/auth/register", status: "201" });
  expect(requests).toContainEqual({ method: "GET", route: "/api/users/@me", status: "401" });
  expect(requests).toContainEqual({ method: "other", route: "/*", status: "404" });
});

test("[OM7] a voice node that was emptied before it ended is not counted as lost; one that still had people, or took some, is", async () => {
  const lost = async () => Number(/^lescopains_sfu_nodes_lost_total (\d+)$/m.exec(await metrics())?.[1]);
  const known = async () => {
    const headers = { authorization: `Bearer ${place.secrets.sfuSecret}` };
    return (await fetch(`${place.url}/operator/sfu`, { headers })).text();
  };
  const end = async (node: FakeSfu) => {
    node.kill();
    await waitFor("it to be given up", async () => !(await known()).includes(node.id));
  };
  const before = await lost();
  const emptied = await new FakeSfu(place, { id: "emptied" }).start();
  emptied.draining = true;
  emptied.beat();
  await waitFor("the edge to hear of it", async () => (await known()).includes('"draining":true'));
  await end(emptied);
  expect(await lost()).toBe(before);
  await end(await new FakeSfu(place, { id: "killed" }).start());
  expect(await lost()).toBe(before + 1);
  const full = new FakeSfu(place, { id: "full" });
  full.draining = true;
  full.rooms.set(randomUUID() as ChannelId, new Map());
  await end(await full.start());
  expect(await lost()).toBe(before + 2);
});

test("[OM4] each alert fires in one case and keeps silent in another", async () => {
  const promtool = await findPrometheus("PROMTOOL_BIN");
  const { stdout } = await promisify(execFile)(promtool, ["test", "rules", join(monitoringFolder, "alerts.test.yml")]);
  expect(stdout).toContain("SUCCESS");
  const cases = alertCases();
  for (const { alert } of alerts()) {
    const own = new Set(cases.filter(({ alertname }) => alertname === alert).map(({ fires }) => fires));
    expect([alert, own.has(true), own.has(false)]).toEqual([alert, true, true]);
  }
});

test("[OM6] Prometheus tells Alertmanager, which takes its configuration as it comes and each way to tell somebody", async () => {
  const prometheus = readFileSync(join(monitoringFolder, "prometheus.yml"), "utf8");
  const targets: unknown = parse(prometheus).alerting.alertmanagers[0].static_configs[0].targets;
  expect(targets).toEqual(["alertmanager:9093"]);
  const promtool = await findPrometheus("PROMTOOL_BIN");
  await promisify(execFile)(promtool, ["check", "config", "--syntax-only", join(monitoringFolder, "prometheus.yml")]);
  const amtool = await findPrometheus("AMTOOL_BIN");
  const asItComes = readFileSync(join(monitoringFolder, "alertmanager.yml"), "utf8");
  const everyWay = asItComes.replaceAll(/^( {4})# /gm, "$1");
  expect(Object.keys(parse(everyWay).receivers[0])).toEqual(["name", "email_configs", "webhook_configs"]);
  for (const [name, text] of Object.entries({ asItComes, everyWay })) {
    const file = join(folder, `${name}.yml`);
    writeFileSync(file, text);
    const { stdout } = await promisify(execFile)(amtool, ["check-config", file]);
    expect(stdout, name).toContain("SUCCESS");
  }
});

test("[OM4] whatever alerts and dashboards look at is exported", async () => {
  const site = await serveTls(30);
  const config = join(monitoringFolder, "blackbox.yml");
  const pages = await Promise.all([
    metrics(),
    metrics(sfuUrl()),
    pageOf("NODE_EXPORTER_BIN", "/metrics", `--collector.textfile.directory=${folder}`),
    pageOf("BLACKBOX_EXPORTER_BIN", `/probe?module=site&target=${site.url}`, `--config.file=${config}`),
  ]);
  site.server.close();
  expect(pages[3]).toMatch(/^probe_success 1$/m);
  // Prometheus makes `up` itself.
  const exported = new Set(["up", ...pages.flatMap(namesIn)]);
  const asked = [...alerts().map(({ alert, expr }) => ({ where: alert, expr })), ...dashboardQueries()];
  const missing = asked.flatMap(({ where, expr }) =>
    metricsIn(expr).flatMap((name) => (exported.has(name) ? [] : [`${where}: ${name}`])),
  );
  expect(missing).toEqual([]);
  expect(new Set(asked.flatMap(({ expr }) => metricsIn(expr))).size).toBeGreaterThan(30);
});

// ── logs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

type Line = Record<string, unknown>;

/** Every line that edge, password hasher and voice node have written. */
function lines(name: "workerd" | "passwords" | "sfu"): Line[] {
  const text = readFileSync(join(folder, "data", "logs", `${name}.log`), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

test("[LG1] [LG4] every line is JSON with its fields, and holds no content, token, password, name or address", async () => {
  const all = [...lines("workerd"), ...lines("passwords"), ...lines("sfu")];
  for (const line of all) {
    expect(line).toMatchObject({ msg: expect.any(String) });
    expect(["debug", "info", "warn", "error"]).toContain(line["level"]);
    expect(new Date(String(line["time"])).toISOString()).toBe(line["time"]);
    // A frame of a stack, or a whole object, is no field.
    for (const value of Object.values(line)) expect(["string", "number", "boolean"]).toContain(typeof value);
  }
  const requests = lines("workerd").filter(({ msg }) => msg === "request");
  expect(requests).toContainEqual(
    expect.objectContaining({
      method: "POST",
      route: "/api/servers",
      status: 201,
      userId: owner.id,
      ms: expect.any(Number),
    }),
  );
  const text = all.map((line) => JSON.stringify(line)).join("\n");
  const { jwtSecret, totpKey, sfuSecret, postgresPassword } = place.secrets;
  const secrets = [
    jwtSecret,
    totpKey,
    sfuSecret,
    postgresPassword,
    METRICS_TOKEN,
    owner.password,
    owner.token,
    ada.token,
  ];
  for (const secret of [canary, btoa(canary), owner.username, ada.username, "127.0.0.1", ...secrets])
    expect(text.includes(secret), secret).toBe(false);
});

test("[LG4] PostgreSQL's log tells what failed, and not what was in the row", async () => {
  const twice = place.sql.query(
    "INSERT INTO users (id, username, display_name, password_hash) SELECT gen_random_uuid(), username, $1, 'x' FROM users WHERE id = $2",
    [canary, owner.id],
  );
  await expect(twice).rejects.toThrow("duplicate key");
  const log = readFileSync(join(folder, "data", "logs", "postgres.log"), "utf8");
  expect(log).toContain("duplicate key");
  for (const secret of [canary, owner.username]) expect(log.includes(secret), secret).toBe(false);
});

test("[LG2] a request is found by its id in the logs of edge and voice node; only a trusted proxy names it", async () => {
  const named = `proxy-${randomUUID()}`;
  const ask = (url: string, id: string) =>
    fetch(`${url}/sfu/join`, { method: "POST", headers: { "x-request-id": id, authorization: "Bearer a.b.c" } });
  expect((await ask(place.url, named)).headers.get("x-request-id")).toBe(named);
  await waitFor("the node's line", () => lines("sfu").find(({ requestId }) => requestId === named));
  for (const id of ["short", "x".repeat(65), 'quote"quote', "spaces in it"]) {
    const answered = (await ask(place.url, id)).headers.get("x-request-id");
    expect(answered).toMatch(/^[\da-f-]{36}$/);
  }
  const rest = await fetch(`${place.url}/api/users/@me`, { headers: { "x-request-id": `${named}-2` } });
  expect(rest.headers.get("x-request-id")).toBe(`${named}-2`);
  const stranger = await startPlace({});
  try {
    const own = await fetch(`${stranger.url}/api/users/@me`, { headers: { "x-request-id": named } });
    expect(own.headers.get("x-request-id")).toMatch(/^[\da-f-]{36}$/);
  } finally {
    await stranger.stop();
  }
});

test("[LG3] a failure of ours is answered with the id under which an actor wrote it down", async () => {
  await place.sql.query("ALTER TABLE users RENAME COLUMN display_name TO gone");
  try {
    const answer = await fetch(`${place.url}/api/users/@me`, { headers: { authorization: `Bearer ${ada.token}` } });
    const { error } = (await answer.json()) as { error: Line };
    expect(error).toMatchObject({ code: "internal", requestId: answer.headers.get("x-request-id") });
    const own = await waitFor("the pool's line", () =>
      lines("workerd").filter(({ requestId, level }) => requestId === error["requestId"] && level === "error"),
    );
    expect(own.map(({ msg }) => msg)).toEqual(["statement failed", "request failed"]);
  } finally {
    await place.sql.query("ALTER TABLE users RENAME COLUMN gone TO display_name");
  }
});

// ── the doctor ───────────────────────────────────────────────────────────────────────────────────────────────────

/** What the doctor says of each hop: `ok`, `note` or `failed`, and the rest of the line. */
async function doctor(env: Readonly<Record<string, string>> = {}, ...args: string[]) {
  const here = { DATA_DIR: join(folder, "data"), DATABASE_URL: "", LESCOPAINS_URL: "" };
  const { code, output } = await runTool("doctor", args, { ...here, ...env });
  const found = [...output.matchAll(/^(ok|note|failed) +([a-z ]+): (.*)$/gm)];
  const hops = Object.fromEntries(found.map(([, state, hop = "", text]) => [hop, `${state} ${text}`]));
  return { code, hops, output };
}

test("[DOC1] the doctor finds a sound installation sound, and says what it cannot see from elsewhere", async () => {
  const { code, hops } = await doctor();
  expect(hops).toEqual({
    database: expect.stringMatching(/^ok PostgreSQL 17\.\d+, \d+ migrations applied/),
    certificate: expect.stringContaining("note none"),
    edge: expect.stringContaining("ok http://127.0.0.1"),
    "web client": expect.stringContaining("ok the page is served"),
    socket: expect.stringContaining("ok the gateway answers over a WebSocket"),
    voice: expect.stringMatching(/^ok local: ICE and DTLS come through on port .*, TCP is open/),
    clocks: expect.stringMatching(/^ok they differ by \d+ ms/),
    disk: expect.stringMatching(/^ok [\d.]+ GB free/),
    backup: expect.stringMatching(/^ok 0 hours old/),
  });
  expect(code).toBe(0);
  const outside = await doctor({}, place.url);
  expect(outside.code).toBe(0);
  expect(outside.hops["edge"]).toMatch(/^ok /);
  for (const hop of ["database", "voice", "disk", "backup"]) expect(outside.hops[hop]).toMatch(/^note not looked at/);
});

test("[DOC2] an old backup, and a certificate that ends or that nobody trusts, are told", async () => {
  const record = join(folder, "data", "backup.json");
  const before = readFileSync(record, "utf8");
  const at = new Date(Date.now() - 9 * 86_400_000).toISOString();
  writeFileSync(record, JSON.stringify({ ...(JSON.parse(before) as object), at }));
  const old = await doctor();
  writeFileSync(record, before);
  expect(old.hops["backup"]).toMatch(/^failed The last one is 9 days old: look at the timer/);
  expect(old.code).toBe(1);
  for (const [days, words] of [
    [3, "failed The certificate ends in 3 days"],
    [0, "failed The certificate ends in 11 hours"],
    [-2, "failed The certificate has ended"],
    [300, "failed Browsers do not trust the certificate (DEPTH_ZERO_SELF_SIGNED_CERT)"],
  ] as const) {
    const { url, server } = await serveTls(days);
    const { hops, code } = await doctor({}, url);
    server.closeAllConnections();
    server.close();
    expect(hops["certificate"]).toContain(words);
    expect(code).toBe(1);
  }
});

test("[DOC2] what is left of a certificate that lives for hours, as those of Caddy's own authority, is told in hours", async () => {
  const { url, server, cert } = await serveTls(0, 0.1);
  const root = join(folder, "root.crt");
  writeFileSync(root, cert);
  const { hops } = await doctor({ NODE_EXTRA_CA_CERTS: root }, url);
  server.closeAllConnections();
  server.close();
  expect(hops["certificate"]).toMatch(/^ok trusted, and valid for 11 hours more/);
});

test("[DOC3] a part that is gone is named, with what to do, and the others are still looked at", async () => {
  await place.stack.sfu?.kill9();
  // It is started again by itself within moments: an address where there is none stays so.
  const noNode = await doctor({ LESCOPAINS_URL: `http://127.0.0.1:${await freePort()}` });
  expect(noNode.hops["edge"]).toMatch(/^failed .* does not answer .*: is LesCopains running there\?/);
  expect(noNode.hops["socket"]).toMatch(/^failed The socket does not connect/);
  expect(noNode.hops["database"]).toMatch(/^ok /);
  await place.stack.postgres?.stop();
  const noDatabase = await doctor();
  await place.stack.postgres?.start();
  expect(noDatabase.hops["database"]).toMatch(/^failed PostgreSQL does not answer .*ECONNREFUSED/);
  expect(noDatabase.hops["edge"]).toMatch(/^failed \/health answers 503 .*database.*: start with the check it names/);
  expect(noDatabase.hops["web client"]).toMatch(/^ok /);
  expect(noDatabase.code).toBe(1);
});
