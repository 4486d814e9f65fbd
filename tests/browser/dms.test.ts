import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { begin, dmRow, settled } from "./kit/direct.ts";
import { composer, message, openChannel, say, stored } from "./kit/drive.ts";
import { type Gang, seedGang } from "./kit/seed.ts";
import { PHONE, type Visitor } from "./kit/visitor.ts";

const { url } = inject("stack");
let browser: Browser;
let gang: Gang;
let chloe: Visitor;
let leo: Visitor;
let samira: Visitor;
beforeAll(async () => {
  browser = await launchChromium();
  gang = await seedGang({ url, name: "La bande", people: ["Chloé", "Léo", "Samira"] });
  const [leoHere = gang.owner, samiraHere = gang.owner] = gang.others;
  chloe = await settled(browser, url, gang.owner);
  leo = await settled(browser, url, leoHere);
  samira = await settled(browser, url, samiraHere);
});
afterAll(async () => {
  await browser.close();
});

test("a conversation begins from a profile, and both read each other", async () => {
  await openChannel(chloe.page, url, gang.server.id, gang.channel.id);
  await chloe.page.getByRole("button", { name: /^Léo/ }).click();
  await chloe.page.getByRole("dialog").getByRole("button", { name: "Envoyer un message" }).click();
  await chloe.page.getByRole("heading", { level: 1, name: /^Léo/ }).waitFor();
  await chloe.page.getByText("Ta conversation avec Léo commence ici").waitFor();
  await chloe.page.getByRole("link", { name: /^Chiffré de bout en bout/ }).waitFor();
  await say(chloe.page, "Pas un mot sur le salon");
  await stored(chloe.page, "Pas un mot sur le salon").waitFor();

  // The other finds it above the places, with what is new, and answers.
  await leo.page.goto(`${url}/dm/new`);
  await dmRow(leo.page, "Chloé").getByText("1 nouveau message").waitFor();
  await dmRow(leo.page, "Chloé").click();
  await message(leo.page, "Pas un mot sur le salon").waitFor();
  await say(leo.page, "Promis !");
  await message(chloe.page, "Promis !").waitFor();
  await dmRow(chloe.page, "Léo").getByText("Promis !").waitFor();

  // It is still there after a reload, read from what the device keeps.
  await chloe.page.reload();
  await message(chloe.page, "Promis !").waitFor();
  await message(chloe.page, "Pas un mot sur le salon").waitFor();
  expect(chloe.faults).toEqual([]);
  expect(leo.faults).toEqual([]);
});

test("an answer, an edit and a deletion reach the other", async () => {
  await begin(chloe.page, url, ["Léo"]);
  await dmRow(leo.page, "Chloé").click();
  await say(chloe.page, "On part à 9 h");
  await message(leo.page, "On part à 9 h").waitFor();
  await composer(chloe.page).press("ArrowUp");
  await chloe.page.getByRole("textbox", { name: "Modifier le message" }).fill("On part à 10 h");
  await chloe.page.keyboard.press("Enter");
  await message(leo.page, "On part à 10 h").waitFor();

  await message(leo.page, "On part à 10 h").hover();
  await leo.page.getByRole("button", { name: /^Répondre/ }).click();
  await say(leo.page, "J'y serai");
  await message(chloe.page, "J'y serai").locator(".message-quote", { hasText: "On part à 10 h" }).waitFor();

  await message(leo.page, "J'y serai").hover();
  await leo.page.getByRole("button", { name: "Plus", exact: true }).click();
  await leo.page.getByRole("menuitem", { name: "Supprimer" }).click();
  await leo.page.getByRole("dialog").getByRole("button", { name: "Supprimer" }).click();
  await chloe.page.getByText("Ce message a été supprimé.").waitFor();
  expect(await message(chloe.page, "J'y serai").count()).toBe(0);
});

test("a group talks, takes somebody in, and lets somebody go", async () => {
  await begin(chloe.page, url, ["Léo", "Samira"]);
  await chloe.page.getByRole("heading", { level: 1, name: "Léo et Samira" }).waitFor();
  await say(chloe.page, "Covoiturage ?");
  await dmRow(leo.page, "Chloé et Samira").click();
  await message(leo.page, "Covoiturage ?").waitFor();
  await samira.page.goto(`${url}/dm`);
  await samira.page.goto(`${url}/dm/new`);
  await dmRow(samira.page, "Chloé et Léo").click();
  await message(samira.page, "Covoiturage ?").waitFor();
  await say(samira.page, "Trois places");
  await message(leo.page, "Trois places").waitFor();
  await message(chloe.page, "Trois places").waitFor();

  // Whoever made it removes somebody, who is told and reads nothing more.
  const people = chloe.page.getByRole("complementary", { name: "Personnes" });
  await people.getByRole("button", { name: /^Samira/ }).click();
  await chloe.page.getByRole("menuitem", { name: "Retirer du groupe" }).click();
  await chloe.page.getByRole("dialog").getByRole("button", { name: "Retirer du groupe" }).click();
  await samira.page.getByText("Tu n'es plus dans la conversation avec Chloé et Léo.").waitFor();
  // The dialog closes with the server's answer, which comes after everyone is told; nothing behind it can be written in.
  await chloe.page.getByRole("dialog").waitFor({ state: "hidden" });
  await chloe.page.getByRole("heading", { level: 1, name: "Léo", exact: true }).waitFor();
  await say(chloe.page, "Entre nous");
  await message(leo.page, "Entre nous").waitFor();

  await leo.page.getByRole("button", { name: "Quitter le groupe" }).click();
  await leo.page.getByRole("dialog").getByRole("button", { name: "Quitter le groupe" }).click();
  await leo.page.getByText(/Tu n'es plus dans la conversation/).waitFor();
});

test("the switcher finds a person, and opens the conversation with them", async () => {
  await openChannel(samira.page, url, gang.server.id, gang.channel.id);
  await samira.page.getByRole("button", { name: /^Léo/ }).waitFor();
  await samira.page.keyboard.press("Control+k");
  await samira.page.getByRole("combobox").fill("leo");
  await samira.page.getByRole("option", { name: /^Léo/ }).waitFor();
  await samira.page.keyboard.press("Enter");
  await samira.page.getByRole("heading", { level: 1, name: /^Léo/ }).waitFor();
  await samira.page.keyboard.press("Control+k");
  await samira.page.getByRole("combobox").fill("leo");
  await samira.page.getByRole("option", { name: /message/ }).waitFor();
  await samira.page.keyboard.press("Escape");
  expect(samira.faults).toEqual([]);
});

test("on a phone there is one panel at a time, and Back leads from the conversation to the list", async () => {
  const pair = await seedGang({ url, people: ["Ana", "Zoé"] });
  const [zoe = pair.owner] = pair.others;
  const other = await settled(browser, url, zoe);
  const phone = await settled(browser, url, pair.owner, PHONE);
  await phone.page.goto(`${url}/dm`);
  await phone.page.getByRole("heading", { level: 1, name: "Messages privés" }).waitFor();
  await phone.page.getByRole("link", { name: "Nouveau message" }).first().click();
  await phone.page.getByRole("checkbox", { name: /Zoé/ }).tap();
  await phone.page.getByRole("button", { name: "Écrire", exact: true }).tap();
  await phone.page.getByRole("heading", { level: 1, name: /^Zoé/ }).waitFor();
  expect(await phone.page.getByRole("navigation", { name: "Messages privés" }).isVisible()).toBe(false);
  await composer(phone.page).fill("Coucou");
  await phone.page.getByRole("button", { name: "Envoyer", exact: true }).tap();
  await stored(phone.page, "Coucou").waitFor();
  await phone.page.getByRole("button", { name: "Afficher les personnes" }).tap();
  await phone.page.getByRole("heading", { level: 1, name: "Personnes" }).waitFor();
  await phone.page.getByRole("button", { name: "Retour à la conversation" }).tap();
  await phone.page.getByRole("button", { name: "Retour à tes messages" }).tap();
  await dmRow(phone.page, "Zoé").getByText("Toi : Coucou").waitFor();
  // Everything to be pressed is large enough for a finger.
  const small = await phone.page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("a, button")]
      .filter((element) => element.checkVisibility() && !element.classList.contains("skip-link"))
      .map((element) => ({ name: element.textContent, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width < 44 || box.height < 44)
      .map(({ name, box }) => `${name} ${box.width}×${box.height}`),
  );
  expect(small).toEqual([]);
  expect(phone.faults).toEqual([]);
  await phone.context.close();
  await other.context.close();
});
