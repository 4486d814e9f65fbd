import { spawn } from "node:child_process";
import { join } from "node:path";
import { rootFolder } from "../../../tools/stack/root.ts";

export interface Ended {
  readonly code: number | null;
  /** Both streams. */
  readonly output: string;
}

/** A command of `tools/`, as `npm run` runs it once everything is installed. */
export function startTool(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !key.startsWith("VITEST") && key !== "NODE_OPTIONS"),
  );
  const child = spawn(process.execPath, [join(rootFolder, "tools", `${name}.ts`), ...args], {
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
  return { ended, kill: (signal: NodeJS.Signals) => child.kill(signal) };
}

export function runTool(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return startTool(name, args, env).ended;
}
