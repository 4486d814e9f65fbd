import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { composer, message, stored } from "./kit/drive.ts";
import { converse, seedGang } from "./kit/seed.ts";
import { PHONE, signIn, visitor } from "./kit/visitor.ts";

const { url } = inject("stack");
let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
});

/** What one can touch and is smaller than 44 px, links within sentences apart (WCAG 2.5.8 exempts them). */
async function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("button, a[href], input, select, textarea, summary")]
      .filter((element) => element.checkVisibility() && element.closest("p, article, .skip-link, .aside-text") === null)
      .map((element) => ({ element, box: (element.closest("label") ?? element).getBoundingClientRect() }))
      .filter(({ element, box }) => !element.matches(".skip-link") && (box.width < 43.5 || box.height < 43.5))
      .map(({ element, box }) => `${element.outerHTML.slice(0, 120)} ${box.width}×${box.height}`),
  );
}

/** Swipes over the middle of the screen. */
async function swipe(page: Page, direction: "left" | "right"): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const [from, to] = direction === "right" ? [80, 320] : [320, 80];
  const at = (x: number) => [{ x, y: 400 }];
  await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(from) });
  await session.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at((from + to) / 2) });
  await session.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(to) });
  await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await session.detach();
}

test("a phone shows one panel at a time, and the others are one swipe or one Back away", async () => {
  const gang = await seedGang({ url, name: "La bande", people: ["Chloé", "Léo"] });
  await converse(url, gang.channel.id, [[gang.owner, "Salut du canapé"]]);
  const phone = await visitor(browser, PHONE);
  const { page } = phone;
  await signIn(phone, url, gang.others[0] ?? gang.owner);

  await page.goto(url);
  await page.waitForURL(`${url}/s/${gang.server.id}`);
  const channel = page.getByRole("link", { name: /^general/ });
  await channel.waitFor();
  await page.getByRole("heading", { name: "La bande", level: 1 }).waitFor();
  expect(await composer(page).isVisible()).toBe(false);
  expect(await smallTargets(page), "list").toEqual([]);

  await channel.tap();
  await message(page, "Salut du canapé").waitFor();
  expect(await channel.isVisible()).toBe(false);
  expect(await smallTargets(page), "conversation").toEqual([]);
  // On a phone, Enter begins a new line; the button sends.
  await composer(page).fill("Salut du train");
  await page.getByRole("button", { name: "Envoyer" }).tap();
  await stored(page, "Salut du train").waitFor();
  // The composer stands at the foot of what is visible, and nothing scrolls sideways.
  const box = await composer(page).boundingBox();
  expect(box?.y ?? 0).toBeGreaterThan(700);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);

  await page.getByRole("button", { name: "Afficher les membres" }).tap();
  await page.getByRole("heading", { name: "Membres", level: 1 }).waitFor();
  await page.getByRole("button", { name: /^Léo/ }).waitFor();
  expect(await composer(page).isVisible()).toBe(false);
  expect(await smallTargets(page), "members").toEqual([]);

  await page.goBack();
  await composer(page).waitFor();
  await page.goBack();
  await channel.waitFor();

  await swipe(page, "left");
  await composer(page).waitFor();
  await swipe(page, "left");
  await page.getByRole("heading", { name: "Membres", level: 1 }).waitFor();
  await swipe(page, "right");
  await composer(page).waitFor();
  await swipe(page, "right");
  await channel.waitFor();

  await page.getByRole("link", { name: "Tes réglages" }).tap();
  await page.getByRole("link", { name: "Apparence et langue" }).tap();
  await page.getByRole("heading", { name: "Apparence et langue", level: 1 }).waitFor();
  expect(await smallTargets(page), "settings").toEqual([]);
  await page.getByRole("button", { name: "Retour" }).tap();
  await page.getByRole("link", { name: "Profil" }).waitFor();
  await page.goBack();
  await channel.waitFor();
  expect(phone.faults).toEqual([]);
  await phone.context.close();
});
