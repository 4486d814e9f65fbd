import { randomUUID } from "node:crypto";
import type { MediaId, RtpCapabilities } from "@lescopains/protocol/sfu/media";
import type { RtpParameters } from "mediasoup/types";
import { generateRouterRtpCapabilities } from "mediasoup/ortc";
import { type Outcome, ok } from "@lescopains/protocol/outcome";
import { codecCapabilities } from "./codecs.ts";
import { FakeTransport } from "./fake-transport.ts";
import type {
  MediaEngine,
  MediaRouter,
  MediaTransport,
  MediaWorker,
  RouterOptions,
  Speaker,
  TransportOptions,
} from "./port.ts";
import { attempt, gone } from "./refusals.ts";

/** What of a producer a router knows. Piping shares it with another router. */
export interface FakeProducer {
  readonly id: MediaId;
  /** RTP parameters as consumers are made from; undefined for data. */
  readonly consumable: RtpParameters | undefined;
  readonly onClose: Set<() => void>;
  paused: boolean;
  closed: boolean;
}

/**
 * An engine without processes and network, for tests of what stands on the port. It refuses what mediasoup refuses, by mediasoup's own
 * rules (`mediasoup/ortc`), and closes what mediasoup closes.
 */
export class FakeEngine implements MediaEngine {
  readonly workers: FakeWorker[] = [];
  #beforeRouter = async (): Promise<void> => undefined;

  /** Routers are not made before `release`; `held` resolves when one is asked for. */
  holdRouters(): { readonly held: Promise<void>; readonly release: () => void } {
    const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.#beforeRouter = () => {
      asked.resolve();
      return released.promise;
    };
    return { held: asked.promise, release: released.resolve };
  }

  async startWorker(index: number): Promise<FakeWorker> {
    const worker = new FakeWorker(index, this.workers.length + 1, () => this.#beforeRouter());
    this.workers.push(worker);
    return worker;
  }
}

export class FakeWorker implements MediaWorker {
  readonly index: number;
  readonly pid: number;
  readonly died: Promise<void>;
  readonly routers: FakeRouter[] = [];
  /** What `cpuMs` answers. */
  usedCpuMs = 0;
  closed = false;
  readonly #beforeRouter: () => Promise<void>;
  readonly #death = Promise.withResolvers<void>();

  constructor(index: number, pid: number, beforeRouter: () => Promise<void>) {
    this.#beforeRouter = beforeRouter;
    this.index = index;
    this.pid = pid;
    this.died = this.#death.promise;
  }

  async createRouter(options: RouterOptions): Promise<FakeRouter> {
    if (this.closed) throw new Error("the worker is closed");
    await this.#beforeRouter();
    const router = new FakeRouter(options);
    this.routers.push(router);
    return router;
  }

  async cpuMs(): Promise<number> {
    return this.usedCpuMs;
  }

  close(): void {
    this.closed = true;
    for (const router of this.routers) router.close();
  }

  /** As a crash. */
  die(): void {
    this.close();
    this.#death.resolve();
  }
}

export class FakeRouter implements MediaRouter {
  readonly rtpCapabilities: RtpCapabilities;
  readonly producers = new Map<MediaId, FakeProducer>();
  readonly transports = new Map<MediaId, FakeTransport>();
  closed = false;
  readonly #onSpeakers: (speakers: readonly Speaker[]) => void;

  constructor({ codecs, onSpeakers }: RouterOptions) {
    this.rtpCapabilities = generateRouterRtpCapabilities(codecCapabilities(codecs)) as RtpCapabilities;
    this.#onSpeakers = onSpeakers;
  }

  async createTransport(options: TransportOptions): Promise<Outcome<MediaTransport>> {
    return attempt(
      () => this.closed,
      async () => {
        const transport = new FakeTransport(randomUUID(), this, options);
        this.transports.set(transport.id, transport);
        return transport;
      },
    );
  }

  async pipe(producerId: MediaId, target: MediaRouter): Promise<Outcome<undefined>> {
    if (!(target instanceof FakeRouter)) throw new Error("a router of another engine");
    const producer = this.producers.get(producerId);
    if (this.closed || target.closed || producer === undefined) return gone;
    target.producers.set(producerId, producer);
    producer.onClose.add(() => target.producers.delete(producerId));
    return ok();
  }

  pipeData(dataProducerId: MediaId, target: MediaRouter): Promise<Outcome<undefined>> {
    return this.pipe(dataProducerId, target);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const transport of this.transports.values()) transport.close();
  }

  /** As if these were heard. */
  speak(speakers: readonly Speaker[]): void {
    this.#onSpeakers(speakers);
  }
}
