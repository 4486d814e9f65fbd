import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The parent's side of the guardian: what it watches is ended if this process dies without having said `forget`. */
export interface Guard {
  /** From now on: end `pid` with this signal if this process dies. */
  watch(pid: number, signal: "SIGINT" | "SIGTERM" | "SIGKILL"): void;
  forget(pid: number): void;
  /** The guardian leaves; it ends whatever is still watched. */
  close(): void;
}

/** Starts the guardian, in a session of its own so that a terminal's signals don't reach it. */
export function startGuard(): Guard {
  const guardian = spawn(process.execPath, [fileURLToPath(new URL("guardian.ts", import.meta.url))], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: process.platform !== "win32",
    env: { PATH: process.env["PATH"] ?? "" },
  });
  guardian.unref();
  // A guardian that was killed must not take this process with it: the next start finds what is left (EPIPE).
  guardian.stdin.on("error", () => undefined);
  return {
    watch: (pid, signal) => guardian.stdin.write(`watch ${pid} ${signal}\n`),
    forget: (pid) => guardian.stdin.write(`forget ${pid}\n`),
    close: () => guardian.stdin.end(),
  };
}
