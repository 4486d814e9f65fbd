/**
 * `npm run bench [-- messages|signin|coldstart|steady|e2ee|frames|proxy|rest|returning|voice …]`: this product's edge beside a plain Node + socket.io + pg server, on
 * the same PostgreSQL, in turns; the encryption engine beside the official library; the encryption of calls; what Caddy adds; voice, what a node bears, also beside Debian's Janus, and what two people notice; and a client that comes back. Prints a table and writes `bench/results/<date>-<commit>.json`. What it measures and why:
 * docs/benchmarks.md. Exit code 1 when a message was lost or doubled; a missed target is only said.
 */
import { join } from "node:path";
import { runCommand } from "../tools/command.ts";
import { OperatorError } from "../tools/operator-error.ts";
import { rootFolder } from "../tools/stack/root.ts";
import { postmasterPid } from "./measure/process-usage.ts";
import { Measurements } from "./report/measurements.ts";
import { describeMachine, machineFacts } from "./report/machine.ts";
import { writeResults } from "./report/results.ts";
import { table } from "./report/table.ts";
import { checkTargets } from "./report/targets.ts";
import type { Comparison } from "./report/table.ts";
import type { Bench, Scenario, Tools } from "./scenarios/bench.ts";
import { coldstart } from "./scenarios/coldstart.ts";
import { e2ee } from "./scenarios/e2ee.ts";
import { frames } from "./scenarios/frames.ts";
import { messages } from "./scenarios/messages.ts";
import * as metrics from "./scenarios/metrics.ts";
import { proxy } from "./scenarios/proxy.ts";
import { rest } from "./scenarios/rest.ts";
import { returning } from "./scenarios/returning.ts";
import { signin } from "./scenarios/signin.ts";
import { steady } from "./scenarios/steady.ts";
import { voice } from "./scenarios/voice.ts";
import { edgeSubject } from "./subjects/edge.ts";
import { onGround } from "./subjects/ground.ts";
import { peerSubject } from "./subjects/peer.ts";
import type { Subject } from "./subjects/subject.ts";
import { planWorld } from "./world.ts";

const serverScenarios: Readonly<{ [name: string]: Scenario }> = { messages, signin, coldstart, steady };
/** Those that need none of these servers. */
const otherScenarios: Readonly<{ [name: string]: (tools: Tools) => Promise<void> }> = {
  e2ee,
  frames,
  proxy,
  rest,
  returning,
  voice,
};
const rounds = 3;

const comparisons: readonly Comparison[] = [
  { ours: "edge", peers: ["node", "node, ack first"] },
  { ours: "edge, requests counted", peers: ["edge, not counted"] },
  { ours: "client", peers: [] },
  { ours: "engine", peers: ["libsignal", "node:crypto"], others: ["engine in Chromium"] },
  { ours: "frames in Chromium", peers: ["frames handed back"] },
  { ours: "behind Caddy", peers: ["directly"] },
  { ours: "sfu", peers: ["janus", "janus, one loop"] },
  { ours: "call", peers: ["direct"] },
];

function chosenNames(args: readonly string[]): readonly string[] {
  const all = [...Object.keys(serverScenarios), ...Object.keys(otherScenarios)];
  const unknown = args.find((name) => !all.includes(name));
  if (unknown === undefined) return args.length === 0 ? all : args;
  throw new OperatorError(`There is no benchmark "${unknown}": use any of ${all.join(", ")}`);
}

function chosen<T>(from: Readonly<{ [name: string]: T }>, names: readonly string[]): T[] {
  return names.flatMap((name) => from[name] ?? []);
}

/** Starts the servers, measures, stops everything. */
function measureServers(run: readonly Scenario[], tools: Tools): Promise<void> {
  return onGround(tools, async ({ stack, jwtSecret, fleet, atEnd }) => {
    const plan = await planWorld();
    const edge = await edgeSubject(stack, jwtSecret, plan);
    const cacheFolder = join(rootFolder, ".cache", "bench-peer");
    const peers: Subject[] = [];
    for (const order of ["emit-first", "ack-first"] as const) {
      const peer = await peerSubject({ databaseUrl: stack.databaseUrl, jwtSecret, plan, cacheFolder, order });
      atEnd(() => peer.stop());
      peers.push(peer);
    }
    const bench: Bench = {
      ...tools,
      subjects: [edge, ...peers.slice(0, 1)],
      variants: peers.slice(1),
      fleet,
      postmasterPid: await postmasterPid(stack.databaseUrl),
    };
    for (const scenario of run) await scenario(bench);
  });
}

await runCommand(async (signal) => {
  const names = chosenNames(process.argv.slice(2));
  if (process.platform !== "linux") throw new OperatorError("The benchmark reads CPU times from /proc: it needs Linux");
  const startedMs = performance.now();
  const log = (line: string): void => {
    console.error(`${((performance.now() - startedMs) / 1_000).toFixed(0).padStart(4)} s  ${line}`);
  };
  const machine = machineFacts();
  const record = new Measurements();
  const tools: Tools = { record, rounds, log, signal };
  const servers = chosen(serverScenarios, names);
  if (servers.length > 0) await measureServers(servers, tools);
  for (const scenario of chosen(otherScenarios, names)) await scenario(tools);
  const targets = checkTargets(record);
  console.log(`${describeMachine(machine)}\n\n${table(record, comparisons, targets)}`);
  log(`written to ${writeResults(record, targets, machine, new Date())}`);
  return record.total(metrics.lost) + record.total(metrics.doubled) > 0 ? 1 : 0;
});
