import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { freshName } from "../flows/kit/people.ts";
import { composer, message, stored } from "./kit/drive.ts";
import { type Visitor, visitor } from "./kit/visitor.ts";

const { url } = inject("stack");
let browser: Browser;
let person: Visitor;
beforeAll(async () => {
  browser = await launchChromium();
  person = await visitor(browser, { tongue: "en-GB" });
});
afterAll(async () => {
  await browser.close();
});

/** The accessible name of what has the focus, roughly: its label, else its text. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement)) return "";
    const labelled = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : undefined;
    return (element.getAttribute("aria-label") ?? labelled ?? element.textContent).trim();
  });
}

/** Presses Tab (or another key) until something of that name has the focus. */
async function tabTo(page: Page, name: RegExp, key = "Tab"): Promise<void> {
  const seen: string[] = [];
  for (let presses = 0; presses < 40; presses += 1) {
    const now = await focused(page);
    if (name.test(now)) return;
    seen.push(now.slice(0, 40));
    await page.keyboard.press(key);
  }
  throw new Error(`${String(name)} is not reached by ${key}: ${seen.join(" → ")}`);
}

test("everything from registering to leaving is done by keyboard alone, and the focus is always somewhere", async () => {
  const { page, faults } = person;
  const name = freshName("kim");
  await page.goto(url);
  await page.getByRole("heading", { name: "Good to see you" }).waitFor();
  await expect.poll(() => focused(page)).toBe("Username");
  // One ring, around the whole of the field.
  const rings = await page.getByLabel("Username").evaluate((input) => {
    return [input, input.closest(".field-box")].map((one) => one && getComputedStyle(one).outlineStyle);
  });
  expect(rings).toEqual(["none", "solid"]);
  await tabTo(page, /^Create an account$/);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Make yourself at home" }).waitFor();
  await expect.poll(() => focused(page)).toBe("Username");
  await page.keyboard.type(name);
  await tabTo(page, /^Password$/);
  await page.keyboard.type("only with keys");
  await page.keyboard.press("Enter");

  // First steps: make a place.
  await page.getByRole("heading", { name: `Welcome, ${name}` }).waitFor();
  await tabTo(page, /^Name$/);
  await page.keyboard.type("Keys");
  await page.keyboard.press("Enter");
  await composer(page).waitFor();
  await expect.poll(() => focused(page)).toMatch(/^Write in general/);
  await page.keyboard.type("first words");
  await page.keyboard.press("Enter");
  await stored(page, "first words").waitFor();

  // Arrow up edits the last message; Escape would leave it as it was.
  await page.keyboard.press("ArrowUp");
  await expect.poll(() => focused(page)).toBe("Edit the message");
  await page.keyboard.press("End");
  await page.keyboard.type(", corrected");
  await page.keyboard.press("Enter");
  await stored(page, "first words, corrected").waitFor();
  await message(page, "(edited)").waitFor();

  // A new channel, from the list's own button.
  await tabTo(page, /^New channel$/, "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "New channel" }).waitFor();
  await expect.poll(() => focused(page)).toBe("Name");
  await page.keyboard.type("second");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "second", level: 1 }).waitFor();

  // The list is one stop of Tab: arrows move in it, Alt and Shift with an arrow move the channel itself.
  await tabTo(page, /^second/, "Shift+Tab");
  await page.keyboard.press("ArrowUp");
  await expect.poll(() => focused(page)).toMatch(/^general/);
  await page.keyboard.press("End");
  await expect.poll(() => focused(page)).toMatch(/^second/);
  await page.keyboard.press("Alt+Shift+ArrowUp");
  const names = page.locator(".channel-name");
  await expect.poll(() => names.allInnerTexts(), { timeout: 20_000 }).toEqual(["second", "general"]);
  await expect.poll(() => focused(page)).toMatch(/^second/);

  // Ctrl-K goes anywhere; Alt with an arrow to the next channel.
  await page.keyboard.press("Control+k");
  await expect.poll(() => focused(page)).toBe("Go to…");
  await page.keyboard.type("gen");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "general", level: 1 }).waitFor();
  await expect.poll(() => focused(page)).toMatch(/^Write in general/);
  await page.keyboard.press("Alt+ArrowUp");
  await page.getByRole("heading", { name: "second", level: 1 }).waitFor();

  // A menu: arrows inside, Escape gives the focus back.
  await tabTo(page, /^Keys$/, "Shift+Tab");
  await page.keyboard.press("Enter");
  await expect.poll(() => focused(page)).toBe("Invite people");
  await page.keyboard.press("ArrowDown");
  await expect.poll(() => focused(page)).toBe("Settings of this place");
  await page.keyboard.press("Escape");
  await expect.poll(() => focused(page)).toBe("Keys");

  // A dialog keeps the focus, and gives it back.
  await page.keyboard.press("Enter");
  await expect.poll(() => focused(page)).toBe("Invite people");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Invite people to Keys" }).waitFor();
  for (let presses = 0; presses < 15; presses += 1) {
    await page.keyboard.press("Tab");
    const inside = await page.evaluate(
      () => document.activeElement === document.body || document.activeElement?.closest("dialog") !== null,
    );
    expect(inside).toBe(true);
  }
  await page.keyboard.press("Escape");
  await expect.poll(() => focused(page)).toBe("Keys");

  // Help, and one level up again.
  await page.keyboard.press("Control+/");
  await page.getByRole("heading", { name: "Keyboard", level: 1 }).waitFor();
  await expect.poll(() => focused(page)).toBe("Keyboard");
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "second", level: 1 }).waitFor();
  await page.keyboard.press("Control+/");
  await tabTo(page, /^Log out$/, "Shift+Tab");
  await page.keyboard.press("Enter");
  // What it deletes here is said first, and Enter by habit does nothing.
  await page.getByRole("dialog", { name: "Log out of this browser?" }).getByRole("listitem").first().waitFor();
  await expect.poll(() => focused(page)).toBe("Cancel");
  await tabTo(page, /^Log out$/);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Good to see you" }).waitFor();
  await expect.poll(() => focused(page)).toBe("Username");
  expect(faults).toEqual([]);
});
