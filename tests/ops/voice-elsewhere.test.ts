import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { io } from "socket.io-client";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { findWorker } from "../../sfu-node/worker-build/worker.ts";
import { type Sfu, sfuHttpPort, startSfu } from "../../tools/stack/sfu.ts";
import { startSupervisor, type Supervisor } from "../../tools/stack/supervisor.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { join as joinVoice, two } from "../flows/kit/voice.ts";
import { waitFor } from "../flows/kit/wait.ts";
import { type Front, startFront } from "./kit/front.ts";

/** The edge at one https origin, a voice node at another, each behind a proxy of its own: as on Cloudflare and a VPS. */
let place: Place;
let edge: Front;
let voice: Front;
let node: Sfu;
let supervisor: Supervisor;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lescopains-elsewhere-"));
  const httpPort = await sfuHttpPort();
  voice = await startFront({ domain: "localhost", edge: `127.0.0.1:${httpPort}` });
  place = await startPlace({ VOICE_ORIGINS: voice.url, TRUSTED_PROXY: "127.0.0.1" });
  edge = await startFront({ domain: "localhost", edge: `127.0.0.1:${place.stack.port}` });
  const authority = join(folder, "authority.pem");
  writeFileSync(authority, edge.ca);
  supervisor = startSupervisor({ recordFile: join(folder, "processes.json"), onCrash: () => undefined });
  node = await startSfu({
    workerBin: await findWorker({ log: () => undefined }),
    logFile: join(folder, "sfu.log"),
    secrets: place.secrets,
    httpPort,
    mediaPort: 0,
    host: "127.0.0.1",
    registryUrl: `${edge.url.replace(/^https/, "wss")}/sfu-registry`,
    env: { SFU_PUBLIC_URL: voice.url, SFU_ORIGINS: edge.url, SFU_WORKERS: "1", NODE_EXTRA_CA_CERTS: authority },
    supervisor,
    log: () => undefined,
  });
});
afterAll(async () => {
  await node?.stop();
  supervisor?.close();
  await edge?.stop();
  await place?.stop();
  await voice?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("[ED7] a voice node at another origin registers by wss, people join it by https and by sockets, and only pages of the edge's origin may", async () => {
  const { ana, leo, channelId } = await two(place);
  const a = await waitFor("the node to register", () => joinVoice(place, ana, channelId));
  expect(a.url).toBe(voice.url);
  const joining = (token: string, origin: string) =>
    voice.ask("/sfu/join", { method: "POST", headers: { origin, authorization: `Bearer ${token}` } });

  const preflight = await voice.ask("/sfu/join", {
    method: "OPTIONS",
    headers: { origin: edge.url, "access-control-request-method": "POST" },
  });
  expect([preflight.status, preflight.headers["access-control-allow-origin"]]).toEqual([204, edge.url]);
  expect(preflight.headers["access-control-allow-headers"]).toContain("authorization");
  const strange = await voice.ask("/sfu/join", { method: "OPTIONS", headers: { origin: "https://evil.example" } });
  expect(strange.headers["access-control-allow-origin"]).toBeUndefined();

  const joined = await joining(a.token, edge.url);
  expect([joined.status, joined.headers["access-control-allow-origin"]]).toEqual([200, edge.url]);
  // The edge hears of it over the node's own connection.
  const due = async (joinId: string): Promise<unknown> =>
    (await place.sql.query<{ due_at: unknown }>("SELECT due_at FROM voice_sessions WHERE id = $1", [joinId])).rows[0]
      ?.due_at;
  await waitFor("the edge to hear of it", async () => (await due(a.joinId)) === null);

  const b = await joinVoice(place, leo, channelId);
  const socket = io(b.url, {
    path: "/sfu/socket.io",
    auth: { token: b.token },
    transports: ["websocket"],
    // In Node the client takes an agent of Node's; its types are those of browsers.
    agent: voice.agent as never,
    extraHeaders: { origin: edge.url },
    reconnection: false,
  });
  onTestFinished(() => void socket.close());
  const ready = await new Promise<{ peer: { userId: string } }>((resolve, reject) => {
    socket.once("ready", resolve);
    socket.once("connect_error", reject);
  });
  expect(ready.peer.userId).toBe(leo.id);
  await waitFor("the edge to hear of it", async () => (await due(b.joinId)) === null);

  // The page that the edge serves may connect there.
  const page = await edge.ask("/");
  expect(page.headers["content-security-policy"]).toContain(` ${voice.url} ${voice.url.replace(/^https/, "wss")}`);
});
