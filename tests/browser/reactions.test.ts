import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { violations } from "./kit/axe.ts";
import { begin, dmRow, settled } from "./kit/direct.ts";
import { composer, message, openChannel, say } from "./kit/drive.ts";
import { converse, type Gang, seedGang } from "./kit/seed.ts";
import { PHONE, signIn, type Visitor, visitor } from "./kit/visitor.ts";

const { url } = inject("stack");
let browser: Browser;
let gang: Gang;
beforeAll(async () => {
  browser = await launchChromium();
  gang = await seedGang({ url, name: "La bande", people: ["Chloé", "Léo"] });
  await converse(url, gang.channel.id, [[gang.owner, "On part à 9 h"]]);
});
afterAll(async () => {
  await browser.close();
});

const here: Visitor[] = [];
afterEach(async () => {
  for (const { context, faults } of here.splice(0)) {
    await context.close();
    expect(faults).toEqual([]);
  }
});

function chip(page: Page, text: string, name: RegExp): Locator {
  return message(page, text)
    .getByRole("list", { name: /^(Réactions|Reactions)$/ })
    .getByRole("button", { name });
}

async function pressed(button: Locator): Promise<string | null> {
  await button.waitFor();
  return button.getAttribute("aria-pressed");
}

test("two people react in a channel, in two languages: each sees the other's at once, and who it was", async () => {
  const chloe = await visitor(browser);
  const leo = await visitor(browser, { tongue: "en-GB" });
  here.push(chloe, leo);
  await signIn(chloe, url, gang.owner);
  await signIn(leo, url, gang.others[0] ?? gang.owner);
  for (const { page } of here) await openChannel(page, url, gang.server.id, gang.channel.id);

  // With the mouse: what is over the message, a word for the emoji, a press.
  await message(chloe.page, "On part").hover();
  await chloe.page.getByRole("toolbar").getByRole("button", { name: "Ajouter une réaction" }).click();
  const picker = chloe.page.getByRole("dialog", { name: "Ajouter une réaction" });
  await picker.getByRole("combobox", { name: "Cherche un emoji" }).fill("gateau");
  await picker.getByRole("option", { name: "gâteau d’anniversaire" }).click();
  expect(await pressed(chip(chloe.page, "On part", /^🎂 1 : toi$/))).toBe("true");

  // The other presses the same, and takes it back.
  const theirs = chip(leo.page, "On part", /^🎂/);
  expect(await pressed(theirs)).toBe("false");
  expect(await theirs.getAttribute("aria-label")).toBe("🎂 1: Chloé");
  await theirs.click();
  await chip(chloe.page, "On part", /^🎂 2 : toi et Léo$/).waitFor();
  expect(await chip(leo.page, "On part", /^🎂 2: you and Chloé$/).getAttribute("data-hint")).toBe("you and Chloé");
  await theirs.click();
  await chip(chloe.page, "On part", /^🎂 1 : toi$/).waitFor();

  // It stands after a reload, and is nothing new to read.
  await leo.page.reload();
  await chip(leo.page, "On part", /^🎂 1: Chloé$/).waitFor();
  expect(await leo.page.getByRole("link", { name: /unread|new message/ }).count()).toBe(0);
  await chip(chloe.page, "On part", /^🎂/).click();
  await chip(leo.page, "On part", /^🎂/).waitFor({ state: "detached" });
});

test("by keyboard alone: a key on the message, arrows, Enter; Tab leads to the reactions, Escape back to the message", async () => {
  const chloe = await visitor(browser, { tongue: "en-GB" });
  here.push(chloe);
  const { page } = chloe;
  await signIn(chloe, url, gang.owner);
  await openChannel(page, url, gang.server.id, gang.channel.id);
  await composer(page).press("Shift+Tab");
  const focused = () =>
    page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.className);
  await expect.poll(focused).toBe("messages-row");
  await page.keyboard.press("+");
  await expect.poll(focused).toBe("Search for an emoji");
  await page.keyboard.type("party pop");
  await page.getByRole("option", { name: "party popper" }).waitFor();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Enter");
  await chip(page, "On part", /^🎉 1: you$/).waitFor();
  await expect.poll(focused).toBe("messages-row");
  await page.keyboard.press("Tab");
  await expect.poll(focused).toBe("🎉 1: you");
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Enter");
  await chip(page, "On part", /^🎉/).waitFor({ state: "detached" });

  // The menu has those used last at its head.
  await message(page, "On part").locator("..").focus();
  await page.keyboard.press("Shift+F10");
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Reply");
  await page.keyboard.press("ArrowUp");
  await expect.poll(focused).toBe("React with 🎉");
  await page.keyboard.press("ArrowRight");
  await expect.poll(focused).not.toBe("React with 🎉");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await chip(page, "On part", /^🎉 1: you$/).click();
  await chip(page, "On part", /^🎉/).waitFor({ state: "detached" });

  await message(page, "On part").locator("..").focus();
  await page.keyboard.press("+");
  await expect.poll(focused).toBe("Search for an emoji");
  await page.keyboard.press("Escape");
  await expect.poll(focused).toBe("messages-row");
});

test("reactions in a direct conversation travel inside the encryption, and a phone has them under the thumb", async () => {
  const { owner, others } = await seedGang({ url, name: "La bande", people: ["Chloé", "Léo"] });
  const chloe = await settled(browser, url, owner);
  const leo = await settled(browser, url, others[0] ?? owner, PHONE);
  here.push(chloe, leo);
  await begin(chloe.page, url, ["Léo"]);
  await say(chloe.page, "Pas un mot");
  await leo.page.goto(`${url}/dm`);
  await dmRow(leo.page, "Chloé").tap();
  const row = message(leo.page, "Pas un mot");
  await row.waitFor();

  // A long press, as the browser tells of it when the finger has lifted.
  await row.dispatchEvent("contextmenu", { bubbles: true, cancelable: true });
  const menu = leo.page.getByRole("menu");
  await menu.waitFor();
  const box = await menu.boundingBox();
  expect((box?.y ?? 0) + (box?.height ?? 0)).toBeGreaterThan(840);
  await menu.getByRole("menuitemcheckbox", { name: "Réagir avec ❤️" }).tap();
  await chip(leo.page, "Pas un mot", /^❤️ 1 : toi$/).waitFor();
  await chip(chloe.page, "Pas un mot", /^❤️ 1 : Léo$/).click();
  await chip(leo.page, "Pas un mot", /^❤️ 2 : toi et Chloé$/).waitFor();

  // What was said there is not written down on the machine; the sheet shows every emoji.
  expect(await leo.page.evaluate(() => localStorage.getItem("lescopains.emoji"))).toBeNull();
  await chip(leo.page, "Pas un mot", /^Ajouter une réaction$/).tap();
  const sheet = leo.page.getByRole("dialog", { name: "Ajouter une réaction" });
  await sheet.getByRole("group", { name: "Drapeaux" }).waitFor({ state: "attached" });
  expect(await violations(leo.page)).toEqual([]);
  await sheet.getByRole("option", { name: "cœur rouge" }).first().tap();
  await chip(chloe.page, "Pas un mot", /^❤️ 1 : toi$/).waitFor();

  // A reload reads them from what the device keeps.
  await chloe.page.reload();
  await chip(chloe.page, "Pas un mot", /^❤️ 1 : toi$/).waitFor();
});
