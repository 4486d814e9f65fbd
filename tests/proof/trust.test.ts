import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { begin, digitsOn, dmRow, makeRecoveryKey, recovered, settled } from "../browser/kit/direct.ts";
import { composer, message, say } from "../browser/kit/drive.ts";
import { type Gang, seedGang } from "../browser/kit/seed.ts";
import { signIn, type Visitor, visitor } from "../browser/kit/visitor.ts";
import { askDevice } from "./kit/device.ts";
import { isSent } from "./kit/once.ts";
import { record, type Recorder } from "./kit/recorder.ts";

let recorder: Recorder;
let browser: Browser;
let gang: Gang;
let chloe: Visitor;
/** Léo's browsers: the first one, and one that the recovery key brought back. */
let first: Visitor;
let second: Visitor;
beforeAll(async () => {
  recorder = await record(inject("stack").url);
  const { url } = recorder;
  browser = await launchChromium();
  gang = await seedGang({ url, people: ["Chloé", "Léo"] });
  chloe = await settled(browser, url, gang.owner);
  first = await settled(browser, url, leo());
  await begin(chloe.page, url, ["Léo"]);
  await say(chloe.page, "Salut");
  await first.page.goto(`${url}/dm/new`);
  await dmRow(first.page, "Chloé").click();
  await message(first.page, "Salut").waitFor();
  const recoveryKey = await makeRecoveryKey(first.page, url);
  await first.page.getByText(/Dernière sauvegarde/).waitFor();
  second = await recovered(browser, url, leo(), recoveryKey);
});
afterAll(async () => {
  await browser.close();
  await recorder.close();
});

test("[PP3] who has two browsers reads everything in both, what they write themselves included", async () => {
  await first.page.goto(`${recorder.url}/dm/new`);
  for (const { page } of [first, second]) await dmRow(page, "Chloé").click();
  await say(chloe.page, "Pour tes deux navigateurs");
  for (const { page } of [first, second]) await message(page, "Pour tes deux navigateurs").waitFor();
  await say(second.page, "Du second");
  for (const { page } of [first, chloe]) await message(page, "Du second").waitFor();
  await say(first.page, "Du premier");
  for (const { page } of [second, chloe]) await message(page, "Du premier").waitFor();
});

test("[PP2] numbers agree, and go on agreeing after a recovery; after a new beginning they differ, and who had verified is asked first", async () => {
  const pages = [chloe.page, first.page, second.page];
  for (const page of pages) await page.getByRole("link", { name: /^Chiffré de bout en bout/ }).click();
  const [digits, ...theirs] = await Promise.all(pages.map(digitsOn));
  expect(digits).toMatch(/^[0-9]{60}$/);
  expect(theirs).toEqual([digits, digits]);
  await chloe.page.getByRole("button", { name: "Les numéros sont les mêmes" }).click();
  await chloe.page.getByRole("button", { name: "Retour à la conversation" }).click();
  await chloe.page.getByRole("link", { name: /bout en bout, vérifié/ }).waitFor();

  for (const { context } of [first, second]) await context.close();
  const anew = await startedOver();
  await chloe.page.getByRole("heading", { name: "Est-ce toujours Léo ?" }).waitFor();
  expect(await composer(chloe.page).count()).toBe(0);

  // Not even what the device itself is given leaves it.
  const before = recorder.frames.length;
  const nonce = crypto.randomUUID();
  const [conversation] = await askDevice(chloe.page, "dm:states", {});
  if (conversation === undefined) throw new Error("there is a conversation");
  const content = { kind: "text", text: "C'est bien toi ?", replyTo: null } as const;
  await askDevice(chloe.page, "dm:send", { channelId: conversation.channelId, nonce, content });
  await expect.poll(() => heldBack(chloe.page), { timeout: 20_000 }).toEqual(["identity_changed"]);
  expect(recorder.frames.slice(before).filter(isSent)).toEqual([]);

  await dmRow(anew.page, "Chloé").click();
  await anew.page.getByRole("link", { name: /^Chiffré de bout en bout/ }).click();
  await chloe.page.getByRole("link", { name: "Comparer" }).last().click();
  await expect.poll(() => digitsOn(chloe.page), { timeout: 20_000 }).not.toBe(digits);
  expect(await digitsOn(anew.page)).toBe(await digitsOn(chloe.page));

  // Having compared, she goes on, and what waited goes.
  await chloe.page.getByRole("button", { name: "Les numéros sont les mêmes" }).click();
  await chloe.page.getByRole("button", { name: "Retour à la conversation" }).click();
  await composer(chloe.page).waitFor();
  await anew.page.getByRole("button", { name: "Retour à la conversation" }).click();
  await message(anew.page, "C'est bien toi ?").waitFor();
  for (const { faults } of [chloe, anew]) expect(faults).toEqual([]);
});

function leo(): Gang["owner"] {
  const [person = gang.owner] = gang.others;
  return person;
}

/** Léo has lost everything, the recovery key included, and begins anew. */
async function startedOver(): Promise<Visitor> {
  const fresh = await visitor(browser);
  await signIn(fresh, recorder.url, leo());
  await fresh.page.goto(`${recorder.url}/dm/new`);
  await fresh.page.getByRole("button", { name: /^Repartir de zéro/ }).click();
  await fresh.page.getByLabel("Ton mot de passe", { exact: true }).fill(leo().password);
  await fresh.page.getByRole("button", { name: "Repartir sans mes anciens messages" }).click();
  await fresh.page.getByRole("heading", { level: 1, name: "À qui veux-tu écrire ?" }).waitFor();
  return fresh;
}

async function heldBack(page: Page): Promise<(string | undefined)[]> {
  return (await askDevice(page, "dm:pending", {})).map(({ failure }) => failure?.code);
}
