import { SFU_LIMITS, SFU_PERIODS } from "@lescopains/protocol/sfu/limits";
import type { MediaId, RtpCapabilities } from "@lescopains/protocol/sfu/media";
import { createWorker } from "mediasoup";
import type {
  AudioLevelObserver,
  Router,
  TransportListenInfo,
  WebRtcServer,
  WebRtcTransport,
  Worker,
} from "mediasoup/types";
import { type Outcome, ok } from "@lescopains/protocol/outcome";
import { codecCapabilities } from "./codecs.ts";
import { MediasoupTransport } from "./mediasoup-transport.ts";
import type { MediaEngine, MediaRouter, MediaTransport, MediaWorker, RouterOptions, TransportOptions } from "./port.ts";
import { attempt, gone } from "./refusals.ts";

/** An address to listen on, and the one that browsers are told where that is another. */
export interface ListenAddress {
  readonly ip: string;
  readonly announced?: string;
}

export interface EngineOptions {
  /** The mediasoup worker's program. */
  readonly workerBin: string;
  readonly listen: readonly ListenAddress[];
  /** Worker n listens on `firstPort + n`, UDP and TCP; 0: on any free port. */
  readonly firstPort: number;
}

/** Outside the range that systems take for outgoing connections: a lasting port there would collide with one of them. */
const anyPort = { min: 20_000, max: 29_999 };
/** What may wait while a worker does something else; what does not fit is lost. Systems may allow less (net.core.rmem_max). */
const recvBufferSize = 4 * 1_024 * 1_024;
/** Speech is above, a fan or keyboard usually below (dBov). */
const speechThreshold = -55;
const loudest = 8;

export function mediasoupEngine(options: EngineOptions): MediaEngine {
  return {
    async startWorker(index) {
      const worker = await deafToSignals(() => createWorker({ workerBin: options.workerBin, logLevel: "error" }));
      try {
        const server = await worker.createWebRtcServer({ listenInfos: listenInfos(options, index) });
        return new MediasoupWorker(worker, server);
      } catch (error) {
        worker.close();
        throw error;
      }
    },
  };
}

/**
 * mediasoup closes its workers itself when this process gets SIGINT or SIGTERM (3.27, node/lib/Worker.js), and with them all calls: but SIGTERM
 * lets calls go on here until they end. Its listeners, added while `start` runs synchronously, are taken away again.
 */
function deafToSignals<T>(start: () => T): T {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const before = signals.map((signal) => process.listeners(signal));
  const started = start();
  signals.forEach((signal, index) => {
    for (const listener of process.listeners(signal)) {
      if (before[index]?.includes(listener) === false) process.removeListener(signal, listener);
    }
  });
  return started;
}

function listenInfos({ listen, firstPort }: EngineOptions, index: number): TransportListenInfo[] {
  const port = firstPort === 0 ? { portRange: anyPort } : { port: firstPort + index };
  return listen.flatMap(({ ip, announced }) =>
    (["udp", "tcp"] as const).map((protocol) => ({
      protocol,
      ip,
      ...port,
      recvBufferSize,
      ...(announced === undefined ? {} : { announcedAddress: announced }),
      // IPv4 has entries of its own.
      ...(ip.includes(":") ? { flags: { ipv6Only: true } } : {}),
    })),
  );
}

class MediasoupWorker implements MediaWorker {
  readonly died: Promise<void>;
  readonly #worker: Worker;
  readonly #server: WebRtcServer;

  constructor(worker: Worker, server: WebRtcServer) {
    this.#worker = worker;
    this.#server = server;
    this.died = new Promise((resolve) => {
      worker.once("died", () => resolve());
    });
  }

  get pid(): number {
    return this.#worker.pid;
  }

  async createRouter({ codecs, onSpeakers }: RouterOptions): Promise<MediaRouter> {
    const router = await this.#worker.createRouter({ mediaCodecs: codecCapabilities(codecs) });
    const levels = await router.createAudioLevelObserver({
      interval: SFU_PERIODS.speakersMs,
      threshold: speechThreshold,
      maxEntries: loudest,
    });
    levels.on("volumes", (volumes) =>
      onSpeakers(volumes.map(({ producer, volume }) => ({ producerId: producer.id, level: volume }))),
    );
    levels.on("silence", () => onSpeakers([]));
    return new MediasoupRouter(router, levels, this.#server);
  }

  async cpuMs(): Promise<number> {
    const { ru_utime: user, ru_stime: system } = await this.#worker.getResourceUsage();
    return user + system;
  }

  close(): void {
    this.#worker.close();
  }
}

class MediasoupRouter implements MediaRouter {
  readonly #router: Router;
  readonly #levels: AudioLevelObserver;
  readonly #server: WebRtcServer;
  /** A WebRtcServer keeps what its router closes for ever (3.27, node/lib/WebRtcServer.js): they are closed one by one. */
  readonly #transports = new Set<WebRtcTransport>();
  /** mediasoup would pipe the same producer twice, and fail. */
  readonly #piped = new Map<string, Promise<Outcome<undefined>>>();

  constructor(router: Router, levels: AudioLevelObserver, server: WebRtcServer) {
    this.#router = router;
    this.#levels = levels;
    this.#server = server;
  }

  get rtpCapabilities(): RtpCapabilities {
    return this.#router.rtpCapabilities as RtpCapabilities;
  }

  async createTransport({ tcpOnly, onState }: TransportOptions): Promise<Outcome<MediaTransport>> {
    return attempt(
      () => this.#router.closed,
      async () => {
        const transport = await this.#router.createWebRtcTransport({
          webRtcServer: this.#server,
          enableUdp: !tcpOnly,
          enableTcp: true,
          preferUdp: true,
          initialAvailableOutgoingBitrate: SFU_LIMITS.initialOutgoingBitrate,
          enableSctp: true,
          maxSendMessageSize: SFU_LIMITS.dataMessageBytes,
          maxReceiveMessageSize: SFU_LIMITS.dataMessageBytes,
        });
        this.#transports.add(transport);
        transport.observer.once("close", () => this.#transports.delete(transport));
        if (this.#router.closed) transport.close();
        await transport.setMaxIncomingBitrate(SFU_LIMITS.incomingBitrate);
        return new MediasoupTransport(transport, this.#levels, onState);
      },
    );
  }

  pipe(producerId: MediaId, target: MediaRouter): Promise<Outcome<undefined>> {
    return this.#pipeOnce({ producerId }, producerId, target);
  }

  pipeData(dataProducerId: MediaId, target: MediaRouter): Promise<Outcome<undefined>> {
    return this.#pipeOnce({ dataProducerId }, dataProducerId, target);
  }

  #pipeOnce(
    what: { readonly producerId: string } | { readonly dataProducerId: string },
    id: MediaId,
    target: MediaRouter,
  ): Promise<Outcome<undefined>> {
    if (!(target instanceof MediasoupRouter)) throw new Error("a router of another engine");
    const router = target.#router;
    const key = `${id} ${router.id}`;
    let pipe = this.#piped.get(key);
    if (pipe === undefined) {
      const forget = (): boolean => this.#piped.delete(key);
      pipe = attempt(
        () => this.#router.closed || router.closed,
        async () => {
          const { pipeConsumer, pipeDataConsumer } = await this.#router.pipeToRouter({ ...what, router });
          pipeConsumer?.observer.once("close", forget);
          pipeDataConsumer?.observer.once("close", forget);
        },
      ).then((outcome) => {
        if (outcome.ok) return ok();
        forget();
        return gone;
      });
      this.#piped.set(key, pipe);
    }
    return pipe;
  }

  close(): void {
    for (const transport of this.#transports) transport.close();
    this.#router.close();
  }
}
