import { mediasoupEngine } from "../../sfu-node/src/media/mediasoup.ts";
import { findWorker } from "../../sfu-node/worker-build/worker.ts";
import { mediaContract } from "./kit/media-contract.ts";

mediaContract(
  "mediasoup",
  async () => mediasoupEngine({ workerBin: await findWorker(), listen: [{ ip: "127.0.0.1" }], firstPort: 0 }),
  (worker) => process.kill(worker.pid, "SIGKILL"),
);
