import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { granted } from "../flows/kit/rest.ts";
import { violations } from "./kit/axe.ts";
import { composer, message, openChannel, stored, visit } from "./kit/drive.ts";
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

/** What holds more than it is wide. */
async function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("main, [role=main], dialog[open], dialog[open] > *")]
      .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
      .map((element) => `${element.outerHTML.slice(0, 120)} ${element.scrollWidth}>${element.clientWidth}`),
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

test("who owns a place has all of it in reach on a phone, whatever things are called", async () => {
  const gang = await seedGang({
    url,
    name: "Les copains du mardi soir et du week-end",
    people: ["Chloé", "Maximilienne-Alexandra de La Roche-Posay"],
  });
  const name = "Le grand salon des longues soirées d'été et d'hiver";
  const params = { id: gang.server.id };
  await granted(url, "createChannel", {
    token: gang.owner.token,
    params,
    body: { name, type: "text", topic: null },
  });
  const phone = await visitor(browser, PHONE);
  const { page } = phone;
  await signIn(phone, url, gang.owner);
  await page.goto(`${url}/s/${gang.server.id}`);
  await page.getByRole("link", { name }).waitFor();
  expect(await smallTargets(page), "list").toEqual([]);
  // The name ends where its button begins.
  const nameBox = await page.locator(".channel-name", { hasText: name }).boundingBox();
  const moreBox = await page.getByRole("button", { name: new RegExp(`${name}$`) }).boundingBox();
  expect((nameBox?.x ?? 0) + (nameBox?.width ?? 0)).toBeLessThanOrEqual((moreBox?.x ?? 0) + 1);

  await page.getByRole("button", { name: "Les copains du mardi soir et du week-end" }).tap();
  await page.getByRole("menuitem", { name: "Inviter des copains" }).tap();
  await page.getByRole("dialog").getByText("servi").first().waitFor();
  expect(await tooWide(page), "invite").toEqual([]);
  await page.getByRole("dialog").getByRole("button", { name: "Fermer" }).tap();

  for (const at of ["overview", "everyone", "roles", "bans"]) {
    await visit(page, `${url}/s/${gang.server.id}/settings/${at}`);
    expect(await tooWide(page), at).toEqual([]);
    expect(await smallTargets(page), at).toEqual([]);
  }
  await openChannel(page, url, gang.server.id, gang.channel.id);
  await composer(page).fill(`\`\`\`\n${"une ligne bien plus large que l'écran ".repeat(4)}\n\`\`\``);
  await page.getByRole("button", { name: "Envoyer" }).tap();
  await stored(page, "une ligne").waitFor();
  expect(await violations(page)).toEqual([]);
  expect(phone.faults).toEqual([]);
  await phone.context.close();
});

test("[CV10] what a message offers when it is touched can be pressed, and is gone where one writes", async () => {
  const gang = await seedGang({ url, people: ["Chloé", "Léo"] });
  await converse(url, gang.channel.id, [[gang.owner, "On prend le train ?"]]);
  const phone = await visitor(browser, PHONE);
  const { page } = phone;
  await signIn(phone, url, gang.others[0] ?? gang.owner);
  await openChannel(page, url, gang.server.id, gang.channel.id);
  const touched = message(page, "On prend le train ?").first();
  const actions = touched.getByRole("toolbar");
  await touched.tap();
  await actions.getByRole("button", { name: "Plus" }).tap();
  await page.getByRole("menuitem", { name: "Copier le texte" }).waitFor();
  await page.keyboard.press("Escape");
  await actions.getByRole("button", { name: "Répondre" }).tap();
  await page.getByText("Tu réponds à Chloé").waitFor();
  // Where one writes, nothing lies over the messages.
  await composer(page).fill("Celui de 9 h 40");
  await actions.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Envoyer" }).tap();
  await stored(page, "Celui de 9 h 40").waitFor();
  await touched.tap();
  await actions.getByRole("button", { name: "Ajouter une réaction" }).tap();
  await page.getByRole("dialog").getByRole("option").first().tap();
  await touched.getByRole("button", { name: / 1 : toi$/ }).waitFor();
  expect(phone.faults).toEqual([]);
  await phone.context.close();
});

test("who has a place to themselves is led to invite others, on a phone too", async () => {
  const gang = await seedGang({ url, people: ["Ana"] });
  const phone = await visitor(browser, PHONE);
  const { page } = phone;
  await signIn(phone, url, gang.owner);
  await page.goto(`${url}/s/${gang.server.id}`);
  await page.getByRole("main").getByRole("button", { name: "Inviter des copains" }).tap();
  await page.getByRole("dialog").getByLabel("Lien d'invitation").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Fermer" }).tap();
  await page.goto(`${url}/dm`);
  await page.getByRole("button", { name: "Amis" }).tap();
  await page.getByRole("dialog", { name: "Amis" }).waitFor();
  expect(await violations(page)).toEqual([]);
  expect(phone.faults).toEqual([]);
  await phone.context.close();
});
