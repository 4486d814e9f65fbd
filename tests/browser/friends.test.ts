import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { begin, settled } from "./kit/direct.ts";
import { seedGang } from "./kit/seed.ts";

const { url } = inject("stack");
let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

test("[FR6] one asks, the other sees it counted and accepts; both find each other in the list, and it ends", async () => {
  const gang = await seedGang({ url, people: ["Chloé", "Léo"] });
  const [person = gang.owner] = gang.others;
  const chloe = await settled(browser, url, gang.owner);
  const leo = await settled(browser, url, person);
  await leo.page.goto(`${url}/dm/new`);
  await leo.page.getByRole("button", { name: "Amis", exact: true }).waitFor();
  await begin(chloe.page, url, ["Léo"]);
  await chloe.page.getByRole("button", { name: "Demander en ami" }).click();
  await chloe.page.getByRole("button", { name: "Retirer la demande" }).waitFor();

  await leo.page.getByRole("button", { name: /^Amis.*1 demande$/ }).click();
  const list = leo.page.getByRole("dialog", { name: "Amis" });
  // The answer comes after the list has it: nothing that is pressed meanwhile is lost.
  const answered = Promise.withResolvers<void>();
  await leo.page.route("**/api/friends/*", async (route) => {
    const response = await route.fetch();
    await answered.promise;
    await route.fulfill({ response });
  });
  await list.getByRole("button", { name: "Accepter Chloé" }).click();
  await list.getByRole("heading", { name: "1 ami" }).waitFor();
  const write = list.getByRole("button", { name: "Envoyer un message" });
  expect(await write.isDisabled()).toBe(true);
  answered.resolve();
  await write.click();
  await leo.page.getByRole("heading", { level: 1, name: /^Chloé/ }).waitFor();

  await chloe.page.getByRole("button", { name: "Ne plus être amis" }).click();
  await chloe.page.getByRole("dialog").getByRole("button", { name: "Ne plus être amis" }).click();
  await chloe.page.getByRole("button", { name: "Demander en ami" }).waitFor();
  await leo.page.getByRole("button", { name: "Demander en ami" }).waitFor();
  expect(chloe.faults).toEqual([]);
  expect(leo.faults).toEqual([]);
});
