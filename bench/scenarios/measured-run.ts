import type { RunOptions, RunResult } from "../load/fleet.ts";
import { cpuUs, familyCpuUs } from "../measure/process-usage.ts";
import type { Subject } from "../subjects/subject.ts";
import type { Bench } from "./bench.ts";
import * as metrics from "./metrics.ts";

/** What a run brought, and what the subject and PostgreSQL spent on it. */
interface Used extends RunResult {
  readonly cpuUs: number;
  readonly postgresCpuUs: number;
  readonly wallUs: number;
}

/** A run with what it cost; deliveries that went wrong are counted whatever the run is for. */
export async function measuredRun(bench: Bench, subject: Subject, options: RunOptions): Promise<Used> {
  bench.signal.throwIfAborted();
  const before = { cpu: cpuUs(subject.pid()), postgres: familyCpuUs(bench.postmasterPid), ms: performance.now() };
  const result = await bench.fleet.run(options);
  bench.record.add(subject.name, metrics.lost, "count", result.lost);
  bench.record.add(subject.name, metrics.doubled, "count", result.doubled);
  bench.record.add(subject.name, metrics.refused, "count", result.refused);
  return {
    ...result,
    cpuUs: cpuUs(subject.pid()) - before.cpu,
    postgresCpuUs: familyCpuUs(bench.postmasterPid) - before.postgres,
    wallUs: (performance.now() - before.ms) * 1_000,
  };
}
