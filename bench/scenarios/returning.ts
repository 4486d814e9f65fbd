import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../../tools/stack/stack.ts";
import { makeFriends } from "../returning/friends.ts";
import type { Visit } from "../returning/profile.ts";
import type { Tools } from "./bench.ts";
import * as metrics from "./metrics.ts";

const waiting = 500;

function note({ record, log }: Tools, place: metrics.Place, visit: Visit): void {
  const add = (metric: string, ms: number): void => record.add("client", metric, "ms", ms);
  const { shellMs, connectedMs, shownMs, takenMs, longTasks, storingMs, cpu } = visit;
  add(`${place}: navigation → frame shown`, shellMs);
  add(`${place}: navigation → last message shown`, shownMs);
  add(metrics.returned(place), Math.max(shownMs, takenMs) - connectedMs);
  if (place === "conversation") {
    add(`${place}: the device stores`, storingMs);
    add(`${place}: CPU of the device`, cpu.workersMs);
  }
  add(`${place}: CPU of the page`, cpu.pageMs);
  add(metrics.longestTask(place), Math.max(0, ...longTasks.map(({ ms }) => ms)));
  add(metrics.longestTaskCpu(place), cpu.longestTaskMs);
  for (const { atMs, ms, by } of longTasks.toSorted((one, other) => other.ms - one.ms).slice(0, 3)) {
    log(`  ${place}: a task of ${ms.toFixed(0)} ms at ${atMs.toFixed(0)} ms: ${by}`);
  }
}

/** Somebody comes back to 500 messages, in a direct conversation and in a channel: a real browser on the real stack. */
export async function returning(tools: Tools): Promise<void> {
  const { log, signal } = tools;
  const dataDir = mkdtempSync(join(tmpdir(), "lescopains-bench-"));
  try {
    const stack = await startStack({ dataDir, env: { LOG_LEVEL: "warn" }, log, onCrash: log, signal });
    try {
      const friends = await makeFriends(stack.url);
      try {
        for (let round = 1; round <= tools.rounds; round += 1) {
          log(`returning: round ${round} of ${tools.rounds}`);
          signal.throwIfAborted();
          const last = { selector: "article.message", text: await friends.write(waiting), sealed: true };
          note(tools, "conversation", await friends.profile.visit(friends.conversation, last));
          const text = await friends.writeInChannel(waiting);
          note(tools, "channel", await friends.profile.visit(friends.channel, { ...last, text, sealed: false }));
        }
      } finally {
        await friends.close();
      }
    } finally {
      await stack.stop();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}
