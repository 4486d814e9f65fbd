/**
 * Vitest's global set-up of the projects `browser`, `proof` and `calls`: one running LesCopains for all, started by the first that
 * asks and stopped when the last is done. Tests reach it with `inject("stack")`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startStack } from "./stack/stack.ts";
import type { Stack } from "./stack/stack.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** `url` without a slash at the end; `databaseUrl` is of the stack's own PostgreSQL, for looking and for seeding. */
    stack: { readonly url: string; readonly databaseUrl: string };
  }
}

interface Shared {
  users: number;
  readonly dataDir: string;
  readonly stack: Promise<Stack>;
}

declare global {
  /** Each project loads this module anew: what they share hangs on the one object that they have in common. */
  var lescopainsTestStack: Shared | undefined;
}

function start(): Shared {
  const dataDir = mkdtempSync(join(tmpdir(), "lescopains-test-"));
  const stack = startStack({
    dataDir,
    // Many people register and sign in from one address here; the limits have tests with a stack of their own.
    env: { REGISTER_LIMIT: "1000000", REST_LIMIT: "1000000", LOGIN_LIMIT: "1000000" },
    // Firefox looks for no path from 127.0.0.1: for it there are the machine's other addresses.
    sfuEnv: { SFU_LISTEN: "127.0.0.1,0.0.0.0" },
    onCrash: (line) => console.error(line),
  });
  return { users: 0, dataDir, stack };
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (globalThis.lescopainsTestStack ??= start());
  shared.users += 1;
  const { url, databaseUrl } = await shared.stack.catch((error: unknown) => {
    rmSync(shared.dataDir, { recursive: true, force: true });
    throw error;
  });
  project.provide("stack", { url, databaseUrl });
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    globalThis.lescopainsTestStack = undefined;
    await (await shared.stack).stop();
    rmSync(shared.dataDir, { recursive: true, force: true });
  };
}
