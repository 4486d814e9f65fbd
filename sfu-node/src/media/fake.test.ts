import { mediaContract } from "../../../tests/sfu/kit/media-contract.ts";
import { FakeEngine, FakeWorker } from "./fake.ts";

mediaContract(
  "the fake engine",
  async () => new FakeEngine(),
  (worker) => {
    if (worker instanceof FakeWorker) worker.die();
  },
);
