import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";
import { rootFolder } from "../../../tools/stack/root.ts";
import type { CallPage } from "./frames-page.ts";

/** A camera that shows a picture that moves and a microphone that beeps, for whoever asks; on this machine alone. */
export const FAKE_MEDIA = {
  args: ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
  preferences: {
    "media.navigator.streams.fake": true,
    "media.navigator.permission.disabled": true,
    "media.autoplay.default": 0,
    "media.peerconnection.ice.loopback": true,
    "media.peerconnection.ice.obfuscate_host_addresses": false,
  },
} as const;

/** Where `frames-page.ts` and the worker are served, each as one script. */
export interface FramesSite {
  readonly url: string;
  readonly close: () => void;
}

async function bundled(path: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(rootFolder, path)],
    bundle: true,
    format: "esm",
    target: "es2023",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

export async function serveFrames(): Promise<FramesSite> {
  const [page, worker] = await Promise.all([
    bundled("tests/browser/kit/frames-page.ts"),
    bundled("web/src/voice/frames/frame-worker.ts"),
  ]);
  const scripts: Readonly<Record<string, string>> = { "/page.js": page, "/frame-worker.ts": worker };
  const server: Server = createServer((request, response) => {
    const script = scripts[request.url ?? ""];
    response.writeHead(200, { "content-type": script === undefined ? "text/html" : "text/javascript" });
    response.end(script ?? '<!doctype html><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}

/** A page in which `call` is there. */
export async function openCall(browser: Browser, site: FramesSite): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => "call" in globalThis);
  return page;
}

type Asked<N extends keyof CallPage> = Awaited<ReturnType<CallPage[N]>>;

/** Does something in the page. */
export async function ask<N extends keyof CallPage>(
  page: Page,
  name: N,
  ...args: Parameters<CallPage[N]>
): Promise<Asked<N>> {
  const answer = await page.evaluate(
    ([called, given]) => {
      const { call } = globalThis as unknown as { call: Record<string, (...all: unknown[]) => unknown> };
      return call[called]?.(...given);
    },
    [name as string, args as unknown[]] as const,
  );
  return answer as Asked<N>;
}

/** Waits until what the page answers is as wanted. */
export async function until<N extends keyof CallPage>(
  page: Page,
  name: N,
  args: Parameters<CallPage[N]>,
  isSo: (answer: Asked<N>) => boolean,
): Promise<Asked<N>> {
  let answer = await ask(page, name, ...args);
  await expect
    .poll(
      async () => {
        answer = await ask(page, name, ...args);
        return isSo(answer) ? "so" : answer;
      },
      { timeout: 60_000, interval: 100 },
    )
    .toBe("so");
  return answer;
}
