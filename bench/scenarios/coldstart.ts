import { randomUUID } from "node:crypto";
import { Connection } from "../load/connection.ts";
import type { Subject } from "../subjects/subject.ts";
import { type Bench, type Scenario } from "./bench.ts";

async function oneStart(bench: Bench, subject: Subject): Promise<void> {
  const [token] = await subject.world.tokens(1);
  const { healthyMs } = await subject.restart();
  const startedMs = performance.now();
  const connection = await Connection.open({ url: subject.url() }, token ?? "", () => undefined);
  try {
    const [channelId] = subject.world.channelIds;
    const ok = await connection.send("message:send", { channelId, content: "first", nonce: randomUUID() });
    if (!ok) throw new Error(`${subject.name} refused the first message after its start`);
    bench.record.add(subject.name, "start → /health 200", "ms", healthyMs);
    bench.record.add(subject.name, "first connection and message after it", "ms", performance.now() - startedMs);
  } finally {
    await connection.close();
  }
}

/** From the start of the process to the first 200, and to the first acknowledged message. */
export const coldstart: Scenario = async (bench) => {
  for (let round = 1; round <= bench.rounds; round += 1) {
    bench.log(`cold start: round ${round} of ${bench.rounds}`);
    for (const subject of bench.subjects) {
      bench.signal.throwIfAborted();
      await oneStart(bench, subject);
    }
  }
};
