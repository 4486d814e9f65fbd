import type { Channel } from "@lescopains/protocol/entities";
import { Client } from "pg";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { violations } from "./kit/axe.ts";
import type { Registered } from "../flows/kit/people.ts";
import { composer, message, openChannel, stored } from "./kit/drive.ts";
import { type Gang, seedGang } from "./kit/seed.ts";
import { PHONE, WIDE } from "./kit/visitor.ts";
import {
  caller,
  comeIn,
  control,
  hears,
  launchWithDevices,
  media,
  safetyCode,
  sees,
  voiceChannel,
} from "./kit/voice.ts";

const { url } = inject("stack");
let browser: Browser;
let gang: Gang;
let lounge: Channel;

/** A person of the gang: an account's first browser is a device by itself, a second one would have to be let in. */
function member(index: number): Registered {
  const person = gang.others[index];
  if (person === undefined) throw new Error(`a gang without a member ${index}`);
  return person;
}

beforeAll(async () => {
  browser = await launchWithDevices();
  gang = await seedGang({ url, name: "La bande", people: ["Chloé", "Léo", "Samira", "Noé", "Ines", "Malik"] });
  lounge = await voiceChannel(url, gang);
});
afterAll(async () => {
  await browser.close();
});

test("[VC31] two people come in, hear and see each other and a screen, encrypted by the same keys, mute and leave", async () => {
  const chloe = await caller(browser, url, gang.owner);
  const leo = await caller(browser, url, member(0));
  await comeIn(chloe.page, url, lounge);
  await comeIn(leo.page, url, lounge);
  await chloe.page.locator(".tile", { hasText: "Léo" }).waitFor();
  await hears(chloe.page);
  await hears(leo.page);
  const code = await safetyCode(chloe.page);
  expect(code).toMatch(/^\d{30}$/);
  expect(await safetyCode(leo.page)).toBe(code);

  await control(leo.page, "Allumer ta caméra").click();
  await sees(chloe.page);
  await control(leo.page, "Éteindre ta caméra").click();
  await control(leo.page, "Partager ton écran").click();
  await chloe.page.locator('.tile[data-kind="screen"][data-large="true"]').waitFor();
  await sees(chloe.page);
  await control(leo.page, "Arrêter le partage d'écran").click();
  await chloe.page.locator('.tile[data-kind="screen"]').waitFor({ state: "detached" });

  await control(leo.page, "Couper ton micro").click();
  await chloe.page.getByRole("button", { name: /^Agrandir Léo.*micro coupé/ }).waitFor();
  await control(leo.page, "Quitter").click();
  await leo.page.getByRole("button", { name: "Rejoindre", exact: true }).waitFor();
  await chloe.page.locator(".tile", { hasText: "Léo" }).waitFor({ state: "detached" });
  expect((await media(leo.page)).sent).toBe(0);

  expect(chloe.faults).toEqual([]);
  expect(leo.faults).toEqual([]);
  await leo.context.close();
  await chloe.context.close();
});

test("[VC32] a call is led by the keyboard alone, and is well made for those who don't see it", async () => {
  const samira = await caller(browser, url, member(1), { colorScheme: "dark" });
  const { page } = samira;
  await page.goto(`${url}/s/${lounge.serverId}/c/${lounge.id}`);
  const door = page.getByRole("button", { name: "Rejoindre", exact: true });
  await door.waitFor();
  expect(await violations(page)).toEqual([]);
  await door.press("Enter");
  await page.locator('.dock-status[data-kind="joined"]').waitFor({ timeout: 60_000 });
  await page.getByText("Tu es dans Le salon.").waitFor({ state: "attached" });
  // The door is gone, and what had the focus with it: it is on what one does next.
  await control(page, "Couper ton micro").and(page.locator(":focus")).waitFor();
  await page.keyboard.press("Control+Shift+M");
  await control(page, "Rouvrir ton micro").waitFor();
  await page.keyboard.press("Control+Shift+D");
  await control(page, "Réentendre les autres").waitFor();
  await page.keyboard.press("Control+Shift+D");
  await control(page, "Ne plus rien entendre").waitFor();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Control+Shift+H");
  await door.waitFor();
  await door.and(page.locator(":focus")).waitFor();
  expect(samira.faults).toEqual([]);
  await samira.context.close();
});

test("[VC33] the call goes along to every view, on a phone too: one press mutes, one leaves, one leads back", async () => {
  const noe = await caller(browser, url, member(2), PHONE);
  const { page } = noe;
  await page.goto(`${url}/s/${lounge.serverId}/c/${lounge.id}`);
  await page.getByRole("button", { name: "Rejoindre", exact: true }).tap();
  await control(page, "Quitter").waitFor({ timeout: 60_000 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wide).toBeLessThanOrEqual(0);
  await page.getByRole("button", { name: "Retour aux salons" }).tap();
  await page.getByRole("link", { name: "general" }).tap();
  const bar = page.getByRole("region", { name: "Ton vocal" });
  const back = bar.getByRole("link", { name: "Retour à Le salon" });
  await back.tap();
  // What is written in the channel stands in place of the call there.
  await page.getByRole("button", { name: "Afficher la discussion" }).tap();
  await bar.getByRole("button", { name: "Couper ton micro" }).tap();
  await bar.getByRole("button", { name: "Rouvrir ton micro" }).waitFor();
  expect(await violations(page)).toEqual([]);
  await back.tap();
  await control(page, "Rouvrir ton micro").waitFor();
  expect(await bar.isVisible()).toBe(false);
  await page.getByRole("button", { name: "Afficher les membres" }).tap();
  await page.getByRole("heading", { level: 1, name: "Membres" }).waitFor();
  await bar.getByRole("button", { name: "Quitter" }).waitFor();
  await back.tap();
  await page.getByRole("button", { name: "Réglages de la voix et de la vidéo" }).tap();
  await page.getByRole("heading", { level: 1, name: "Voix et vidéo" }).waitFor();
  // A wide screen shows settings without the lists, at whose foot the call stands elsewhere.
  await page.setViewportSize(WIDE);
  await bar.getByRole("button", { name: "Rouvrir ton micro" }).waitFor();
  expect(await violations(page)).toEqual([]);
  await bar.getByRole("button", { name: "Quitter" }).tap();
  await bar.waitFor({ state: "detached" });
  expect(noe.faults).toEqual([]);
  await noe.context.close();
});

test("[VC59] what is written in a voice channel has an address: in front of the call on a phone, which Back leads to, beside it elsewhere", async () => {
  const phone = await caller(browser, url, member(4), PHONE);
  const { page } = phone;
  const room = `${url}/s/${lounge.serverId}/c/${lounge.id}`;
  await page.goto(`${url}/s/${lounge.serverId}`);
  await page.getByRole("link", { name: /^Le salon/ }).tap();
  await page.getByRole("button", { name: "Rejoindre", exact: true }).tap();
  await control(page, "Couper ton micro").waitFor({ timeout: 60_000 });
  const open = page.getByRole("button", { name: "Afficher la discussion" });
  await open.tap();
  await page.waitForURL(`${room}/chat`);
  await composer(page).fill("Je coupe, le train passe");
  await page.getByRole("button", { name: "Envoyer" }).tap();
  await stored(page, "Je coupe, le train passe").waitFor();
  expect(await control(page, "Couper ton micro").isVisible()).toBe(false);
  expect(await violations(page)).toEqual([]);

  // Three ways back, to the same call.
  const back = [
    () => page.goBack(),
    () => page.locator(".bar").getByRole("button", { name: "Retour à Le salon" }).tap(),
    () => page.getByRole("link", { name: "Retour à Le salon" }).tap(),
  ];
  for (const go of back) {
    await go();
    await page.waitForURL(room);
    await control(page, "Couper ton micro").waitFor();
    expect(await composer(page).count()).toBe(0);
    await open.tap();
    await page.waitForURL(`${room}/chat`);
    await composer(page).waitFor();
  }

  // The same address where there is room for both.
  await page.setViewportSize(WIDE);
  await control(page, "Couper ton micro").waitFor();
  await message(page, "Je coupe, le train passe").waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goBack();
  await control(page, "Couper ton micro").waitFor();
  // However often one looked at it, the list is one step further.
  await page.goBack();
  await page.waitForURL(`${url}/s/${lounge.serverId}`);
  await page.locator('.dock-status[data-kind="joined"]').waitFor();

  await page.setViewportSize(WIDE);
  await page.goto(`${room}/chat`);
  await page.getByRole("button", { name: "Rejoindre", exact: true }).waitFor();
  await message(page, "Je coupe, le train passe").waitFor();
  await page.getByRole("button", { name: "Cacher la discussion" }).tap();
  await page.waitForURL(room);
  await composer(page).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Afficher la discussion" }).tap();
  await composer(page).waitFor();
  await page.goto(`${url}/s/${gang.server.id}/c/${gang.channel.id}/chat`);
  await page.waitForURL(`${url}/s/${gang.server.id}/c/${gang.channel.id}`);
  expect(phone.faults).toEqual([]);
  await phone.context.close();
});

test("[VC40] without a microphone one comes in, is shown as muted, tries again with one press, and leaves with the page", async () => {
  const ines = await caller(browser, url, member(3));
  await ines.context.addInitScript(() => {
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = (wishes) =>
      Object.hasOwn(globalThis, "pluggedIn") ? ask(wishes) : Promise.reject(new DOMException("", "NotFoundError"));
  });
  const { page } = ines;
  await comeIn(page, url, lounge);
  const refused = page.getByText("Les autres ne t'entendent pas.");
  await refused.waitFor();
  expect(await refused.count(), "said once, though dock and stage are in view").toBe(1);
  // The list says so, which the others have too.
  await page.locator(".voice-person", { hasText: "micro coupé" }).waitFor();
  await page.evaluate(() => Object.assign(globalThis, { pluggedIn: true }));
  await control(page, "Rouvrir ton micro").click();
  await control(page, "Couper ton micro").waitFor();
  await refused.waitFor({ state: "detached" });
  await page.locator(".voice-person", { hasText: "micro coupé" }).waitFor({ state: "detached" });
  expect(ines.faults).toEqual([]);

  // A page that is left says so, and is not missed until a node or the edge has waited for it.
  await page.goto("about:blank");
  const sql = new Client({ connectionString: inject("stack").databaseUrl });
  await sql.connect();
  const reason = async () =>
    (
      await sql.query<{ reason: string | null }>(
        "SELECT reason FROM voice_sessions WHERE user_id = $1 ORDER BY joined_at DESC LIMIT 1",
        [member(3).id],
      )
    ).rows[0]?.reason;
  await expect.poll(reason, { timeout: 60_000 }).not.toBeNull();
  expect(await reason()).toBe("left");
  await sql.end();
  await ines.context.close();
});

test("[VC34] until someone comes into a call, nothing of it is loaded", async () => {
  const ines = await caller(browser, url, member(3));
  const loaded: string[] = [];
  ines.page.on("request", (request) => loaded.push(request.url()));
  await openChannel(ines.page, url, gang.server.id, gang.channel.id);
  expect(loaded.filter((address) => /rnnoise|gate-worklet|room-view|call-view/.test(address))).toEqual([]);
  expect(await ines.page.evaluate(() => (globalThis as unknown as { connections: [] }).connections.length)).toBe(0);
  await ines.context.close();
});
