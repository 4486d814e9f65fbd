import { expect, onTestFinished, test, vi } from "vitest";
import { isRunning, identifyProcess } from "../../tools/bootstrap/process-identity.mjs";
import { startStack } from "../../tools/stack/stack.ts";
import type { Stack } from "../../tools/stack/stack.ts";
import { dataFolder, processesOf } from "./start-process.ts";

async function stackOn(folder: string, onCrash: (line: string) => void = () => undefined): Promise<Stack> {
  const stack = await startStack({ dataDir: folder, build: "edge", onCrash });
  onTestFinished(() => stack.stop());
  return stack;
}

async function healthOf(stack: Stack): Promise<number> {
  return (await fetch(`${stack.url}/health`)).status;
}

test("[SK1] a workerd that was killed starts again on the same port, and is no crash to report", async () => {
  const onCrash = vi.fn();
  const stack = await stackOn(dataFolder(), onCrash);
  const before = stack.workerd.pid;
  await stack.workerd.kill9();
  await expect(fetch(`${stack.url}/health`)).rejects.toThrow();
  await stack.workerd.restart();
  expect(stack.workerd.pid).not.toBe(before);
  expect(await healthOf(stack)).toBe(200);
  await stack.workerd.restart();
  expect(await healthOf(stack)).toBe(200);
  expect(onCrash).not.toHaveBeenCalled();
});

test("[SK2] while PostgreSQL is stopped /health is 503, and 200 once it is back on its port", async () => {
  const stack = await stackOn(dataFolder());
  await stack.postgres?.stop();
  // An answer may be a second old.
  await vi.waitFor(async () => expect(await healthOf(stack)).toBe(503), { timeout: 20_000, interval: 200 });
  await stack.postgres?.start();
  await vi.waitFor(async () => expect(await healthOf(stack)).toBe(200), { timeout: 20_000, interval: 200 });
});

test("[SK3] a stack on another's PostgreSQL leaves it running", async () => {
  const owner = await stackOn(dataFolder());
  const folder = dataFolder();
  const guest = await startStack({ dataDir: folder, build: "edge", databaseUrl: owner.databaseUrl });
  expect(guest.postgres).toBeUndefined();
  expect(processesOf(folder).map(({ name }) => name)).not.toContain("PostgreSQL");
  await guest.stop();
  expect(await healthOf(owner)).toBe(200);
});

test("[SK4] two stops are one, and free the folder", async () => {
  const folder = dataFolder();
  const stack = await startStack({ dataDir: folder, build: "edge" });
  const workerd = identifyProcess(stack.workerd.pid);
  await Promise.all([stack.stop(), stack.stop()]);
  expect(workerd !== undefined && isRunning(workerd)).toBe(false);
  const again = await stackOn(folder);
  expect(await healthOf(again)).toBe(200);
});
