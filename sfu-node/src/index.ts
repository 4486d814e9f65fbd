/**
 * The process of an SFU node; its settings are in config.ts. Says `{"event":"listen","port":…}` on file descriptor 3 if whoever started it opened
 * one. SIGTERM drains, a second one or SIGINT stops at once.
 */
import { writeSync } from "node:fs";
import { readConfig } from "./config.ts";
import { mediasoupEngine } from "./media/mediasoup.ts";
import { startNode } from "./node.ts";
import { resolveAnnounced } from "./platform/announced.ts";
import { makeLogger } from "./platform/logger.ts";

async function main(): Promise<void> {
  const SFU_LISTEN = await resolveAnnounced(process.env["SFU_LISTEN"] ?? "");
  const config = readConfig({ ...process.env, SFU_LISTEN });
  const log = makeLogger(config.LOG_LEVEL, (line) => process.stdout.write(`${line}\n`));
  const engine = mediasoupEngine({
    workerBin: config.MEDIASOUP_WORKER_BIN,
    listen: config.SFU_LISTEN,
    firstPort: config.SFU_PORT,
  });
  const node = await startNode(config, engine, log);
  if (process.env["SFU_CONTROL_FD"] === "3") writeSync(3, `${JSON.stringify({ event: "listen", port: node.port })}\n`);

  const stop = (): void => {
    node.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error("the node does not stop in order", error);
        process.exit(1);
      },
    );
  };
  process.on("SIGINT", stop);
  process.once("SIGTERM", () => {
    log.info("draining", { deadlineMs: config.SFU_DRAIN_MS });
    process.on("SIGTERM", stop);
    void node.drain(config.SFU_DRAIN_MS).then(stop);
  });
}

try {
  await main();
} catch (error) {
  // One line that says what to correct, as the last line of the log.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
