import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { composer, openChannel, visit } from "./kit/drive.ts";
import { seedGang } from "./kit/seed.ts";
import { signIn, visitor } from "./kit/visitor.ts";

const { url } = inject("stack");
let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
});

test("the page speaks the browser's language, switches at once, and keeps the choice", async () => {
  const english = await visitor(browser, { tongue: "en-GB" });
  await english.page.goto(`${url}/login`);
  await english.page.getByRole("heading", { name: "Good to see you" }).waitFor();
  expect(await english.page.getAttribute("html", "lang")).toBe("en");
  await english.page.getByLabel("Username").fill("half typed");
  await english.page.getByRole("button", { name: "Français" }).click();
  await english.page.getByRole("heading", { name: "Content de te revoir" }).waitFor();
  expect(await english.page.getAttribute("html", "lang")).toBe("fr");
  expect(await english.page.getByLabel("Nom d'utilisateur").inputValue()).toBe("half typed");
  await english.page.reload();
  await english.page.getByRole("heading", { name: "Content de te revoir" }).waitFor();
  expect(await english.page.getAttribute("html", "lang")).toBe("fr");
  await english.context.close();
});

test("theme, text size and language are set in the settings and stand before the first paint of the next visit", async () => {
  const gang = await seedGang({ url, people: ["Chloé"] });
  const person = await visitor(browser);
  const { page } = person;
  await signIn(person, url, gang.owner);
  await page.goto(`${url}/settings/appearance`);
  await page.getByRole("radio", { name: "Sombre" }).check({ force: true });
  await page.getByRole("slider", { name: "Taille du texte" }).fill("130");
  await page.getByRole("radio", { name: "English" }).check({ force: true });
  await page.getByRole("heading", { name: "Look and language", level: 1 }).waitFor();

  await openChannel(page, url, gang.server.id, gang.channel.id);
  await composer(page).waitFor();
  const look = await page.evaluate(() => ({
    background: getComputedStyle(document.documentElement).colorScheme,
    size: getComputedStyle(document.documentElement).fontSize,
    lang: document.documentElement.lang,
  }));
  expect(look).toEqual({ background: "dark", size: "20.8px", lang: "en" });
  await page.getByRole("heading", { name: "Members" }).waitFor();

  // What the first paint uses is set by a script that stands before everything else: no module has run by then.
  const early = await person.context.newPage();
  await early.route("**/assets/*.js", (route) => route.abort());
  await early.goto(`${url}/login`);
  expect(await early.evaluate(() => document.documentElement.dataset["theme"])).toBe("dark");
  expect(await early.getAttribute("html", "lang")).toBe("en");
  expect(person.faults).toEqual([]);
  await person.context.close();
});

test("no sentence is left in the other language, and none is a key", async () => {
  const gang = await seedGang({ url, name: "1234", people: ["5678"] });
  const person = await visitor(browser, { tongue: "en-GB" });
  const { page } = person;
  await signIn(person, url, gang.owner);
  for (const path of ["/settings/profile", "/settings/security", "/new", `/s/${gang.server.id}/settings/roles`]) {
    await visit(page, url + path);
    const text = await page.locator("body").innerText();
    expect(text, path).not.toMatch(/\b(Réglages|Salons|Retour|Enregistrer|mot de passe|Nouveau)\b/);
    expect(text, path).not.toMatch(/undefined|\{\w+\}|\berror_/);
  }
  await person.context.close();
});
