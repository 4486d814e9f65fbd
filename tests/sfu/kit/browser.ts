import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";
import { launchChromium } from "../../../tools/chromium.ts";
import type { CallOptions, ReceivedTrack } from "./page/call.ts";

export interface Callers {
  readonly browser: Browser;
  /** A page that can call, until the test ends. */
  page(): Promise<Page>;
  close(): Promise<void>;
}

/** Chromium with a microphone, a camera and a screen of its own making, and a page with the client of `page/call.ts`. */
export async function startCallers(): Promise<Callers> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "page", "call.ts")],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2023",
  });
  const script = outputFiles[0]?.text ?? "";
  const server = createServer((request, response) => {
    const isScript = request.url === "/call.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html; charset=utf-8");
    response.end(isScript ? script : `<!doctype html><title>call</title><script src="/call.js"></script>`);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const browser = await launchChromium({
    args: [
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--autoplay-policy=no-user-gesture-required",
    ],
  });
  const { port } = server.address() as AddressInfo;
  return {
    browser,
    async page() {
      const context: BrowserContext = await browser.newContext();
      onTestFinished(() => context.close());
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${port}/`);
      return page;
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

export async function call(page: Page, options: CallOptions): Promise<void> {
  await page.evaluate((given) => window.join(given), options);
}

export function received(page: Page): Promise<ReceivedTrack[]> {
  return page.evaluate(() => window.call.received());
}

/** The last event of a kind that a page received, once there is one. */
export function eventOf<T>(page: Page, event: string): Promise<T> {
  return eventually(async () => {
    const found = await page.evaluate((name) => window.call.events.findLast((one) => one.event === name), event);
    if (found === undefined) throw new Error(`no ${event}`);
    return found.body as T;
  });
}

/** Waits until a track of this source is received, and satisfies `matches`. */
export function until(
  page: Page,
  source: string,
  matches: (track: ReceivedTrack) => boolean = ({ bytes }) => bytes > 0,
): Promise<ReceivedTrack> {
  return eventually(async () => {
    const all = await received(page);
    const found = all.find((track) => track.source === source && matches(track));
    if (found === undefined) throw new Error(`no such ${source} among ${JSON.stringify(all)}`);
    return found;
  });
}
