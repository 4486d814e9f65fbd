import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import { findWorker } from "../../../sfu-node/worker-build/worker.ts";
import { type Edge, startEdge } from "./edge.ts";

export interface SfuProcess {
  readonly url: string;
  readonly edge: Edge;
  /** Of the mediasoup workers, as logged. */
  workerPids(): number[];
  log(): string;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<number | null>;
}

/** The node as a process of its own with the real mediasoup, until the test ends, or whatever `atEnd` waits for. */
export async function startSfuProcess(
  env: Readonly<Record<string, string>> = {},
  atEnd: (end: () => Promise<void>) => void = onTestFinished,
): Promise<SfuProcess> {
  const edge = await startEdge();
  const child: ChildProcess = spawn(process.execPath, ["sfu-node/src/index.ts"], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"] ?? "",
      SFU_NODE_ID: "test-node",
      SFU_HTTP_PORT: "0",
      SFU_PORT: "0",
      SFU_WORKERS: "1",
      SFU_EDGE_KEYS: JSON.stringify(edge.keys),
      SFU_CONTROL_FD: "3",
      MEDIASOUP_WORKER_BIN: await findWorker(),
      ...env,
    },
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (log += chunk.toString("utf8")));
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  atEnd(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const port = await new Promise<number>((resolve, reject) => {
    const control = child.stdio[3] as Readable;
    createInterface({ input: control }).once("line", (line) => resolve((JSON.parse(line) as { port: number }).port));
    void exited.then(() => reject(new Error(`the node ended:\n${log}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    edge,
    workerPids: () => [...log.matchAll(/"msg":"worker started".*"pid":(\d+)/g)].map(([, pid]) => Number(pid)),
    log: () => log,
    kill: (signal) => child.kill(signal),
    exited,
  };
}
