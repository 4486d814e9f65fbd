/** `npm run voice-node`: a voice node alone, on a machine of its own; sfu-node/README.md lists its settings. */
import { findWorker } from "../sfu-node/worker-build/worker.ts";

try {
  process.env["MEDIASOUP_WORKER_BIN"] = await findWorker({ log: (line) => console.error(line) });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
// It is a process of its own kind: it takes signals, and says what is wrong with its settings, by itself.
await import("../sfu-node/src/index.ts");
