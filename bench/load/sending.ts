import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { seededNumbers } from "@lescopains/protocol/testing/seeded-numbers";
import type { Connection } from "./connection.ts";
import type { Send, Sent } from "./protocol.ts";
import { nowUs, stampText } from "./stamp.ts";

/** How long after the last message an acknowledgement may come. */
const ackTimeoutMs = 20_000;

/** Sends a run's messages from these connections, and waits for their acknowledgements. */
export async function sendRun(senders: readonly Connection[], command: Send): Promise<Sent> {
  const { run, channelIds, pace, durationMs } = command;
  const ackUs: number[] = [];
  const open = new Set<number>();
  const refused: number[] = [];
  let messages = 0;

  const sendOne = async (sender: Connection): Promise<void> => {
    const index = messages++;
    const sentUs = nowUs();
    open.add(index);
    const channelId = channelIds[index % channelIds.length];
    const content = stampText({ run, index, sentUs });
    const isStored = await sender.send("message:send", { channelId, content, nonce: randomUUID() });
    if (isStored) ackUs.push(nowUs() - sentUs);
    else refused.push(index);
    open.delete(index);
  };

  const untilMs = performance.now() + durationMs;
  const work: Promise<void>[] = [];
  if (pace.kind === "random") {
    const random = seededNumbers(pace.seed);
    let nextMs = performance.now();
    for (;;) {
      nextMs += (-Math.log(1 - random()) * 1_000) / pace.perSecond;
      const sender = senders[Math.floor(random() * senders.length)];
      if (nextMs > untilMs || sender === undefined) break;
      await sleep(Math.max(0, nextMs - performance.now()));
      work.push(sendOne(sender));
    }
  } else {
    for (const sender of senders) {
      for (let line = 0; line < pace.outstandingPerSender; line += 1) {
        work.push(
          (async () => {
            while (performance.now() < untilMs && sender.isOpen) await sendOne(sender);
          })(),
        );
      }
    }
  }
  const deadline = new AbortController();
  const timeout = sleep(ackTimeoutMs + Math.max(0, untilMs - performance.now()), undefined, {
    signal: deadline.signal,
  }).catch(() => undefined);
  await Promise.race([Promise.all(work), timeout]);
  deadline.abort();
  return { messages, refused: [...refused, ...open], ackUs };
}
