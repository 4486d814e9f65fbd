import type { Page } from "playwright-core";
import { type WorkerTimes, workerTimes } from "../calls/frame-workers.ts";
import { bundled, openServed } from "./chromium.ts";
import type { Handling, LivePage } from "./live-page.ts";

/** What handling frames takes of a core: sound and 720p30, out and in. */
export interface LiveShares {
  /** Percent of a core, of the workers' threads. */
  readonly share: Readonly<Record<Handling, number>>;
  /** Pictures of 720 lines decoded in a second. */
  readonly pictures: Readonly<Record<Handling, number>>;
}

const lines = 720;
/** Until then, the bitrate is still rising. */
const settleMs = 5_000;
const watchMs = 20_000;
const patienceMs = 30_000;

const flags = [
  "--use-fake-device-for-media-stream=fps=30",
  "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
  // The ends find each other by address: names in the local network need a resolver.
  "--disable-features=WebRtcHideLocalIpsWithMdns",
];

declare global {
  var livePage: LivePage;
}

/** Makes a connection, and answers the threads of its two workers. */
async function connect(page: Page, handling: Handling): Promise<string[]> {
  const before = await workerTimes(page);
  await page.evaluate((how) => globalThis.livePage.connect(how), handling);
  const isThere = async ([wanted]: readonly [number]): Promise<boolean> =>
    (await globalThis.livePage.pictures()).every((of) => of.decoded > 0 && of.lines === wanted);
  await page.waitForFunction(isThere, [lines] as const, { timeout: patienceMs, polling: 250 });
  return [...(await workerTimes(page)).keys()].filter((thread) => !before.has(thread));
}

function percent(of: readonly string[], before: WorkerTimes, after: WorkerTimes, overMs: number): number {
  const us = of.reduce((sum, thread) => sum + (after.get(thread) ?? 0) - (before.get(thread) ?? 0), 0);
  return us / (10 * overMs);
}

/** Both kinds at the same time in one page, so that they have the same machine. */
export async function measureLive(order: readonly [Handling, Handling]): Promise<LiveShares> {
  const { page, stop } = await openServed(
    {
      "/page.js": await bundled("bench/encryption/live-page.ts"),
      "/hand-back.js": await bundled("bench/encryption/hand-back-worker.ts"),
      "/frame-worker.ts": await bundled("web/src/voice/frames/frame-worker.ts"),
    },
    flags,
  );
  try {
    await page.addScriptTag({ type: "module", url: "/page.js" });
    await page.waitForFunction(() => "livePage" in globalThis);
    const threads = [await connect(page, order[0]), await connect(page, order[1])] as const;
    await page.waitForTimeout(settleMs);
    const decoded = () => page.evaluate(() => globalThis.livePage.pictures());
    const [startedMs, before, shownBefore] = [performance.now(), await workerTimes(page), await decoded()];
    await page.waitForTimeout(watchMs);
    const [after, shownAfter] = [await workerTimes(page), await decoded()];
    const tookMs = performance.now() - startedMs;
    const of = (handling: Handling) => order.indexOf(handling);
    const share = (handling: Handling) => percent(threads[of(handling)]!, before, after, tookMs);
    const pictures = (handling: Handling) =>
      ((shownAfter[of(handling)]!.decoded - shownBefore[of(handling)]!.decoded) * 1_000) / tookMs;
    return {
      share: { encrypted: share("encrypted"), "handed back": share("handed back") },
      pictures: { encrypted: pictures("encrypted"), "handed back": pictures("handed back") },
    };
  } finally {
    await stop();
  }
}
