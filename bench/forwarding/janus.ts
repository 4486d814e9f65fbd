import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram, type ProgramSource } from "../../tools/find-program.ts";
import { freePort } from "../../tools/stack/ports.ts";
import { type Child, startSupervisor } from "../../tools/stack/supervisor.ts";
import { cpuUs } from "../measure/process-usage.ts";
import { JanusClient } from "./janus-client.ts";
import { MediaEnd } from "../../tools/doctor/media-end.ts";
import { describe, endOf } from "./sdp.ts";
import { gather, type OpenRoom, type Sfu, type SfuOptions } from "./sfu.ts";
import { ssrc } from "./speech.ts";

const source: ProgramSource = {
  name: "Janus",
  neededBy: "The voice benchmarks",
  variable: "JANUS_PATH",
  programs: ["janus"],
  debianPackage: "janus",
  debianService: "janus",
};

/** Whether each handle has a thread of its own, which is Janus' default, or one serves all, which takes less. */
export type JanusThreads = "own" | "shared";

/** The path of Debian's Janus, which is installed if need be. */
export async function findJanus(log: (line: string) => void): Promise<string> {
  return await findProgram(source, log);
}

const unused = {
  plugins: "audiobridge duktape echotest lua nosip recordplay sip streaming textroom videocall voicemail",
  transports: "http mqtt nanomsg pfunix rabbitmq",
  loggers: "jsonlog",
};

function disabled(names: string): string {
  return `disable = "${names
    .split(" ")
    .map((name) => `libjanus_${name}.so`)
    .join(",")}"`;
}

/** Only what these rooms need: nothing is recorded, told or logged beside. */
function writeConfig(folder: string, { ip }: SfuOptions, port: number, threads: JanusThreads): void {
  const loops = threads === "own" ? "" : "event_loops = 1";
  const files = {
    "janus.jcfg": `general: { configs_folder = "${folder}" debug_level = 2 debug_colors = false session_timeout = 0 ${loops} }
nat: { ice_lite = true ice_enforce_list = "${ip}" }
plugins: { ${disabled(unused.plugins)} }
transports: { ${disabled(unused.transports)} }
loggers: { ${disabled(unused.loggers)} }
`,
    "janus.plugin.videoroom.jcfg": "general: { events = false }\n",
    "janus.transport.websockets.jcfg": `general: { json = "compact" ws = true ws_ip = "127.0.0.1" ws_port = ${port} }
`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

const startTimeoutMs = 20_000;
const pollMs = 50;

/** A session when it takes some. */
async function firstSession(url: string, child: Child, logFile: string): Promise<JanusClient> {
  for (const deadline = Date.now() + startTimeoutMs; child.isRunning() && Date.now() < deadline; await sleep(pollMs)) {
    try {
      return await JanusClient.open(url);
    } catch {
      // Not yet.
    }
  }
  throw new Error(`Janus does not start:\n${readFileSync(logFile, "utf8").slice(-2_000)}`);
}

/** Janus with its videoroom. */
export async function startJanus(program: string, threads: JanusThreads, options: SfuOptions): Promise<Sfu> {
  const folder = mkdtempSync(join(tmpdir(), "lescopains-bench-"));
  const supervisor = startSupervisor({
    recordFile: join(folder, "processes.json"),
    onCrash: (name) => options.log(`${name} crashed`),
  });
  const clients: JanusClient[] = [];
  const end = (): void => {
    for (const client of clients) client.close();
    supervisor.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const port = await freePort();
    writeConfig(folder, options, port, threads);
    const logFile = join(folder, "janus.log");
    const child = await supervisor.spawn({
      name: "Janus",
      command: program,
      args: ["-F", folder],
      env: { PATH: process.env["PATH"] ?? "" },
      logFile,
      stopSignal: "SIGTERM",
      stopGraceMs: 5_000,
    });
    const url = `ws://127.0.0.1:${port}`;
    clients.push(await firstSession(url, child, logFile));
    child.markReady();
    let rooms = 0;
    const open = async (): Promise<JanusClient> => {
      const client = await JanusClient.open(url);
      clients.push(client);
      return client;
    };
    return {
      name: threads === "own" ? "janus" : "janus, one loop",
      forwardingCpuUs: () => cpuUs(child.pid),
      wholeCpuUs: () => cpuUs(child.pid),
      openRoom: (listeners) => openRoom({ open, ip: options.ip, room: ++rooms }, listeners),
      stop: async () => {
        await child.stop();
        end();
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

interface Place {
  readonly open: () => Promise<JanusClient>;
  readonly ip: string;
  readonly room: number;
}

const feed = 1;

async function speak({ open, ip, room }: Place): Promise<MediaEnd> {
  const client = await open();
  await client.request({ request: "create", room, publishers: 1, audiocodec: "opus", videocodec: "vp8" });
  await client.request({ request: "join", ptype: "publisher", room, id: feed });
  const end = await MediaEnd.open(ip);
  const up = client.until("webrtcup");
  const answer = await client.request(
    { request: "publish" },
    { type: "offer", sdp: describe(end.local, "sendonly", ssrc) },
  );
  if (answer === undefined) throw new Error("Janus does not answer an offer");
  await Promise.all([end.connect(endOf(answer.sdp)), up]);
  return end;
}

async function listen({ open, ip, room }: Place): Promise<MediaEnd> {
  const client = await open();
  const offer = await client.request({ request: "join", ptype: "subscriber", room, streams: [{ feed }] });
  if (offer === undefined) throw new Error("Janus does not offer what is said");
  const end = await MediaEnd.open(ip);
  const up = client.until("webrtcup");
  await client.request({ request: "start" }, { type: "answer", sdp: describe(end.local, "recvonly") });
  await Promise.all([end.connect(endOf(offer.sdp)), up]);
  return end;
}

async function openRoom(place: Place, listeners: number): Promise<OpenRoom> {
  const speaker = await speak(place);
  return { speaker, listeners: await gather(listeners, () => listen(place)) };
}
