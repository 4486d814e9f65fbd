import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { begin, dmRow, settled } from "./kit/direct.ts";
import { composer, message, say } from "./kit/drive.ts";
import { seedGang } from "./kit/seed.ts";

const { url } = inject("stack");
let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

test("[BL7] who is blocked writes in vain; it is taken back where one would write, and both talk on", async () => {
  const gang = await seedGang({ url, people: ["Chloé", "Léo"] });
  const [person = gang.owner] = gang.others;
  const chloe = await settled(browser, url, gang.owner);
  const leo = await settled(browser, url, person);
  await begin(chloe.page, url, ["Léo"]);
  await say(chloe.page, "Salut");
  await leo.page.goto(`${url}/dm/new`);
  await dmRow(leo.page, "Chloé").click();
  await message(leo.page, "Salut").waitFor();

  await chloe.page.getByRole("button", { name: "Bloquer Léo" }).click();
  await chloe.page.getByRole("dialog", { name: "Bloquer Léo ?" }).getByRole("button", { name: "Bloquer" }).click();
  const blocked = chloe.page.getByText("Tu as bloqué Léo.");
  await blocked.waitFor();
  expect(await composer(chloe.page).count()).toBe(0);
  expect(await chloe.page.getByRole("button", { name: "Bloquer Léo" }).count()).toBe(0);
  expect(await chloe.page.getByRole("button", { name: /^Appel/ }).count()).toBe(0);

  await say(leo.page, "Tu es là ?");
  await leo.page.locator('article.message[data-failed="true"]', { hasText: "Tu es là ?" }).waitFor();

  await chloe.page.reload();
  await blocked.waitFor();
  await chloe.page.getByRole("button", { name: "Débloquer" }).click();
  await composer(chloe.page).waitFor();
  await say(leo.page, "Et maintenant ?");
  await message(chloe.page, "Et maintenant ?").waitFor();
  expect(await message(chloe.page, "Tu es là ?").count()).toBe(0);
  await say(chloe.page, "Oui");
  await message(leo.page, "Oui").waitFor();
  expect(chloe.faults).toEqual([]);
});
