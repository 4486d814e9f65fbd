import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stack, startStack } from "../../tools/stack/stack.ts";
import { comeIn, hears, launchWithDevices, twoCallers, voiceChannel } from "./kit/voice.ts";

const dataDir = mkdtempSync(join(tmpdir(), "lescopains-voice-"));
let browser: Browser;
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    dataDir,
    env: { REGISTER_LIMIT: "1000000", REST_LIMIT: "1000000", LOGIN_LIMIT: "1000000" },
  });
  browser = await launchWithDevices();
});
afterAll(async () => {
  await browser.close();
  await stack.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

test("[VC35] when the voice node is killed, the call comes back by itself, and one hears each other again", async () => {
  const { url } = stack;
  const { gang, chloe, leo } = await twoCallers(browser, url);
  const lounge = await voiceChannel(url, gang);
  await comeIn(chloe.page, url, lounge);
  await comeIn(leo.page, url, lounge);
  await hears(chloe.page);

  const before = await chloe.page.evaluate(() => (globalThis as unknown as { connections: [] }).connections.length);
  await stack.sfu?.kill9();
  // Others than before, and as many: to send, and to receive.
  for (const { page } of [chloe, leo]) {
    await page.waitForFunction(
      (count) => (globalThis as unknown as { connections: [] }).connections.length >= count,
      before + 2,
      { timeout: 60_000 },
    );
    await page.locator('.dock-status[data-kind="joined"]').waitFor({ timeout: 60_000 });
  }
  await chloe.page.evaluate(() => Object.assign(globalThis, { ears: undefined }));
  await hears(chloe.page);
  expect(chloe.faults).toEqual([]);
  await leo.context.close();
  await chloe.context.close();
});
