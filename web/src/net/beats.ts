import type { Beats } from "../sync/ports.ts";

/** To the worker: beat under this id, or stop when `periodMs` is null. It answers with the id at each beat. */
export interface BeatRequest {
  readonly id: number;
  readonly periodMs: number | null;
}

/** Beats from a worker, which starts with the first of them. */
export function workerBeats(): Beats {
  let worker: Worker | undefined;
  let lastId = 0;
  const tasks = new Map<number, () => void>();

  function start(): Worker {
    const started = new Worker(new URL("./beat-worker.ts", import.meta.url), { type: "module" });
    started.addEventListener("message", ({ data }: MessageEvent<number>) => tasks.get(data)?.());
    return started;
  }

  return {
    every(periodMs, task) {
      worker ??= start();
      const target = worker;
      lastId += 1;
      const id = lastId;
      tasks.set(id, task);
      tell(target, { id, periodMs });
      return () => {
        tasks.delete(id);
        tell(target, { id, periodMs: null });
        if (tasks.size > 0) return;
        target.terminate();
        worker = undefined;
      };
    },
  };
}

/** The options form: a worker has no target origin, and the linter knows only windows. */
function tell(worker: Worker, request: BeatRequest): void {
  worker.postMessage(request, {});
}
