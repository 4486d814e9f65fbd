import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { launchFirefox } from "../../tools/firefox.ts";
import { begin, dmRow, settled } from "../browser/kit/direct.ts";
import { composer, message, say, stored } from "../browser/kit/drive.ts";
import { seedGang } from "../browser/kit/seed.ts";

const { url } = inject("stack");
let chromium: Browser;
let firefox: Browser;
beforeAll(async () => {
  chromium = await launchChromium();
  firefox = await launchFirefox();
});
afterAll(async () => {
  await chromium.close();
  await firefox.close();
});

test("[PP5] Firefox and Chromium read each other, over a reload too", async () => {
  const gang = await seedGang({ url, people: ["Chloé", "Léo"] });
  const [other = gang.owner] = gang.others;
  const chloe = await settled(chromium, url, gang.owner);
  const leo = await settled(firefox, url, other);
  await begin(chloe.page, url, ["Léo"]);
  await say(chloe.page, "De Chromium");
  await leo.page.goto(`${url}/dm/new`);
  await dmRow(leo.page, "Chloé").click();
  await message(leo.page, "De Chromium").waitFor();
  await say(leo.page, "De Firefox");
  await stored(leo.page, "De Firefox").waitFor();
  await message(chloe.page, "De Firefox").waitFor();
  await composer(leo.page).press("ArrowUp");
  await leo.page.getByRole("textbox", { name: "Modifier le message" }).fill("De Firefox, corrigé");
  await leo.page.keyboard.press("Enter");
  await message(chloe.page, "De Firefox, corrigé").waitFor();

  await composer(leo.page).fill("pas enco");
  await leo.page.waitForFunction(() => Object.keys(localStorage).some((key) => key.includes(":draft:")));
  expect(await leo.page.evaluate(() => JSON.stringify(localStorage))).not.toContain("pas enco");
  await leo.page.reload();
  await message(leo.page, "De Firefox, corrigé").waitFor();
  await message(leo.page, "De Chromium").waitFor();
  await expect.poll(() => composer(leo.page).inputValue(), { timeout: 20_000 }).toBe("pas enco");
  await say(chloe.page, "Toujours là ?");
  await message(leo.page, "Toujours là ?").waitFor();
  for (const { faults } of [chloe, leo]) expect(faults).toEqual([]);
});
