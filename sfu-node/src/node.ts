import manifest from "../package.json" with { type: "json" };
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { FromNode, NodeLoad } from "@lescopains/protocol/sfu/registry";
import type { CloseReason } from "@lescopains/protocol/sfu/room";
import { RoomTokens } from "./auth/room-token.ts";
import type { Config } from "./config.ts";
import { WorkerPool } from "./media/pool.ts";
import type { MediaEngine } from "./media/port.ts";
import { makeMetrics, type Metrics } from "./observe/metrics.ts";
import { Sampler } from "./observe/sampler.ts";
import type { Logger } from "./platform/logger.ts";
import { carryOut } from "./registry/commands.ts";
import { RegistryConnection, type Registration } from "./registry/connection.ts";
import type { Peer } from "./rooms/peer.ts";
import type { Room, RoomEvents } from "./rooms/room.ts";
import { Rooms } from "./rooms/rooms.ts";
import { type Page, serveHttp } from "./signaling/http.ts";
import { logFields, Sessions } from "./signaling/sessions.ts";
import { serveSockets } from "./signaling/socket.ts";

export const version: string = manifest.version;

/** Whoever does not take the end of their connection holds up that of the node for no longer. */
const goodbyeMs = 1_000;

export interface SfuNode {
  /** Of signalling. */
  readonly port: number;
  readonly workerPids: readonly number[];
  /** Takes no new rooms, and gives no more time, whatever the edge orders from now on; resolves when the last has left, or at the deadline, when those who are there are told to go elsewhere. */
  drain(deadlineMs: number): Promise<void>;
  /** At once; whoever is there is told to come back. */
  stop(): Promise<void>;
}

/** Starts a node; resolves when it takes people. Rejects with one line when a port is taken or a worker does not start. */
export async function startNode(config: Config, engine: MediaEngine, log: Logger): Promise<SfuNode> {
  const startedAt = Date.now();
  let registry: RegistryConnection | undefined;
  let metrics: Metrics | undefined;
  const tell = (room: Room, message: FromNode): void => {
    if (!room.probe) registry?.tell(message);
  };

  const pool = await WorkerPool.start({
    engine,
    size: config.SFU_WORKERS,
    log,
    onDied: (slot) => {
      metrics?.workerDied();
      rooms.workerDied(slot);
    },
  });
  const events: Omit<RoomEvents, "emptied"> = {
    joined: (room, peer) => {
      log.info("peer joined", logFields({ room, peer }));
      tell(room, { type: "joined", roomId: room.id, peer: peer.presence() });
    },
    sources: (room, peer) => tell(room, { type: "sources", roomId: room.id, peerId: peer.id, sources: peer.sources() }),
    left: (room, peer, reason) => {
      metrics?.left(reason);
      log.info("peer left", { ...logFields({ room, peer }), reason });
      tell(room, leftMessage(room, peer, reason));
      drained.check();
    },
  };
  const tokens = new RoomTokens({ nodeId: config.SFU_NODE_ID, keys: config.SFU_EDGE_KEYS, now: Date.now });
  const rooms = new Rooms({
    nodeId: config.SFU_NODE_ID,
    pool,
    peersPerWorker: config.SFU_PEERS_PER_WORKER,
    events,
    voided: (claims) => tokens.voided(claims),
  });
  const sessions = new Sessions({ rooms, tokens, log, now: Date.now });
  // The edge hears of it before it sends anyone here.
  const drained = new Drained(rooms, sessions, () => registry?.beat());
  const sampler = new Sampler(rooms, pool, (peer) => {
    log.warn("peer sends more than it may", { roomId: peer.roomId, peerId: peer.id, userId: peer.userId });
    rooms.get(peer.roomId)?.leave(peer, "flood");
  });
  metrics = makeMetrics(rooms, pool, sampler, () => sessions.draining);

  const signaling = { sessions, log, origins: config.SFU_ORIGINS, addresses: config.TRUSTED_PROXY };
  const http = serveHttp(signaling, {
    "/health": async () => health(pool, sessions),
    "/metrics": (request) => metricsPage(request, config.METRICS_TOKEN, metrics),
  });
  const io = serveSockets(http, signaling);
  http.listen(config.SFU_HTTP_PORT, config.SFU_HTTP_HOST);
  try {
    await once(http, "listening");
  } catch (error) {
    sampler.stop();
    pool.close();
    throw error;
  }

  const load = (): NodeLoad => ({
    cpu: Math.max(...pool.slots.map(({ cpu }) => cpu)),
    rooms: rooms.all.length,
    peers: rooms.peers.length,
    bitrateIn: sampler.last.bitrateIn,
    bitrateOut: sampler.last.bitrateOut,
  });
  const registration = (): Registration => ({
    region: config.SFU_REGION,
    url: config.SFU_PUBLIC_URL,
    version,
    startedAt,
    workers: pool.slots.length,
    draining: sessions.draining,
    load: load(),
    rooms: rooms.all
      .filter(({ probe }) => !probe)
      .map((room) => ({
        roomId: room.id,
        encrypted: room.encrypted,
        peers: [...room.peers.values()].map((peer) => peer.presence()),
      })),
  });
  if (config.SFU_REGISTRY_URL !== "") {
    registry = new RegistryConnection({
      nodeId: config.SFU_NODE_ID,
      url: config.SFU_REGISTRY_URL,
      secret: config.SFU_SECRET,
      log,
      registration,
      load: () => ({ load: load(), draining: sessions.draining }),
      command: (command) =>
        carryOut(command, rooms, tokens, {
          drain: (deadlineMs) => drained.within(deadlineMs),
          undrain: () => drained.undo(),
        }),
    });
  }
  const { port } = http.address() as AddressInfo;
  log.info("node ready", { nodeId: config.SFU_NODE_ID, port, mediaPort: config.SFU_PORT, workers: pool.slots.length });

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    sessions.draining = true;
    rooms.closeAll("draining");
    // What was said in this turn, and answers to it, still arrive.
    await nextTurn();
    await Promise.race([io.close(), sleep(goodbyeMs, undefined, { ref: false })]);
    http.closeAllConnections();
    registry?.stop();
    sampler.stop();
    pool.close();
    log.info("node stopped");
  };
  return {
    port,
    get workerPids() {
      return pool.slots.flatMap(({ worker }) => (worker === undefined ? [] : [worker.pid]));
    },
    drain: (deadlineMs) => drained.forGood(deadlineMs),
    stop: () => (stopping ??= stop()),
  };
}

/** Waiting for people to leave. */
class Drained {
  readonly #rooms: Rooms;
  readonly #sessions: Sessions;
  readonly #changed: () => void;
  #empty = Promise.withResolvers<void>();
  #deadline: NodeJS.Timeout | undefined;
  #untilMs = 0;
  #isForGood = false;

  constructor(rooms: Rooms, sessions: Sessions, changed: () => void) {
    this.#rooms = rooms;
    this.#sessions = sessions;
    this.#changed = changed;
  }

  /** As the edge orders. A process that is to end takes less time, not more. */
  within(deadlineMs: number): void {
    if (!this.#isForGood || performance.now() + deadlineMs < this.#untilMs) this.#begin(deadlineMs);
  }

  undo(): void {
    if (this.#isForGood) return;
    this.#sessions.draining = false;
    this.#changed();
    clearTimeout(this.#deadline);
    this.#empty = Promise.withResolvers();
  }

  /** The process is to end: whoever ordered that waits, and kills it if need be. */
  async forGood(deadlineMs: number): Promise<void> {
    this.#isForGood = true;
    this.#begin(deadlineMs);
    await this.#empty.promise;
  }

  #begin(deadlineMs: number): void {
    this.#sessions.draining = true;
    this.#changed();
    clearTimeout(this.#deadline);
    this.#untilMs = performance.now() + deadlineMs;
    this.#deadline = setTimeout(() => this.#rooms.closeAll("draining"), deadlineMs);
    this.check();
  }

  /** Somebody left. */
  check(): void {
    if (!this.#sessions.draining || this.#rooms.peers.length > 0) return;
    clearTimeout(this.#deadline);
    this.#empty.resolve();
  }
}

function leftMessage(room: Room, peer: Peer, reason: CloseReason): FromNode {
  const { id: peerId, userId, sessionId } = peer;
  return { type: "left", roomId: room.id, peerId, userId, sessionId, reason };
}

function health(pool: WorkerPool, sessions: Sessions): Page {
  const missing = pool.slots.filter(({ worker }) => worker === undefined).length;
  const healthy = missing < pool.slots.length;
  const body = {
    status: healthy ? "ok" : "unavailable",
    checks: { workers: missing === 0 ? "ok" : `${missing} being replaced` },
    draining: sessions.draining,
  };
  return { status: healthy ? 200 : 503, type: "application/json", body: JSON.stringify(body) };
}

async function metricsPage(request: IncomingMessage, token: string, metrics: Metrics | undefined): Promise<Page> {
  // Without a token set, there is nothing here for anyone.
  if (token === "" || metrics === undefined || request.headers.authorization !== `Bearer ${token}`) {
    return { status: 404, type: "text/plain", body: "not found" };
  }
  return { status: 200, type: metrics.registry.contentType, body: await metrics.registry.metrics() };
}
