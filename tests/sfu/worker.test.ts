import { createWorker } from "mediasoup";
import { expect, onTestFinished, test } from "vitest";
import { findWorker } from "../../sfu-node/worker-build/worker.ts";

test("[SW5] the worker that is found answers the mediasoup of this package", async () => {
  const worker = await createWorker({ workerBin: await findWorker() });
  onTestFinished(() => worker.close());
  expect((await worker.dump()).pid).toBe(worker.pid);
});
