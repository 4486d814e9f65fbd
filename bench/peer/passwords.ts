import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

interface Waiting {
  readonly resolve: (matches: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** Compares passwords on threads of their own, so that the sockets' thread never waits for bcrypt. */
export interface PasswordPool {
  matches(password: string, hash: string): Promise<boolean>;
}

/** One thread a core, started at the first question; questions go to the thread with the fewest waiting. */
export function startPasswordPool(): PasswordPool {
  const threads: { worker: Worker; waiting: Map<number, Waiting> }[] = [];
  let lastId = 0;

  const begin = (): void => {
    const worker = new Worker(new URL("./password-worker.ts", import.meta.url));
    const waiting = new Map<number, Waiting>();
    worker.on("message", ({ id, matches }: { id: number; matches: boolean }) => {
      waiting.get(id)?.resolve(matches);
      waiting.delete(id);
    });
    worker.on("error", (error) => {
      for (const { reject } of waiting.values()) reject(error);
    });
    threads.push({ worker, waiting });
  };

  return {
    matches(password, hash) {
      if (threads.length === 0) for (let count = availableParallelism(); count > 0; count -= 1) begin();
      const [thread] = threads.toSorted((a, b) => a.waiting.size - b.waiting.size);
      if (thread === undefined) throw new Error("a pool without threads");
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        thread.waiting.set(id, { resolve, reject });
        thread.worker.postMessage({ id, password, hash }, []);
      });
    },
  };
}
