import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { register } from "../flows/kit/people.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { violations } from "./kit/axe.ts";
import { begin, dmRow, settled } from "./kit/direct.ts";
import { arrive, message, say, stored, visit } from "./kit/drive.ts";
import { seedGang } from "./kit/seed.ts";
import { PHONE, signIn, visitor } from "./kit/visitor.ts";

let browser: Browser;
let place: Place;
beforeAll(async () => {
  [browser, place] = await Promise.all([launchChromium(), startPlace()]);
});
afterAll(async () => {
  await browser.close();
  await place.stop();
});

const NEW = "une autre phrase que je retiens";

async function logIn(page: Page, username: string): Promise<void> {
  await page.getByLabel("Nom d'utilisateur").fill(username);
  await page.getByLabel("Mot de passe", { exact: true }).fill(NEW);
  await page.getByLabel("Mot de passe", { exact: true }).press("Enter");
}

test("[PWL6] a forgotten password: the operator's link sets another, everybody signs in again, keys stay where they are", async () => {
  const { url } = place;
  const operator = await register(place);
  await place.sql.query("UPDATE users SET operator = true WHERE id = $1", [operator.id]);
  const { owner: leo, others } = await seedGang({ url, people: ["Léo", "Chloé"] });
  const chloe = await settled(browser, url, others[0] ?? leo);
  const home = await settled(browser, url, leo);
  await begin(home.page, url, ["Chloé"]);
  await say(home.page, "Entre nous");
  await stored(home.page, "Entre nous").waitFor();

  // In another browser, without the password: what can be done is said.
  const elsewhere = await visitor(browser);
  await visit(elsewhere.page, `${url}/login`);
  await elsewhere.page.getByRole("link", { name: "Mot de passe oublié ?" }).click();
  await elsewhere.page.getByText("Demande un lien à la personne qui gère ce lieu").waitFor();
  expect(await violations(elsewhere.page)).toEqual([]);

  const ada = await visitor(browser);
  await signIn(ada, url, operator);
  await visit(ada.page, `${url}/operator/people`);
  await ada.page.getByLabel("Trouver quelqu'un").fill(leo.username);
  await ada.page.getByRole("button", { name: "Ouvrir Léo" }).click();
  await ada.page.getByRole("button", { name: "Créer un lien pour un nouveau mot de passe" }).click();
  const sure = ada.page.getByRole("dialog", { name: "Créer un lien pour un nouveau mot de passe de Léo" });
  await sure.getByText("Elle voit qu'un lien a été créé.").waitFor();
  expect(await violations(ada.page)).toEqual([]);
  await sure.getByRole("button", { name: "Créer un lien" }).click();
  const field = ada.page.getByLabel("Lien pour Léo");
  await field.waitFor();
  const link = await field.inputValue();
  expect(link).toMatch(new RegExp(`^${url}/reset#[\\w-]{43}$`));
  expect(await violations(ada.page)).toEqual([]);

  // Léo sees it where he is still signed in.
  await visit(home.page, `${url}/settings/sessions`);
  await home.page.getByText("Personne ne s'en est servi.").waitFor();
  expect(await violations(home.page)).toEqual([]);

  const { page } = elsewhere;
  await page.goto(link);
  await page.getByText(`Pour le compte ${leo.username}.`).waitFor();
  expect(page.url(), "the secret is out of the address").toBe(`${url}/reset`);
  await page.reload();
  await page.getByText(`Pour le compte ${leo.username}.`).waitFor();
  const chosen = page.getByLabel("Nouveau mot de passe", { exact: true });
  await chosen.fill("court");
  await chosen.press("Enter");
  await page.getByText("Au moins 8 caractères.").waitFor();
  expect(await violations(page)).toEqual([]);
  await chosen.fill(NEW);
  await page.getByRole("button", { name: "Choisir ce mot de passe" }).click();
  await page.getByRole("heading", { name: "Ton mot de passe est changé" }).waitFor();
  expect(await violations(page)).toEqual([]);

  // The browser that was signed in is out. With the new password it reads what it read; in the other one the keys are missing.
  await home.page.waitForURL(/\/login/);
  await logIn(home.page, leo.username);
  await arrive(home.page, `${url}/settings/sessions`);
  await home.page.getByText(/créé un lien pour changer ton mot de passe.*Il a servi/).waitFor();
  await home.page.goto(`${url}/dm`);
  await dmRow(home.page, "Chloé").click();
  await message(home.page, "Entre nous").waitFor();
  await say(home.page, "Me revoilà");
  await chloe.page.goto(`${url}/dm`);
  await dmRow(chloe.page, "Léo").click();
  await message(chloe.page, "Me revoilà").waitFor();
  expect(await chloe.page.getByText("a changé").count(), "the same identity").toBe(0);
  await page.getByRole("link", { name: "Se connecter" }).click();
  await logIn(page, leo.username);
  await page.waitForURL(`${url}/`);
  await page.goto(`${url}/dm/new`);
  await page.getByRole("heading", { name: "Ce navigateur ne peut pas encore lire tes messages" }).waitFor();

  // Once is once; and it stands in the log.
  await page.goto(link);
  await page.getByRole("heading", { name: "Ce lien ne marche pas (ou plus)" }).waitFor();
  await ada.page.keyboard.press("Escape");
  await ada.page.getByRole("link", { name: "Ce qui a été fait" }).click();
  await ada.page
    .getByText(`${operator.username} a créé un lien pour un nouveau mot de passe de ${leo.username}`)
    .waitFor();

  // On a phone, in English and in the dark; who is signed in as somebody else goes on as them.
  const phone = await visitor(browser, { ...PHONE, tongue: "en-GB", colorScheme: "dark" });
  await signIn(phone, url, operator);
  for (const [address, heading] of [
    [link, "This link doesn't work (any more)"],
    [`${url}/reset#${"A".repeat(43)}`, "This link doesn't work (any more)"],
  ] as const) {
    await phone.page.goto(address);
    await phone.page.getByRole("heading", { name: heading }).waitFor();
    await phone.page.getByRole("link", { name: "Go home" }).waitFor();
    expect(await violations(phone.page)).toEqual([]);
    const overflow = await phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  }
  for (const one of [ada, home, elsewhere, chloe, phone]) expect(one.faults).toEqual([]);
}, 300_000);
