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

const runTask = "ThreadControllerImpl::RunTask";

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

/** The name of a `performance.mark` that tells which of the browser's threads the page runs on. */
export const pageMark = "the page of the benchmark";

/** Notes every task of the browser's threads until the answer is called. */
export async function watchThreads(session: CDPSession): Promise<() => Promise<ThreadTimes>> {
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["toplevel", "blink.user_timing"] },
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
  const mark = events.find(({ name }) => name === pageMark);
  if (mark === undefined) throw new Error("the trace does not tell the page's thread");
  const tasks = events.filter(({ ph, name, pid }) => pid === mark.pid && ph === "X" && name === runTask);
  const workers = events.filter(({ name, pid, args }) => {
    return pid === mark.pid && name === "thread_name" && args.name?.startsWith("DedicatedWorker") === true;
  });
  const page = cpuMsOf(tasks.filter(({ tid }) => tid === mark.tid));
  return {
    longestTaskMs: Math.max(...page),
    pageMs: sum(page),
    workersMs: sum(workers.flatMap((worker) => cpuMsOf(tasks.filter(({ tid }) => tid === worker.tid)))),
  };
}

function cpuMsOf(tasks: readonly TraceEvent[]): number[] {
  return outermost(tasks).map(({ tdur = 0 }) => tdur / 1_000);
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
