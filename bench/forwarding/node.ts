import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChannelId } from "@lescopains/protocol/ids";
import { type SfuAnswer, type SfuBody, type SfuRequest, SfuRefused } from "@lescopains/protocol/sfu/requests";
import type { Snapshot } from "@lescopains/protocol/sfu/room";
import type { Right } from "@lescopains/protocol/sfu/token";
import { io, type Socket } from "socket.io-client";
import * as v from "valibot";
import { findWorker } from "../../sfu-node/worker-build/worker.ts";
import { signRoomToken } from "../../tools/stack/room-token.ts";
import { loadSecrets, type Secrets } from "../../tools/stack/secrets.ts";
import { sfuHttpPort, startSfu } from "../../tools/stack/sfu.ts";
import { startSupervisor } from "../../tools/stack/supervisor.ts";
import { cpuUs, familyCpuUs } from "../measure/process-usage.ts";
import { MediaEnd } from "../../tools/doctor/media-end.ts";
import { gather, type OpenRoom, type Sfu, type SfuOptions } from "./sfu.ts";
import { extensions, ssrc, payloadType } from "./speech.ts";

const answerTimeoutMs = 20_000;

/** The voice node of this product as `npm start` runs it, with one worker. */
export async function startNode({ ip, log, signal }: SfuOptions): Promise<Sfu> {
  const dataDir = mkdtempSync(join(tmpdir(), "lescopains-bench-"));
  const supervisor = startSupervisor({
    recordFile: join(dataDir, "processes.json"),
    onCrash: (name) => log(`${name} crashed`),
  });
  const end = (): void => {
    supervisor.close();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const secrets = loadSecrets(dataDir);
    const httpPort = await sfuHttpPort();
    const sfu = await startSfu({
      workerBin: await findWorker({ log, signal }),
      logFile: join(dataDir, "sfu.log"),
      secrets,
      httpPort,
      mediaPort: 0,
      host: ip,
      registryUrl: "",
      env: { PATH: process.env["PATH"] ?? "", SFU_WORKERS: "1", LOG_LEVEL: "info" },
      supervisor,
      log,
    });
    const url = `http://127.0.0.1:${httpPort}`;
    const sockets: Socket[] = [];
    return {
      name: "sfu",
      forwardingCpuUs: () => familyCpuUs(sfu.pid()) - cpuUs(sfu.pid()),
      wholeCpuUs: () => familyCpuUs(sfu.pid()),
      openRoom: (listeners) => openRoom({ url, secrets, ip, log, sockets }, listeners),
      stop: async () => {
        for (const socket of sockets) socket.disconnect();
        await sfu.stop();
        end();
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

interface Place {
  readonly url: string;
  readonly secrets: Secrets;
  readonly ip: string;
  readonly log: (line: string) => void;
  /** All that were opened. */
  readonly sockets: Socket[];
}

/** Somebody in a room, by their socket. */
interface Guest {
  readonly ready: Snapshot;
  ask<R extends SfuRequest>(name: R, body: SfuBody<R>): Promise<SfuAnswer<R>>;
}

async function enter({ url, secrets, sockets, log }: Place, room: ChannelId, rights: readonly Right[]): Promise<Guest> {
  const socket = io(url, {
    path: "/sfu/socket.io",
    auth: { token: await signRoomToken(secrets, { room, rights }) },
    transports: ["websocket"],
    forceNew: true,
    reconnection: false,
    // As behind a proxy: each comes from elsewhere, so that nobody is slowed down for the others.
    extraHeaders: { "X-Forwarded-For": `10.1.${sockets.length >> 8}.${sockets.length & 0xff}` },
  });
  sockets.push(socket);
  socket.on("disconnect", (reason) => {
    // Its own is asked for.
    if (reason !== "io client disconnect") log(`voice: somebody has lost the node: ${reason}`);
  });
  socket.on("transport:failed", () => log("voice: the node has lost somebody's media"));
  const ready = await new Promise<Snapshot>((resolve, reject) => {
    socket.once("ready", resolve);
    socket.once("connect_error", reject);
  });
  return {
    ready,
    async ask(name, body) {
      const answer: unknown = await socket.timeout(answerTimeoutMs).emitWithAck(name, body);
      if (v.is(SfuRefused, answer)) throw new Error(`the node refuses ${name}: ${answer.error.message}`);
      return answer as SfuAnswer<typeof name>;
    },
  };
}

/** An end that is connected to a transport of this guest's. */
async function connect(ip: string, guest: Guest, direction: "send" | "recv") {
  const { rtpCapabilities } = guest.ready;
  const offered = await guest.ask(
    "transport",
    direction === "send" ? { direction, tcpOnly: false } : { direction, tcpOnly: false, rtpCapabilities },
  );
  const { transportId, iceParameters, iceCandidates, dtlsParameters } = offered;
  const candidate = iceCandidates.find(({ protocol }) => protocol === "udp");
  const fingerprint = dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === "sha-256");
  if (candidate === undefined || fingerprint === undefined) throw new Error("the node offers no way");
  const end = await MediaEnd.open(ip);
  const fingerprints = [{ algorithm: "sha-256", value: end.local.fingerprint }] as const;
  await guest.ask("transport:connect", {
    transportId,
    dtlsParameters: { role: "client", fingerprints: [...fingerprints] },
  });
  await end.connect({
    usernameFragment: iceParameters.usernameFragment,
    password: iceParameters.password,
    iceLite: true,
    fingerprint: fingerprint.value,
    ip: candidate.address,
    port: candidate.port,
  });
  return { end, transportId };
}

async function listen(place: Place, room: ChannelId, producerId: string): Promise<MediaEnd> {
  const guest = await enter(place, room, ["listen"]);
  const { end, transportId } = await connect(place.ip, guest, "recv");
  const { consumerId } = await guest.ask("consume", { transportId, producerId });
  await guest.ask("consumer:resume", { consumerId });
  return end;
}

async function openRoom(place: Place, listeners: number): Promise<OpenRoom> {
  const room = randomUUID() as ChannelId;
  const host = await enter(place, room, ["speak"]);
  const { end: speaker, transportId } = await connect(place.ip, host, "send");
  const { producerId } = await host.ask("produce", {
    transportId,
    source: "audio",
    kind: "audio",
    paused: false,
    rtpParameters: {
      mid: "0",
      codecs: [{ mimeType: "audio/opus", payloadType, clockRate: 48_000, channels: 2 }],
      headerExtensions: extensions.map(({ id, uri }) => ({ id, uri })),
      encodings: [{ ssrc }],
    },
  });
  return {
    speaker,
    listeners: await gather(listeners, () => listen(place, room, producerId)),
  };
}
