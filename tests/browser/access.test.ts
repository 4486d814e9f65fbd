import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { granted } from "../flows/kit/rest.ts";
import { violations } from "./kit/axe.ts";
import { begin, digitsOn, settled } from "./kit/direct.ts";
import { message, openChannel, say, stored, visit } from "./kit/drive.ts";
import { converse, type Gang, seedGang } from "./kit/seed.ts";
import { PHONE, signIn, visitor, WIDE } from "./kit/visitor.ts";

const { url } = inject("stack");
let browser: Browser;
let gang: Gang;
beforeAll(async () => {
  browser = await launchChromium();
  gang = await seedGang({ url, name: "La bande", people: ["Chloé", "Léo", "Samira"] });
  const { owner, others, server, channel } = gang;
  const [leo = owner] = others;
  await granted(url, "createRole", {
    token: owner.token,
    params: { id: server.id },
    body: { name: "Orga", color: 0xe2_76_3a, permissions: "2048" },
  });
  await converse(url, channel.id, [
    [owner, "Salut !"],
    [leo, "**Salut**, regarde https://example.org et `ceci`"],
    [leo, "> une citation\n\n- une\n- liste"],
  ]);
});
afterAll(async () => {
  await browser.close();
});

const LOOKS = [
  { name: "light", colorScheme: "light", theme: null },
  { name: "dark", colorScheme: "dark", theme: null },
  { name: "high contrast", colorScheme: "dark", theme: "contrast" },
] as const;

test.each(LOOKS)("main views pass axe ($name)", async ({ colorScheme, theme }) => {
  const visitorHere = await visitor(browser, { colorScheme });
  const { page, context } = visitorHere;
  if (theme !== null) {
    await context.addInitScript((chosen) => localStorage.setItem("lescopains.theme", chosen), theme);
  }
  async function check(name: string): Promise<void> {
    expect(await violations(page), name).toEqual([]);
  }

  await page.goto(`${url}/login`);
  await page.getByRole("button", { name: "Se connecter" }).click();
  await page.getByText("Écris ton mot de passe.").waitFor();
  await check("login");
  await page.goto(`${url}/register`);
  await page.getByLabel("Nom d'utilisateur").waitFor();
  await check("register");

  await signIn(visitorHere, url, gang.owner);
  await openChannel(page, url, gang.server.id, gang.channel.id);
  await message(page, "une citation").waitFor();
  await page.getByRole("button", { name: /^Léo/ }).waitFor();
  await check("channel");
  await page.getByRole("button", { name: "La bande", exact: true }).click();
  await page.getByRole("menuitem", { name: "Inviter des copains" }).waitFor();
  await check("menu");
  await page.getByRole("menuitem", { name: "Inviter des copains" }).click();
  await page.getByText("Les liens qui marchent").waitFor();
  await check("invite dialog");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^Léo/ }).click();
  await page.getByRole("dialog", { name: "Profil" }).waitFor();
  await check("member");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").waitFor();
  await check("switcher");
  await page.keyboard.press("Escape");
  for (const path of [
    "/new",
    "/settings/profile",
    "/settings/security",
    "/settings/sessions",
    "/settings/appearance",
    "/settings/voice",
    "/settings/keyboard",
    `/s/${gang.server.id}/settings/overview`,
    `/s/${gang.server.id}/settings/everyone`,
    `/s/${gang.server.id}/settings/roles`,
    `/s/${gang.server.id}/settings/bans`,
    `/s/${gang.server.id}/c/${gang.channel.id}/settings`,
    "/nowhere",
  ]) {
    await visit(page, url + path);
    await check(path);
  }
  expect(visitorHere.faults).toEqual([]);
  await context.close();
});

// Some thirty views one after the other: more than the usual time on a busy machine.
test("the views of direct messages pass axe, wide and on a small screen, light and dark", async () => {
  // People who never had a browser: the first of each is theirs to read in.
  const friends = await seedGang({ url, people: ["Chloé", "Léo", "Samira"] });
  const [leo = friends.owner] = friends.others;
  const there = await settled(browser, url, leo);
  const here = await settled(browser, url, friends.owner);
  const { page } = here;
  async function check(name: string): Promise<void> {
    expect(await violations(page), name).toEqual([]);
  }
  await begin(page, url, ["Léo", "Samira"]);
  await check("group");
  await begin(page, url, ["Léo"]);
  await say(page, "Salut !");
  await stored(page, "Salut !").waitFor();
  const conversation = new URL(page.url()).pathname;
  await page.getByRole("link", { name: /^Chiffré de bout en bout/ }).click();
  await digitsOn(page);
  const safety = new URL(page.url()).pathname;
  await page.goto(`${url}/settings/recovery`);
  await page.getByRole("button", { name: "Créer ma clé de récupération" }).click();
  await page.getByRole("list", { name: "Clé de récupération" }).waitFor();
  await check("recovery key");
  await page.getByRole("button", { name: "Se déconnecter" }).click();
  await page.getByRole("dialog").getByRole("listitem").first().waitFor();
  await check("log out");

  for (const [viewport, colorScheme] of [
    [WIDE, "light"],
    [PHONE.viewport ?? WIDE, "dark"],
  ] as const) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    // Where there is room, the list stands beside the conversation that it leads on to.
    const list = viewport === WIDE ? [] : ["/dm"];
    for (const path of [
      ...list,
      "/dm/new",
      conversation,
      `${conversation}/people`,
      safety,
      "/settings/devices",
      "/settings/devices/approve",
      "/settings/recovery",
    ]) {
      await visit(page, url + path);
      await check(`${path} ${colorScheme}`);
    }
  }

  // A browser without keys, and each way to bring them.
  const fresh = await visitor(browser, { reducedMotion: "reduce" });
  await signIn(fresh, url, friends.owner);
  await visit(fresh.page, `${url}/dm/new`);
  await fresh.page.getByRole("button", { name: /^Depuis un autre appareil/ }).waitFor();
  expect(await violations(fresh.page), "arrive").toEqual([]);
  for (const way of [/^Depuis un autre appareil/, /^Avec ma clé/, /^Repartir de zéro/]) {
    await fresh.page.getByRole("button", { name: way }).click();
    await fresh.page.getByRole("button", { name: "D'autres façons" }).waitFor();
    expect(await violations(fresh.page), String(way)).toEqual([]);
    await fresh.page.getByRole("button", { name: "D'autres façons" }).click();
  }
  expect(here.faults).toEqual([]);
  expect(fresh.faults).toEqual([]);
  for (const { context } of [here, there, fresh]) await context.close();
}, 240_000);

test("a phone's panels pass axe", async () => {
  const phone = await visitor(browser, PHONE);
  await signIn(phone, url, gang.owner);
  for (const path of [
    `/s/${gang.server.id}`,
    `/s/${gang.server.id}/c/${gang.channel.id}`,
    `/s/${gang.server.id}/c/${gang.channel.id}/members`,
    "/settings",
    "/settings/security",
  ]) {
    await visit(phone.page, url + path);
    expect(await violations(phone.page), path).toEqual([]);
  }
  await phone.context.close();
});
