import { randomBytes } from "node:crypto";
import { createWorker } from "mediasoup";
import type { Router, SrtpParameters, Worker } from "mediasoup/types";
import { findWorker } from "../../sfu-node/worker-build/worker.ts";
import { RtpGenerator, type Talker } from "../load/rtp.ts";
import { quantile } from "../measure/quantile.ts";
import type { Tools } from "./bench.ts";
import * as metrics from "./metrics.ts";

const rooms = 10;
const peoplePerRoom = 20;
const workers = 2;
const durationMs = 10_000;

const opus = { kind: "audio", mimeType: "audio/opus", clockRate: 48_000, channels: 2 } as const;

/** What a WebRTC receiver costs beyond a plain one: every packet is encrypted for it alone. */
function srtp(): SrtpParameters {
  return { cryptoSuite: "AEAD_AES_128_GCM", keyBase64: randomBytes(28).toString("base64") };
}

/** One who speaks and everybody else who hears them, as a room is made in sfu-node/src/media. */
async function room(router: Router, generator: RtpGenerator, ssrc: number): Promise<Talker> {
  const listenInfo = { protocol: "udp", ip: "127.0.0.1" } as const;
  const sender = await router.createPlainTransport({ listenInfo });
  await sender.connect({ ip: "127.0.0.1", port: generator.sourcePort });
  const codec = { mimeType: opus.mimeType, payloadType: 100, clockRate: opus.clockRate, channels: opus.channels };
  const producer = await sender.produce({ kind: "audio", rtpParameters: { codecs: [codec], encodings: [{ ssrc }] } });
  const levels = await router.createAudioLevelObserver({ interval: 250, maxEntries: 8 });
  await levels.addProducer({ producerId: producer.id });
  for (let n = 1; n < peoplePerRoom; n += 1) {
    const receiver = await router.createPlainTransport({
      listenInfo,
      enableSrtp: true,
      srtpCryptoSuite: "AEAD_AES_128_GCM",
    });
    await receiver.connect({ ip: "127.0.0.1", port: generator.sinkPort, srtpParameters: srtp() });
    await receiver.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
  }
  return { port: sender.tuple.localPort, ssrc };
}

async function cpuMs(all: readonly Worker[]): Promise<number> {
  const usages = await Promise.all(all.map((worker) => worker.getResourceUsage()));
  return usages.reduce((sum, { ru_utime: user, ru_stime: system }) => sum + user + system, 0);
}

/**
 * 10 rooms of 20 with one speaker each, on two workers: what forwarding costs, how long it takes, and whether anything is lost. Receivers are SRTP
 * without ICE and DTLS; the generator shares the machine.
 */
export async function forwarding({ record, rounds, log, signal }: Tools): Promise<void> {
  const workerBin = await findWorker({ log, signal });
  const generator = await RtpGenerator.start();
  const all: Worker[] = [];
  try {
    for (let n = 0; n < workers; n += 1) all.push(await createWorker({ workerBin, logLevel: "error" }));
    const talkers: Talker[] = [];
    for (let n = 0; n < rooms; n += 1) {
      const worker = all[n % workers];
      if (worker === undefined) throw new Error("no worker");
      talkers.push(await room(await worker.createRouter({ mediaCodecs: [opus] }), generator, 1_000 + n));
    }
    await generator.run(talkers, 2_000);
    for (let round = 1; round <= rounds; round += 1) {
      log(`voice: round ${round} of ${rounds}`);
      signal.throwIfAborted();
      const beganMs = performance.now();
      const beforeMs = await cpuMs(all);
      const { sent, received, delaysMs } = await generator.run(talkers, durationMs);
      const usedMs = (await cpuMs(all)) - beforeMs;
      const expected = sent * (peoplePerRoom - 1);
      const share = (usedMs / (performance.now() - beganMs) / workers) * 100;
      record.add("sfu", metrics.voiceCpu, "%", share);
      record.add("sfu", metrics.voiceCpuPerPacket, "µs", (usedMs * 1_000) / received);
      record.add("sfu", metrics.voiceDelay("p50"), "ms", quantile(delaysMs, 0.5));
      record.add("sfu", metrics.voiceDelay("p99"), "ms", quantile(delaysMs, 0.99));
      record.add("sfu", metrics.voiceLost, "count", expected - received);
    }
  } finally {
    for (const worker of all) worker.close();
    generator.stop();
  }
}
