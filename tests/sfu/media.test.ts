import { observer } from "mediasoup";
import type { WebRtcServer } from "mediasoup/types";
import { expect, test } from "vitest";
import { ROOM_CODECS } from "@lescopains/protocol/sfu/media";
import { mediasoupEngine } from "../../sfu-node/src/media/mediasoup.ts";
import { findWorker } from "../../sfu-node/worker-build/worker.ts";
import { mediaContract } from "./kit/media-contract.ts";

mediaContract(
  "mediasoup",
  async () => mediasoupEngine({ workerBin: await findWorker(), listen: [{ ip: "127.0.0.1" }], firstPort: 0 }),
  (worker) => process.kill(worker.pid, "SIGKILL"),
);

test("[SM11] rooms that come and go leave nothing behind in mediasoup, nor does what was being made when they went", async () => {
  const known = new Set<string>();
  const servers: WebRtcServer[] = [];
  observer.once("newworker", ({ observer: ofWorker }) => {
    ofWorker.on("newwebrtcserver", (server) => {
      servers.push(server);
      server.observer.on("webrtctransporthandled", ({ id }) => known.add(id));
      server.observer.on("webrtctransportunhandled", ({ id }) => known.delete(id));
    });
  });
  const options = { workerBin: await findWorker(), listen: [{ ip: "127.0.0.1" }], firstPort: 0 };
  const worker = await mediasoupEngine(options).startWorker(0);
  for (let room = 0; room < 20; room += 1) {
    const router = await worker.createRouter({ codecs: ROOM_CODECS.encrypted, onSpeakers: () => undefined });
    const transport = () => router.createTransport({ tcpOnly: false, onState: () => undefined });
    await transport();
    const opening = [transport(), transport()];
    // At one moment of their making or another.
    for (let turns = 0; turns < room; turns += 1) await new Promise(setImmediate);
    router.close();
    await Promise.all(opening);
  }
  expect(known.size).toBe(0);
  expect((await servers[0]?.dump())?.webRtcTransportIds).toEqual([]);
  worker.close();
});
