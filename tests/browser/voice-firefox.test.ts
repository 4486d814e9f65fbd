import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchFirefox } from "../../tools/firefox.ts";
import { seedGang } from "./kit/seed.ts";
import {
  caller,
  comeIn,
  control,
  hears,
  launchWithDevices,
  safetyCode,
  sees,
  type Watched,
  voiceChannel,
} from "./kit/voice.ts";

const { url } = inject("stack");
/** A microphone that hums and a camera of changing colours, for which nobody is asked. */
const DEVICES = {
  "media.navigator.streams.fake": true,
  "media.navigator.permission.disabled": true,
  // A page that nobody touches may play.
  "media.autoplay.default": 0,
  "media.autoplay.blocking_policy": 0,
};
let chromium: Browser;
let firefox: Browser;
beforeAll(async () => {
  [chromium, firefox] = await Promise.all([launchWithDevices(), launchFirefox({ preferences: DEVICES })]);
});
afterAll(async () => {
  await chromium.close();
  await firefox.close();
});

/** Waits until sound comes out of what Firefox decodes, by its own count: on a machine without a loudspeaker its audio graphs stand still. */
async function decodesSound(page: Page): Promise<void> {
  await page.waitForFunction(
    async () => {
      for (const connection of (globalThis as unknown as Watched).connections) {
        for (const stat of (await connection.getStats()).values()) {
          if (stat.type === "inbound-rtp" && stat.kind === "audio" && stat.totalAudioEnergy > 0.01) return true;
        }
      }
      return false;
    },
    undefined,
    { timeout: 40_000 },
  );
}

test("[VC37] Firefox and Chromium hear and see each other in one call, encrypted by the same keys", async () => {
  const gang = await seedGang({ url, people: ["Chloé", "Léo"] });
  const lounge = await voiceChannel(url, gang);
  const [other = gang.owner] = gang.others;
  const chloe = await caller(chromium, url, gang.owner);
  const leo = await caller(firefox, url, other);
  await Promise.all([comeIn(chloe.page, url, lounge), comeIn(leo.page, url, lounge)]);
  await control(chloe.page, "Allumer ta caméra").click();
  await control(leo.page, "Allumer ta caméra").click();
  await Promise.all([hears(chloe.page), decodesSound(leo.page), sees(chloe.page), sees(leo.page)]);

  const code = await safetyCode(leo.page);
  expect(code).toMatch(/^\d{30}$/);
  expect(await safetyCode(chloe.page)).toBe(code);
  // Nothing leaves Firefox but through the worker that has the keys.
  const bare = await leo.page.evaluate(
    () =>
      (globalThis as unknown as Watched).connections
        .filter(({ connectionState }) => connectionState === "connected")
        .flatMap((connection) => connection.getSenders())
        .filter(({ track, transform }) => track !== null && transform === null).length,
  );
  expect(bare).toBe(0);
  expect(chloe.faults).toEqual([]);
  expect(leo.faults).toEqual([]);
  await leo.context.close();
  await chloe.context.close();
});
