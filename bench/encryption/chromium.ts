import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../../tools/chromium.ts";
import { rootFolder } from "../../tools/stack/root.ts";

/** A module of this folder, run in a worker of a headless Chromium as often as asked. It posts `{samples}` or `{error}`. */
export interface ChromiumWorker<Samples> {
  measure(): Promise<Samples>;
  stop(): Promise<void>;
}

/** Isolated pages get clocks of 5 µs, others of 100. */
const headers = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cache-control": "no-store",
};

/** A module of this repository, by its path, and all that it imports, as one script. */
export async function bundled(path: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(rootFolder, path)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

/** An empty page of a headless Chromium, on a server that has these scripts by their paths. */
export async function openServed(
  scripts: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<{ readonly page: Page; readonly stop: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const script = scripts[request.url ?? ""];
    response.writeHead(200, { ...headers, "content-type": script === undefined ? "text/html" : "text/javascript" });
    response.end(script ?? "<!doctype html>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  let browser: Browser | undefined;
  const stop = async (): Promise<void> => {
    await browser?.close();
    server.close();
  };
  try {
    browser = await launchChromium({ args: flags });
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    return { page, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export async function startChromiumWorker<Samples>(file: string): Promise<ChromiumWorker<Samples>> {
  const { page, stop } = await openServed({ "/worker.js": await bundled(`bench/encryption/${file}`) });
  return { measure: async () => (await page.evaluate(runWorker)) as Samples, stop };
}

/** Runs in the page. */
async function runWorker(): Promise<unknown> {
  const worker = new Worker("/worker.js", { type: "module" });
  try {
    const { data } = await new Promise<MessageEvent<{ samples?: unknown; error?: string }>>((resolve, reject) => {
      worker.addEventListener("message", resolve, { once: true });
      worker.addEventListener("error", (event) => reject(new Error(event.message)), { once: true });
    });
    if (data.samples === undefined) throw new Error(data.error ?? "the worker gave no samples");
    return data.samples;
  } finally {
    worker.terminate();
  }
}
