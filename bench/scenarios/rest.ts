import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { register } from "../../tests/flows/kit/people.ts";
import { type Stack, startStack } from "../../tools/stack/stack.ts";
import { quantile } from "../measure/quantile.ts";
import type { SubjectName } from "../report/measurements.ts";
import type { Tools } from "./bench.ts";

/** Requests of each kind in a round. */
const requests = 1_000;
const warmUp = 200;
const limited = "edge, requests counted";
const unlimited = "edge, not counted";

/** How long the smallest request with a person takes, in milliseconds. */
async function ask(url: string, token: string): Promise<number> {
  const beganMs = performance.now();
  const response = await fetch(`${url}/api/users/@me`, { headers: { authorization: `Bearer ${token}` } });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`a request was answered ${response.status}`);
  return performance.now() - beganMs;
}

/** What it costs to count REST requests: the same request to two edges on one PostgreSQL, which count them or not, in turns, one at a time. */
export async function rest({ record, rounds, log, signal }: Tools): Promise<void> {
  const folder = (): string => mkdtempSync(join(tmpdir(), "lescopains-bench-"));
  const dataDirs = [folder(), folder()] as const;
  const stacks: Stack[] = [];
  const start = async (dataDir: string, restLimit: string, databaseUrl?: string): Promise<Stack> => {
    const env = { REST_LIMIT: restLimit, LOG_LEVEL: "warn" };
    const stack = await startStack({
      dataDir,
      sfu: false,
      env,
      log,
      onCrash: log,
      signal,
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
    });
    stacks.push(stack);
    return stack;
  };
  try {
    const counting = await start(dataDirs[0], "1000000");
    const free = await start(dataDirs[1], "0", counting.databaseUrl);
    const subjects: readonly (readonly [SubjectName, string, string])[] = [
      [limited, counting.url, (await register(counting)).token],
      [unlimited, free.url, (await register(free)).token],
    ];
    for (let round = 1; round <= rounds; round += 1) {
      log(`rest: round ${round} of ${rounds}`);
      signal.throwIfAborted();
      const times = new Map(subjects.map(([name]) => [name, [] as number[]]));
      for (let n = 0; n < warmUp + requests; n += 1) {
        for (const [name, url, token] of n % 2 === 0 ? subjects : subjects.toReversed()) {
          const ms = await ask(url, token);
          if (n >= warmUp) times.get(name)?.push(ms);
        }
      }
      for (const [name, all] of times) {
        for (const part of [0.5, 0.99])
          record.add(name, `GET /api/users/@me p${part * 100}`, "ms", quantile(all, part));
      }
    }
  } finally {
    for (const stack of stacks.toReversed()) await stack.stop();
    for (const dataDir of dataDirs) rmSync(dataDir, { recursive: true, force: true });
  }
}
