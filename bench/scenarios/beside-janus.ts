import { networkInterfaces } from "node:os";
import { OperatorError } from "../../tools/operator-error.ts";
import { Conversation } from "../forwarding/conversation.ts";
import { findJanus, type JanusThreads, startJanus } from "../forwarding/janus.ts";
import { startNode } from "../forwarding/node.ts";
import type { Sfu, SfuOptions } from "../forwarding/sfu.ts";
import { quantile } from "../measure/quantile.ts";
import type { Tools } from "./bench.ts";
import * as metrics from "./metrics.ts";

const rooms = 10;
const listenersPerRoom = 19;
const warmupMs = 2_000;
const durationMs = 10_000;
const janusThreads: readonly JanusThreads[] = ["own", "shared"];

function outwardAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outward = all.find(({ family, internal }) => family === "IPv4" && !internal);
  if (outward === undefined) throw new OperatorError("Janus uses no loopback: this machine has no other IPv4 address");
  return outward.address;
}

/** People come, talk for a while, and go. */
async function measure({ record }: Tools, sfu: Sfu): Promise<void> {
  const open = [];
  while (open.length < rooms) open.push(await sfu.openRoom(listenersPerRoom));
  const conversation = new Conversation(open);
  await conversation.run(warmupMs);
  const [forwardingUs, wholeUs] = [sfu.forwardingCpuUs(), sfu.wholeCpuUs()];
  const { received, lost, doubled, damaged, delaysMs } = await conversation.run(durationMs);
  record.add(sfu.name, metrics.webrtcCpu, "µs", (sfu.forwardingCpuUs() - forwardingUs) / received);
  record.add(sfu.name, metrics.webrtcWholeCpu, "µs", (sfu.wholeCpuUs() - wholeUs) / received);
  record.add(sfu.name, metrics.webrtcDelay("p50"), "ms", quantile(delaysMs, 0.5));
  record.add(sfu.name, metrics.webrtcDelay("p99"), "ms", quantile(delaysMs, 0.99));
  record.add(sfu.name, metrics.webrtcWrong, "count", lost + doubled + damaged);
  await conversation.close();
}

/** Janus' own program and an address for it, or undefined when this machine has none: that is said, and the rest is measured. */
async function janusHere(log: (line: string) => void): Promise<{ ip: string; program: string } | undefined> {
  try {
    return { ip: outwardAddress(), program: await findJanus(log) };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    log(`voice: ${error.message}; the node is measured alone`);
    return undefined;
  }
}

/** The node and Debian's Janus in turns, each with the same 10 rooms of 20 over WebRTC and one speaker in each. */
export async function besideJanus(tools: Tools): Promise<void> {
  const { rounds, log, signal } = tools;
  const janus = await janusHere(log);
  const options: SfuOptions = { ip: janus?.ip ?? "127.0.0.1", log, signal };
  const starts = [() => startNode(options)];
  if (janus !== undefined)
    starts.push(...janusThreads.map((threads) => () => startJanus(janus.program, threads, options)));
  for (let round = 1; round <= rounds; round += 1) {
    for (const start of starts) {
      signal.throwIfAborted();
      const sfu = await start();
      log(`voice, over WebRTC: round ${round} of ${rounds}, ${sfu.name}`);
      await measure(tools, sfu).finally(() => sfu.stop());
    }
  }
}
