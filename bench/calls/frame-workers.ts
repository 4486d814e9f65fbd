import type { Page } from "playwright-core";
import { threads } from "../measure/process-usage.ts";

/** What Linux calls the thread of a Web Worker in Chromium (15 characters of it). */
const workerThread = "DedicatedWorker";

/** CPU time of a browser's workers so far, by thread; µs. */
export type WorkerTimes = ReadonlyMap<string, number>;

export async function workerTimes(page: Page): Promise<WorkerTimes> {
  const browser = page.context().browser();
  if (browser === null) throw new Error("a page without a browser");
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const renderers = processInfo.filter(({ type }) => type === "renderer");
  return new Map(
    renderers.flatMap(({ id }) =>
      threads(id)
        .filter(({ name }) => name === workerThread)
        .map(({ tid, usedUs }) => [`${id}/${tid}`, usedUs] as const),
    ),
  );
}

/**
 * Between two looks, µs of the worker that was busiest: in a call that is the one that encrypts and decrypts frames, of which there are a hundred a
 * second; the others have nothing to do.
 */
export function busiestWorkerUs(before: WorkerTimes, after: WorkerTimes): number {
  return Math.max(...[...after].map(([thread, usedUs]) => usedUs - (before.get(thread) ?? 0)));
}
