import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { violations } from "./kit/axe.ts";
import { begin, dmRow, makeRecoveryKey, recovered } from "./kit/direct.ts";
import { message } from "./kit/drive.ts";
import { signIn, visitor } from "./kit/visitor.ts";
import { control, hears, launchWithDevices, twoCallers, watchConnections } from "./kit/voice.ts";

const { url } = inject("stack");
let browser: Browser;
beforeAll(async () => {
  browser = await launchWithDevices();
});
afterAll(async () => {
  await browser.close();
});

function incoming(page: Page): Locator {
  return page.getByRole("alertdialog", { name: "Chloé t'appelle" });
}

/** A conversation needs the devices of both. */
async function acquainted() {
  const both = await twoCallers(browser, url);
  for (const { page } of [both.chloe, both.leo]) {
    await page.goto(`${url}/settings/devices`);
    await page.locator(".section-row strong").waitFor();
  }
  return both;
}

test("[VC36] a call rings wherever the other one is, is declined, is accepted and heard by both, is missed and called back", async () => {
  const { leoAccount, chloe, leo } = await acquainted();
  await begin(chloe.page, url, ["Léo"]);

  // A computer on which Léo signed in and did no more.
  const borrowed = await visitor(browser);
  await signIn(borrowed, url, leoAccount);
  await borrowed.page.goto(`${url}/settings`);
  await chloe.page.getByRole("button", { name: "Appeler", exact: true }).click();
  const ringing = incoming(leo.page);
  await ringing.waitFor({ timeout: 60_000 });
  await chloe.page.getByText("Ça sonne…").waitFor();
  expect(await violations(leo.page)).toEqual([]);
  // Where it could not be taken there is nothing to take it with.
  await incoming(borrowed.page).getByRole("link", { name: "Laisser entrer ce navigateur" }).waitFor();
  expect(await incoming(borrowed.page).getByRole("button").allInnerTexts()).toEqual(["Refuser"]);
  await ringing.getByRole("button", { name: "Refuser" }).click();
  await ringing.waitFor({ state: "detached" });
  await borrowed.page.getByText("Tu as refusé sur un autre appareil").waitFor();
  await borrowed.context.close();
  await chloe.page.getByText("Léo ne peut pas tout de suite.").waitFor();
  await control(chloe.page, "Quitter").click();

  await chloe.page.getByRole("button", { name: "Appeler", exact: true }).click();
  await ringing.waitFor({ timeout: 60_000 });
  await ringing.getByRole("button", { name: "Décrocher", exact: true }).click();
  await control(leo.page, "Quitter").waitFor({ timeout: 60_000 });
  await hears(leo.page);
  await hears(chloe.page);
  expect(await message(chloe.page, "Appel manqué").count()).toBe(0);
  await control(leo.page, "Quitter").click();
  await leo.page.getByText("Appel en cours : Chloé").waitFor();
  await control(chloe.page, "Quitter").click();

  // Nobody answers: it stands in the conversation of both, and one press calls back.
  await chloe.page.getByRole("button", { name: "Appeler", exact: true }).click();
  await ringing.waitFor({ timeout: 60_000 });
  await control(chloe.page, "Quitter").click();
  await ringing.waitFor({ state: "detached" });
  await message(chloe.page, "personne n'a répondu").waitFor();
  const missed = message(leo.page, "Appel manqué de Chloé, ");
  await missed.waitFor();
  await dmRow(leo.page, "Chloé").filter({ hasText: "Appel manqué" }).waitFor();
  expect(await violations(leo.page)).toEqual([]);
  await missed.getByRole("button", { name: "Rappeler" }).click();
  await chloe.page.getByRole("alertdialog", { name: "Léo t'appelle" }).waitFor({ timeout: 60_000 });
  expect(leo.faults).toEqual([]);
  expect(chloe.faults).toEqual([]);
  await leo.context.close();
  await chloe.context.close();
});

test("[VC38] a call rings on all of a person's devices; what is done on one holds on the others, which say so", async () => {
  const { leoAccount, chloe, leo: laptop } = await acquainted();
  const phone = await recovered(browser, url, leoAccount, await makeRecoveryKey(laptop.page, url));
  await watchConnections(phone.context);
  for (const { page } of [laptop, phone]) await page.goto(`${url}/dm`);
  await begin(chloe.page, url, ["Léo"]);
  const [onLaptop, onPhone] = [incoming(laptop.page), incoming(phone.page)];
  const callLeo = async (): Promise<void> => {
    await chloe.page.getByRole("button", { name: "Appeler", exact: true }).click();
    await Promise.all([onLaptop, onPhone].map((ring) => ring.waitFor({ timeout: 60_000 })));
  };
  const stopped = () => Promise.all([onLaptop, onPhone].map((ring) => ring.waitFor({ state: "detached" })));

  await callLeo();
  await onPhone.getByRole("button", { name: "Décrocher", exact: true }).click();
  await stopped();
  await laptop.page.getByText("Tu as décroché sur un autre appareil").waitFor();
  await Promise.all([hears(phone.page), hears(chloe.page)]);
  expect(await phone.page.getByText("sur un autre appareil").count()).toBe(0);

  // The one that did not take it comes in later: a person is in a call once.
  await dmRow(laptop.page, "Chloé").click();
  const ongoing = laptop.page.locator(".call-ongoing");
  await ongoing.getByText("Tu y es déjà, sur un autre appareil").waitFor();
  await ongoing.getByRole("button", { name: "Rejoindre", exact: true }).click();
  await phone.page.getByText("Tu es entré depuis ailleurs").waitFor({ timeout: 60_000 });
  await hears(laptop.page);
  await control(laptop.page, "Quitter").click();
  await control(chloe.page, "Quitter").click();

  await callLeo();
  await onLaptop.getByRole("button", { name: "Refuser" }).click();
  await stopped();
  await phone.page.getByText("Tu as refusé sur un autre appareil").waitFor();
  await chloe.page.getByText("Léo ne peut pas tout de suite.").waitFor();
  await control(chloe.page, "Quitter").click();

  await callLeo();
  await control(chloe.page, "Quitter").click();
  await stopped();
  for (const { page } of [laptop, phone]) {
    await page.getByText("Tu as manqué un appel de Chloé.").waitFor();
    await message(page, "Appel manqué de Chloé, ").waitFor();
  }
  for (const one of [chloe, laptop, phone]) {
    expect(one.faults).toEqual([]);
    await one.context.close();
  }
});
