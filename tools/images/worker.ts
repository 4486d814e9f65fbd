/** Puts a mediasoup worker at a path: `node tools/images/worker.ts <path>`, a step of the image `sfu`. Root may install what a build needs. */
import { copyFileSync } from "node:fs";
import { findWorker } from "../../sfu-node/worker-build/worker.ts";
import { runCommand } from "../command.ts";

await runCommand(async (signal) => {
  const [, , path] = process.argv;
  if (path === undefined) throw new Error("usage: worker.ts <path>");
  copyFileSync(await findWorker({ log: console.log, signal }), path);
  return 0;
});
