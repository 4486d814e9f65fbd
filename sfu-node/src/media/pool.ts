import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../platform/logger.ts";
import type { MediaEngine, MediaWorker } from "./port.ts";

/** A place for a worker: when one dies, another takes its place. */
export interface Slot {
  readonly index: number;
  /** Undefined while a new one is started. */
  worker: MediaWorker | undefined;
  /** People whose media it forwards. */
  peers: number;
  /** Share of a core that it used of late, 0 to 1. */
  cpu: number;
}

export interface PoolOptions {
  readonly engine: MediaEngine;
  readonly size: number;
  readonly log: Logger;
  /** The worker of this slot died; nothing that was on it is left. */
  readonly onDied: (slot: Slot) => void;
}

const firstRestartMs = 100;
const lastRestartMs = 5_000;
/** A room that forwards audio to some people costs about this much of a core for each of them: what is not measured yet. */
const cpuPerPeer = 0.02;

/** The workers of this node, one a core. */
export class WorkerPool {
  readonly slots: readonly Slot[];
  readonly #options: PoolOptions;
  readonly #cpuMs = new Map<Slot, { readonly usedMs: number; readonly atMs: number }>();
  #closed = false;

  private constructor(options: PoolOptions) {
    this.#options = options;
    this.slots = Array.from({ length: options.size }, (_, index) => ({ index, worker: undefined, peers: 0, cpu: 0 }));
  }

  /** Starts all workers; rejects when one cannot be started at all. */
  static async start(options: PoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    try {
      await Promise.all(pool.slots.map((slot) => pool.#fill(slot)));
    } catch (error) {
      pool.close();
      throw error;
    }
    return pool;
  }

  async #fill(slot: Slot): Promise<void> {
    const worker = await this.#options.engine.startWorker(slot.index);
    if (this.#closed) {
      worker.close();
      return;
    }
    slot.worker = worker;
    slot.cpu = 0;
    this.#cpuMs.delete(slot);
    this.#options.log.info("worker started", { worker: slot.index, pid: worker.pid });
    void worker.died.then(() => this.#replace(slot));
  }

  async #replace(slot: Slot): Promise<void> {
    if (this.#closed) return;
    const { log, onDied } = this.#options;
    log.error("worker died", new Error("its process ended"), { worker: slot.index, pid: slot.worker?.pid });
    slot.worker = undefined;
    onDied(slot);
    for (let waitMs = firstRestartMs; !this.#closed; waitMs = Math.min(waitMs * 2, lastRestartMs)) {
      try {
        await this.#fill(slot);
        return;
      } catch (error) {
        log.error("worker cannot be started", error, { worker: slot.index });
        await sleep(waitMs, undefined, { ref: false });
      }
    }
  }

  /** The least loaded slot with a worker, those in `without` left out; undefined if there is none. */
  leastLoaded(without: ReadonlySet<Slot> = new Set()): Slot | undefined {
    const load = ({ cpu, peers }: Slot): number => Math.max(cpu, peers * cpuPerPeer);
    return this.slots
      .filter((slot) => slot.worker !== undefined && !without.has(slot))
      .toSorted((a, b) => load(a) - load(b) || a.peers - b.peers || a.index - b.index)[0];
  }

  /** Asks every worker for its processor time; `cpu` of the slots is the share since the last call. */
  async measure(nowMs: number): Promise<void> {
    await Promise.all(
      this.slots.map(async (slot) => {
        const { worker } = slot;
        // A worker that dies while it is asked: its slot is filled anew, and measured then.
        const usedMs = await worker?.cpuMs().catch(() => undefined);
        if (usedMs === undefined || slot.worker !== worker) return;
        const before = this.#cpuMs.get(slot);
        this.#cpuMs.set(slot, { usedMs, atMs: nowMs });
        if (before === undefined || nowMs <= before.atMs) return;
        slot.cpu = Math.min(1, Math.max(0, (usedMs - before.usedMs) / (nowMs - before.atMs)));
      }),
    );
  }

  close(): void {
    this.#closed = true;
    for (const slot of this.slots) slot.worker?.close();
  }
}
