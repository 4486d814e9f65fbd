import { type ChildProcess, fork } from "node:child_process";
import type { Answers, Command, Reply, Request } from "./protocol.ts";

/** A load generator process, as the benchmark sees it. */
export class Generator {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  #lastId = 0;

  constructor() {
    this.#child = fork(new URL("./worker.ts", import.meta.url), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child.on("message", (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ("error" in reply) waiting?.reject(new Error(`load generator: ${reply.error}`));
      else waiting?.resolve(reply.answer as never);
    });
    this.#child.on("exit", (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`a load generator ended (${code ?? signal})`));
      this.#waiting.clear();
    });
  }

  ask<C extends Command>(command: C): Promise<Answers[C["kind"]]> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, command } satisfies Request, (error) => error !== null && reject(error));
    });
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
