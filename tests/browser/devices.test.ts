import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { begin, digitsOn, dmRow, makeRecoveryKey, settled, showToCamera } from "./kit/direct.ts";
import { message, say, stored } from "./kit/drive.ts";
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

const ARRIVE = "Ce navigateur ne peut pas encore lire tes messages";

test("a recovery key brings identity and messages back to a new browser, and safety numbers stay", async () => {
  const gang = await seedGang({ url, people: ["Chloé", "Léo"] });
  const [person = gang.owner] = gang.others;
  const chloe = await settled(browser, url, gang.owner);
  const leo = await settled(browser, url, person);
  await begin(leo.page, url, ["Chloé"]);
  await say(leo.page, "À garder précieusement");
  await stored(leo.page, "À garder précieusement").waitFor();
  await leo.page.getByRole("link", { name: /^Chiffré de bout en bout/ }).click();
  const digits = await digitsOn(leo.page);
  const recoveryKey = await makeRecoveryKey(leo.page, url);
  await leo.page.getByText(/Dernière sauvegarde/).waitFor();

  // Signing out says what goes and what stays.
  await leo.page.getByRole("button", { name: "Se déconnecter" }).click();
  await leo.page.getByRole("dialog").getByText("Ta sauvegarde sur le serveur reste.").waitFor();
  await leo.page.getByRole("dialog").getByRole("button", { name: "Se déconnecter" }).click();
  await leo.page.getByRole("heading", { level: 1, name: "Content de te revoir" }).waitFor();
  await leo.context.close();

  const fresh = await visitor(browser);
  await signIn(fresh, url, person);
  await fresh.page.goto(`${url}/dm/new`);
  await fresh.page.getByRole("heading", { level: 1, name: ARRIVE }).waitFor();
  await fresh.page.getByRole("button", { name: /^Avec ma clé de récupération/ }).click();
  const field = fresh.page.getByLabel("Clé de récupération", { exact: true });
  await field.fill("ABCD");
  await fresh.page.getByRole("button", { name: "Retrouver mes messages" }).click();
  await fresh.page.getByText("Il y a 4 caractères, une clé en a 56.").waitFor();
  await field.fill(recoveryKey.toLowerCase().replaceAll(" ", "-"));
  await fresh.page.getByRole("button", { name: "Retrouver mes messages" }).click();
  await dmRow(fresh.page, "Chloé").click();
  await message(fresh.page, "À garder précieusement").waitFor();
  await fresh.page.getByRole("link", { name: /^Chiffré de bout en bout/ }).click();
  expect(await digitsOn(fresh.page)).toBe(digits);

  // Chloé notices nothing: it is the same person.
  await chloe.page.goto(`${url}/dm/new`);
  await dmRow(chloe.page, "Léo").click();
  await say(chloe.page, "Te revoilà");
  await fresh.page.getByRole("button", { name: "Retour à la conversation" }).click();
  await message(fresh.page, "Te revoilà").waitFor();
  expect(await chloe.page.getByText("a changé").count()).toBe(0);
  expect(fresh.faults).toEqual([]);
  expect(chloe.faults).toEqual([]);
  for (const { context } of [chloe, fresh]) await context.close();
});

test("a browser lets another one in by its code, sees it in the list, and revokes it", async () => {
  const gang = await seedGang({ url, people: ["Chloé", "Léo"] });
  const [person = gang.owner] = gang.others;
  const leo = await settled(browser, url, person);
  const chloe = await settled(browser, url, gang.owner);
  await begin(chloe.page, url, ["Léo"]);
  await say(chloe.page, "Avant");
  await stored(chloe.page, "Avant").waitFor();

  const second = await visitor(browser);
  await signIn(second, url, gang.owner);
  await second.page.goto(`${url}/dm/new`);
  await second.page.getByRole("button", { name: /^Depuis un autre appareil/ }).click();
  const code = second.page.getByRole("img", { name: /QR code/ });
  await code.waitFor();

  await chloe.page.goto(`${url}/settings/devices`);
  await chloe.page.getByRole("link", { name: "Ajouter un appareil" }).click();
  await chloe.page.getByLabel("Ou colle le texte du code").fill("n'importe quoi");
  await chloe.page.getByRole("button", { name: "Continuer" }).click();
  await chloe.page.getByText("Ce n'est pas le code d'un nouveau navigateur à toi.").waitFor();
  await showToCamera(chloe.page, code);
  await chloe.page.getByRole("button", { name: "Scanner son code" }).click();
  await chloe.page.getByRole("heading", { name: "C'est bien ton navigateur ?" }).waitFor();
  await chloe.page.getByRole("button", { name: "Oui, le faire entrer" }).click();
  await chloe.page.getByText("Il est entré.").waitFor();

  // Both browsers receive from then on.
  await second.page.getByRole("heading", { level: 1, name: "À qui veux-tu écrire ?" }).waitFor();
  await dmRow(second.page, "Léo").click();
  await leo.page.goto(`${url}/dm/new`);
  await dmRow(leo.page, "Chloé").click();
  await say(leo.page, "Vous deux");
  await message(second.page, "Vous deux").waitFor();

  await chloe.page.getByRole("link", { name: "Retour" }).click();
  const rows = chloe.page.locator(".section-row");
  await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe(2);
  await rows.filter({ hasText: "celui-ci" }).getByRole("button", { name: "Renommer" }).click();
  await chloe.page.getByLabel("Nom", { exact: true }).fill("Mon portable");
  await chloe.page.getByRole("button", { name: "Enregistrer" }).click();
  await chloe.page.getByText("Mon portable").waitFor();
  await chloe.page.getByRole("button", { name: /^Révoquer/ }).click();
  await chloe.page.getByRole("dialog").getByRole("button", { name: "Révoquer" }).click();
  await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe(1);
  await second.page.getByRole("heading", { level: 1, name: "Content de te revoir" }).waitFor();

  // Signed in again, it is empty once that is said, and begins like a new one.
  await signIn(second, url, gang.owner);
  await second.page.goto(`${url}/dm/new`);
  await second.page.getByRole("heading", { level: 1, name: "Ce navigateur a été révoqué" }).waitFor();
  await second.page.getByRole("button", { name: "Le vider et recommencer" }).click();
  await second.page.getByRole("heading", { level: 1, name: ARRIVE }).waitFor();

  for (const { context, faults } of [leo, chloe, second]) {
    expect(faults).toEqual([]);
    await context.close();
  }
});
