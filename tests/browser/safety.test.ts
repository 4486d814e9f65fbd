import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { begin, digitsOn, dmRow, settled, showToCamera } from "./kit/direct.ts";
import { composer, message, say, stored } from "./kit/drive.ts";
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

test("both see the same number, one scans the other's code, and a new identity is noticed and asked about", async () => {
  const gang = await seedGang({ url, people: ["Chloé", "Léo"] });
  const [person = gang.owner] = gang.others;
  const chloe = await settled(browser, url, gang.owner);
  const leo = await settled(browser, url, person);
  await begin(chloe.page, url, ["Léo"]);
  await say(chloe.page, "Salut");
  await leo.page.goto(`${url}/dm/new`);
  await dmRow(leo.page, "Chloé").click();
  await message(leo.page, "Salut").waitFor();

  for (const { page } of [chloe, leo]) await page.getByRole("link", { name: /^Chiffré de bout en bout/ }).click();
  await chloe.page.getByRole("heading", { level: 1, name: "Numéro de sécurité avec Léo" }).waitFor();
  await leo.page.getByRole("heading", { level: 1, name: "Numéro de sécurité avec Chloé" }).waitFor();
  const digits = await digitsOn(chloe.page);
  expect(digits).toMatch(/^[0-9]{60}$/);
  expect(await digitsOn(leo.page)).toBe(digits);

  // By camera: Chloé's page sees Léo's code.
  await showToCamera(chloe.page, leo.page.getByRole("img", { name: /QR code/ }));
  await chloe.page.getByRole("button", { name: "Scanner le code de Léo" }).click();
  await chloe.page.getByText("C'est le même : c'est bien Léo").waitFor();
  // By eye: Léo compares the digits, and may take it back.
  await leo.page.getByRole("button", { name: "Les numéros sont les mêmes" }).click();
  await leo.page.getByRole("button", { name: "Retirer la marque" }).click();
  await leo.page.getByRole("button", { name: "Les numéros sont les mêmes" }).waitFor();

  await chloe.page.getByRole("button", { name: "Retour à la conversation" }).click();
  await chloe.page.getByRole("link", { name: /bout en bout, vérifié/ }).waitFor();

  // Léo loses everything and starts over in another browser.
  await leo.context.close();
  const fresh = await visitor(browser);
  await signIn(fresh, url, person);
  await fresh.page.goto(`${url}/dm/new`);
  await fresh.page
    .getByRole("heading", { level: 1, name: "Ce navigateur ne peut pas encore lire tes messages" })
    .waitFor();
  await fresh.page.getByText("Aucune clé de récupération").waitFor();
  await fresh.page.getByRole("button", { name: /^Repartir de zéro/ }).click();
  await fresh.page.getByLabel("Ton mot de passe", { exact: true }).fill("pas le bon");
  await fresh.page.getByRole("button", { name: "Repartir sans mes anciens messages" }).click();
  await fresh.page.getByText("Ce n'est pas ton mot de passe.").waitFor();
  await fresh.page.getByLabel("Ton mot de passe", { exact: true }).fill(person.password);
  await fresh.page.getByRole("button", { name: "Repartir sans mes anciens messages" }).click();
  await fresh.page.getByRole("heading", { level: 1, name: "À qui veux-tu écrire ?" }).waitFor();

  // Chloé is told, and nothing can be written until she has decided.
  await chloe.page.getByRole("heading", { name: "Est-ce toujours Léo ?" }).waitFor();
  expect(await composer(chloe.page).count()).toBe(0);
  await chloe.page.getByText("Le numéro de sécurité de Léo a changé.").waitFor();
  await chloe.page.getByRole("link", { name: "Comparer" }).last().click();
  await chloe.page.getByText("Rien ne part tant que tu n'as pas décidé.").first().waitFor();
  await expect.poll(() => digitsOn(chloe.page), { timeout: 20_000 }).not.toBe(digits);
  await chloe.page.getByRole("button", { name: "Retour à la conversation" }).click();
  await chloe.page.getByRole("button", { name: "Accepter le nouveau numéro" }).click();
  await chloe.page.getByRole("dialog").getByRole("button", { name: "Accepter le nouveau numéro" }).click();
  await composer(chloe.page).waitFor();
  await say(chloe.page, "C'est bien toi ?");
  await stored(chloe.page, "C'est bien toi ?").waitFor();
  await dmRow(fresh.page, "Chloé").click();
  await message(fresh.page, "C'est bien toi ?").waitFor();

  expect(chloe.faults).toEqual([]);
  expect(fresh.faults).toEqual([]);
  for (const { context } of [chloe, fresh]) await context.close();
});
