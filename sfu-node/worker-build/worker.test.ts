import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { cacheFolder } from "./cache.ts";
import { findWorker } from "./worker.ts";
import type { Way } from "./ways.ts";

function place(): { readonly XDG_CACHE_HOME: string } {
  const folder = mkdtempSync(join(tmpdir(), "lescopains-worker-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return { XDG_CACHE_HOME: folder };
}

/** Writes what ends with this code when it is run. */
function program(path: string, code: number): void {
  writeFileSync(path, `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 });
}

const makes =
  (code: number): Way =>
  async ({ binary }) => {
    program(binary, code);
    return undefined;
  };
const closed =
  (reason: string): Way =>
  async () => ({ closed: reason });

test("[SW1] a worker that is given is taken if it runs, and refused in one line if not", async () => {
  const env = place();
  const binary = join(env.XDG_CACHE_HOME, "given");
  program(binary, 41);
  const ways = [makes(41)];
  expect(await findWorker({ env: { ...env, MEDIASOUP_WORKER_BIN: binary }, ways })).toBe(binary);
  program(binary, 0);
  await expect(findWorker({ env: { ...env, MEDIASOUP_WORKER_BIN: binary }, ways })).rejects.toThrow(
    /^MEDIASOUP_WORKER_BIN=\S+ is no mediasoup worker/,
  );
});

test("[SW2] the first way that leads to a worker that runs is taken, and its worker is kept", async () => {
  const env = place();
  const last = vi.fn<Way>(makes(41));
  const worker = await findWorker({ env, ways: [closed("no network"), makes(1), makes(41), last] });
  expect(last).not.toHaveBeenCalled();
  expect(await findWorker({ env, ways: [last] })).toBe(worker);
  expect(last).not.toHaveBeenCalled();
  expect(readdirSync(dirname(worker))).toEqual([basename(worker)]);
});

test("[SW2] a kept worker that no longer runs is made again", async () => {
  const env = place();
  const worker = await findWorker({ env, ways: [makes(41)] });
  program(worker, 127);
  const again = vi.fn<Way>(makes(41));
  expect(await findWorker({ env, ways: [again] })).toBe(worker);
  expect(again).toHaveBeenCalledOnce();
});

test("[SW3] when no way is open, one line says why each is not and what to do", async () => {
  const ways = [closed("there is no network"), closed("a build needs `sudo apt-get install -y g++`"), makes(1)];
  await expect(findWorker({ env: place(), ways })).rejects.toThrow(
    "Voice needs a mediasoup worker and no way to one is open: there is no network; a build needs `sudo apt-get install -y g++`; what was made does not run here. Or set MEDIASOUP_WORKER_BIN to one of your own",
  );
});

test("[SW4] two at once make one worker; what an attempt left behind is cleared away", async () => {
  const env = place();
  const first = await findWorker({ env, ways: [makes(41)] });
  rmSync(first);
  const left = join(cacheFolder(env), "attempt-cut-short");
  writeFileSync(left, "half a worker");
  const started = Promise.withResolvers<void>();
  const open = Promise.withResolvers<void>();
  const slow = vi.fn<Way>(async (attempt) => {
    started.resolve();
    await open.promise;
    return makes(41)(attempt);
  });
  const one = findWorker({ env, ways: [slow] });
  await started.promise;
  const two = findWorker({ env, ways: [slow], log: () => open.resolve() });
  expect(await Promise.all([one, two])).toEqual([first, first]);
  expect(slow).toHaveBeenCalledOnce();
  expect(existsSync(left)).toBe(false);
});

test("[SW4] an attempt that is given up leaves nothing", async () => {
  const env = place();
  const stop = new AbortController();
  const given: Way = async ({ binary, signal }) => {
    program(binary, 41);
    stop.abort();
    signal.throwIfAborted();
    return undefined;
  };
  await expect(findWorker({ env, ways: [given], signal: stop.signal })).rejects.toThrow("aborted");
  expect(readdirSync(cacheFolder(env))).toEqual([]);
});
