import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { violations } from "./kit/axe.ts";
import { begin, dmRow } from "./kit/direct.ts";
import { message } from "./kit/drive.ts";
import { type Gang, seedGang } from "./kit/seed.ts";
import { caller, control, hears, launchWithDevices } from "./kit/voice.ts";

const { url } = inject("stack");
let browser: Browser;
let gang: Gang;
beforeAll(async () => {
  browser = await launchWithDevices();
  gang = await seedGang({ url, people: ["Chloé", "Léo"] });
});
afterAll(async () => {
  await browser.close();
});

test("[VC36] a call rings wherever the other one is, is declined, is accepted and heard by both, is missed and called back", async () => {
  const [leoAccount = gang.owner] = gang.others;
  const chloe = await caller(browser, url, gang.owner);
  const leo = await caller(browser, url, leoAccount);
  // A conversation needs the devices of both.
  for (const { page } of [chloe, leo]) {
    await page.goto(`${url}/settings/devices`);
    await page.locator(".section-row strong").waitFor();
  }
  await begin(chloe.page, url, ["Léo"]);

  await chloe.page.getByRole("button", { name: "Appeler", exact: true }).click();
  const ringing = leo.page.getByRole("alertdialog", { name: "Chloé t'appelle" });
  await ringing.waitFor({ timeout: 60_000 });
  await chloe.page.getByText("Ça sonne…").waitFor();
  expect(await violations(leo.page)).toEqual([]);
  await ringing.getByRole("button", { name: "Refuser" }).click();
  await ringing.waitFor({ state: "detached" });
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
