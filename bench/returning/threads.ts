import type { CDPSession } from "playwright-core";

/** CPU time of the browser's threads, which a busy machine stretches less than the clock. */
export interface ThreadTimes {
  /** Of the main thread's longest task. */
  readonly longestTaskMs: number;
  /** Of the main thread, all its tasks. */
  readonly pageMs: number;
  /** Of the workers. */
  readonly workersMs: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds; `tdur` of CPU. */
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** Notes every task of the browser's threads until the answer is called. */
export async function watchThreads(session: CDPSession): Promise<() => Promise<ThreadTimes>> {
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["toplevel"] },
  });
  return async () => {
    const complete = new Promise((resolve) => {
      session.once("Tracing.tracingComplete", resolve);
    });
    await session.send("Tracing.end");
    await complete;
    return timesOf(events);
  };
}

function timesOf(events: readonly TraceEvent[]): ThreadTimes {
  const names = new Map<string, string | undefined>();
  for (const { name, pid, tid, args } of events) if (name === "thread_name") names.set(`${pid} ${tid}`, args.name);
  const tasks = events.filter(({ ph, name }) => ph === "X" && name === "ThreadControllerImpl::RunTask");
  const byThread = Map.groupBy(tasks, ({ pid, tid }) => `${pid} ${tid}`);
  let page: readonly number[] = [];
  let workersMs = 0;
  for (const [thread, all] of byThread) {
    const times = outermost(all).map(({ tdur = 0 }) => tdur / 1_000);
    // Chromium keeps an idle process at hand: the page's is the one that worked.
    if (names.get(thread) === "CrRendererMain" && sum(times) > sum(page)) page = times;
    if (names.get(thread)?.startsWith("DedicatedWorker") === true) workersMs += sum(times);
  }
  return { longestTaskMs: Math.max(...page), pageMs: sum(page), workersMs };
}

/** Tasks that run inside others are part of these. */
function outermost(tasks: readonly TraceEvent[]): TraceEvent[] {
  let endUs = 0;
  return tasks
    .toSorted((one, other) => one.ts - other.ts)
    .filter(({ ts, dur = 0 }) => {
      if (ts < endUs) return false;
      endUs = ts + dur;
      return true;
    });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
