import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page, Worker } from "playwright-core";
import { launchProfile } from "../../tools/chromium.ts";
import { type PageTimes, type Wanted, watchPage, watchWorker } from "./probes.ts";
import { pageMark, type ThreadTimes, watchThreads } from "./threads.ts";

/** What one visit took. */
export interface Visit extends PageTimes {
  readonly storingMs: number;
  readonly cpu: ThreadTimes;
}

/** A person's browser on the disk: opened for a visit, closed after it, and it keeps everything in between. */
export interface Profile {
  /** Opens the browser for as long as `task` runs. */
  readonly use: <T>(task: (page: Page, context: BrowserContext) => Promise<T>) => Promise<T>;
  /** Opens the browser at an address, and waits until what is wanted has come. */
  readonly visit: (address: string, wanted: Omit<Wanted, "mark">) => Promise<Visit>;
  readonly remove: () => void;
}

const visitTimeoutMs = 120_000;

export function createProfile(): Profile {
  const folder = mkdtempSync(join(tmpdir(), "lescopains-profile-"));

  async function use<T>(task: (page: Page, context: BrowserContext) => Promise<T>): Promise<T> {
    const context = await launchProfile(folder, { viewport: { width: 1280, height: 800 }, locale: "fr-FR" });
    try {
      return await task(context.pages()[0] ?? (await context.newPage()), context);
    } finally {
      await context.close();
    }
  }

  async function visited(
    page: Page,
    context: BrowserContext,
    address: string,
    wanted: Omit<Wanted, "mark">,
  ): Promise<Visit> {
    await context.addInitScript(watchPage, { ...wanted, mark: pageMark });
    let keys: Worker | undefined;
    let watched: Promise<void> | undefined;
    page.on("worker", (worker) => {
      if (!worker.url().includes("/worker-")) return;
      keys = worker;
      watched = worker.evaluate(watchWorker);
    });
    const endThreads = await watchThreads(await context.newCDPSession(page));
    await page.goto(address);
    const handle = await page.waitForFunction(() => globalThis.seen(), undefined, { timeout: visitTimeoutMs });
    const times = await handle.jsonValue();
    const cpu = await endThreads();
    await watched;
    const storingMs = (await keys?.evaluate(() => globalThis.storingMs())) ?? Number.NaN;
    if (times === undefined) throw new Error("the page has seen nothing");
    return { ...times, storingMs, cpu };
  }

  return {
    use,
    visit: (address, wanted) => use((page, context) => visited(page, context, address, wanted)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
