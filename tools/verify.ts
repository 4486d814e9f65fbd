/** `npm run verify`: format, lint, types, dead code and size budgets. Starts no services. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import { buildWeb } from "./stack/build.ts";
import { rootFolder } from "./stack/root.ts";

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly before?: () => Promise<void>;
}

const steps: readonly Step[] = [
  { name: "format", command: "oxfmt", args: ["--check"] },
  { name: "lint", command: "oxlint", args: ["--type-aware"] },
  { name: "types", command: "tsc", args: ["-b"] },
  { name: "dead code", command: "knip", args: ["--no-progress"] },
  { name: "size budgets", command: "size-limit", args: [], before: () => buildWeb(() => undefined) },
];

interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

async function runStep({ command, args, before }: Step, signal: AbortSignal): Promise<Outcome> {
  try {
    await before?.();
  } catch (error) {
    return { ok: false, output: error instanceof Error ? error.message : String(error) };
  }
  const output: Buffer[] = [];
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(join(rootFolder, "node_modules", ".bin", command), [...args], {
      cwd: rootFolder,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
      signal,
    });
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
    child.once("error", (error) => reject(signal.aborted ? signal.reason : error));
    child.once("close", resolve);
  });
  return { ok: code === 0, output: Buffer.concat(output).toString("utf8").trim() };
}

await runCommand(async (stop) => {
  let failed = 0;
  for (const step of steps) {
    const startedMs = performance.now();
    const { ok, output } = await runStep(step, stop);
    const tookSeconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    console.log(`${ok ? "ok    " : "failed"} ${step.name} (${tookSeconds} s)`);
    if (ok) continue;
    failed += 1;
    console.log(output.replaceAll(/^/gm, "       "));
  }
  return failed === 0 ? 0 : 1;
});
