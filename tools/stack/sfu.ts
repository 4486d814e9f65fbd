import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { OperatorError } from "../operator-error.ts";
import { lastLogLine } from "./logs.ts";
import { freePort } from "./ports.ts";
import { rootFolder } from "./root.ts";
import { publicSigningKey, type Secrets } from "./secrets.ts";
import { describeExit } from "./supervisor.ts";
import type { Child, Supervisor } from "./supervisor.ts";

/** What the edge calls the one node of this machine. */
export const localNodeId = "local";

/** What the node reads from its environment and a person may set. */
export const sfuSettings = ["SFU_LISTEN", "SFU_WORKERS", "SFU_PEERS_PER_WORKER", "SFU_REGION", "SFU_ORIGINS"] as const;

/** Calls of a node that is killed are set up anew; of one that stops in order people are told. */
const stopGraceMs = 2_000;
const firstRestartMs = 100;
const lastRestartMs = 5_000;

export interface SfuOptions {
  /** A mediasoup worker's program. */
  readonly workerBin: string;
  readonly logFile: string;
  readonly secrets: Secrets;
  /** Where signalling listens: `sfuHttpPort`. */
  readonly httpPort: number;
  /** Of the first worker's media; 0: any free one. */
  readonly mediaPort: number;
  /** The address the edge listens on: media listens there too, unless SFU_LISTEN says otherwise. */
  readonly host: string;
  /** `ws://…/sfu-registry`. */
  readonly registryUrl: string;
  readonly env: Readonly<Record<string, string>>;
  readonly supervisor: Supervisor;
  readonly log: (line: string) => void;
}

export interface Sfu {
  readonly pid: () => number;
  /** SIGKILL, as a crash; another takes its place by itself. */
  readonly kill9: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A port for signalling; the edge must know it before the node runs. */
export const sfuHttpPort = (): Promise<number> => freePort();

/**
 * Starts the SFU node, and another when it dies: calls come back by themselves, text goes on meanwhile. Throws an OperatorError when the
 * first does not start.
 */
export async function startSfu(options: SfuOptions): Promise<Sfu> {
  let child = await launch(options);
  let stopped = false;

  const keepRunning = async (): Promise<void> => {
    for (let waitMs = firstRestartMs; ; waitMs = Math.min(waitMs * 2, lastRestartMs)) {
      const exit = await child.exited;
      if (stopped) return;
      options.log(
        `The SFU node ended unexpectedly (${describeExit(exit)}) and is started again: see ${options.logFile}`,
      );
      const beganMs = performance.now();
      await sleep(waitMs);
      if (stopped) return;
      try {
        child = await launch(options);
        if (stopped) {
          await child.stop();
          return;
        }
        if (performance.now() - beganMs > lastRestartMs) waitMs = firstRestartMs;
      } catch {
        // Its end has been written to its log; the loop tries again.
      }
    }
  };
  const running = keepRunning();
  return {
    pid: () => child.pid,
    kill9: () => child.kill9(),
    stop: async () => {
      stopped = true;
      await child.stop();
      await running;
    },
  };
}

function environment(options: SfuOptions): Record<string, string> {
  const { secrets, httpPort, mediaPort, host, registryUrl, workerBin, env } = options;
  return {
    ...env,
    SFU_NODE_ID: localNodeId,
    SFU_HTTP_PORT: String(httpPort),
    SFU_PORT: String(mediaPort),
    SFU_LISTEN: env["SFU_LISTEN"] || host,
    SFU_EDGE_KEYS: JSON.stringify({ keys: [publicSigningKey(secrets)] }),
    SFU_REGISTRY_URL: registryUrl,
    SFU_SECRET: secrets.sfuSecret,
    SFU_CONTROL_FD: "3",
    MEDIASOUP_WORKER_BIN: workerBin,
  };
}

/** Resolves once it takes people. */
async function launch(options: SfuOptions): Promise<Child> {
  const { logFile, supervisor } = options;
  const child = await supervisor.spawn({
    name: "The SFU node",
    command: process.execPath,
    args: [join(rootFolder, "sfu-node", "src", "index.ts")],
    env: environment(options),
    logFile,
    stopSignal: "SIGINT",
    stopGraceMs,
  });
  const listening = new Promise<void>((resolve) => {
    createInterface({ input: child.control }).on("line", (line) => line.includes('"event":"listen"') && resolve());
  });
  await Promise.race([
    listening,
    child.exited.then((exit) => {
      throw new OperatorError(
        `The SFU node does not start (${lastLogLine(logFile) ?? describeExit(exit)}): see ${logFile}, or choose other media ports with SFU_PORT=…`,
      );
    }),
  ]);
  return child;
}
