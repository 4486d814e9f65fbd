/**
 * `npm run doctor [-- https://example.org]`: proves a running installation hop by hop, a line each, and names what to do about the hop that
 * fails. On the machine itself it sees everything; from elsewhere, what anyone can see.
 */
import { runCommand } from "./command.ts";
import { database } from "./doctor/database.ts";
import { findInstallation, type Hop } from "./doctor/installation.ts";
import { backup, clocks, disk } from "./doctor/machine.ts";
import { certificate, edge, socket, webClient } from "./doctor/site.ts";
import { voice } from "./doctor/voice.ts";
import { OperatorError } from "./operator-error.ts";

const hops: readonly (readonly [string, Hop])[] = [
  ["database", database],
  ["certificate", certificate],
  ["edge", edge],
  ["web client", webClient],
  ["socket", socket],
  ["voice", voice],
  ["clocks", clocks],
  ["disk", disk],
  ["backup", backup],
];

await runCommand(async (stop) => {
  const installation = findInstallation(process.argv[2]);
  let failed = 0;
  for (const [name, hop] of hops) {
    stop.throwIfAborted();
    const startedMs = performance.now();
    try {
      const found = await hop(installation);
      const tookMs = Math.round(performance.now() - startedMs);
      if (typeof found === "string") console.log(`ok     ${name}: ${found} (${tookMs} ms)`);
      else console.log(`note   ${name}: ${found.note}`);
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      failed += 1;
      console.log(`failed ${name}: ${error.message}`);
    }
  }
  return failed === 0 ? 0 : 1;
});
