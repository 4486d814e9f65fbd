import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Channel } from "@lescopains/protocol/entities";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { granted } from "../flows/kit/rest.ts";
import { violations } from "./kit/axe.ts";
import { type Gang, seedGang } from "./kit/seed.ts";
import type { Visitor } from "./kit/visitor.ts";
import { caller, comeIn, control, hears, humming, launchWithDevices, voiceChannel } from "./kit/voice.ts";

const { url } = inject("stack");
const folder = mkdtempSync(join(tmpdir(), "lescopains-hum-"));
let browser: Browser;
let gang: Gang;
let lounge: Channel;
/** Moderates the place, and looks at the call. */
let chloe: Visitor;
/** Speaks in it. */
let leo: Visitor;

interface Lent {
  /** What the page was lent of microphone and camera, the latest last. */
  readonly lent: MediaStream[];
  /** How loud it plays what it receives. */
  readonly gains: GainNode[];
}

/** One call for all: each test leaves it as it found it. */
beforeAll(async () => {
  writeFileSync(join(folder, "hum.wav"), humming());
  browser = await launchWithDevices(join(folder, "hum.wav"));
  gang = await seedGang({ url, people: ["Chloé", "Léo"] });
  lounge = await voiceChannel(url, gang);
  await voiceChannel(url, gang, "Le grenier");
  chloe = await caller(browser, url, gang.owner);
  leo = await caller(browser, url, gang.others[0] ?? gang.owner);
  for (const { context } of [chloe, leo]) await context.addInitScript(lookAtMedia);
  await Promise.all([comeIn(chloe.page, url, lounge), comeIn(leo.page, url, lounge)]);
  await tile(chloe.page, "Léo").waitFor();
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

function lookAtMedia(): void {
  const world = globalThis as unknown as { -readonly [K in keyof Lent]: Lent[K] };
  [world.lent, world.gains] = [[], []];
  // RNNoise takes a hum for noise.
  localStorage.setItem("lescopains.voice", JSON.stringify({ noise: "off" }));
  const devices = navigator.mediaDevices;
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints) => {
    const stream = await ask(constraints);
    world.lent.push(stream);
    return stream;
  };
  const Native = GainNode;
  globalThis.GainNode = class extends Native {
    constructor(context: BaseAudioContext, options?: GainOptions) {
      super(context, options);
      world.gains.push(this);
    }
  };
}

const tile = (page: Page, name: string): Locator => page.locator('.tile[data-kind="person"]', { hasText: name });

/** The last device that was lent is unplugged: the browser says so, and gives nothing of it any more. */
async function unplug(page: Page): Promise<void> {
  await page.evaluate(() => {
    const [track] = (globalThis as unknown as Lent).lent.at(-1)?.getTracks() ?? [];
    track?.stop();
    track?.dispatchEvent(new Event("ended"));
  });
}

async function focused(page: Page, name: RegExp): Promise<void> {
  await expect
    .poll(() =>
      page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent),
    )
    .toMatch(name);
}

test("[VC52] who speaks is shown large when one likes that, and everyone alike again", async () => {
  const { page } = chloe;
  await page.getByRole("button", { name: "Montrer en grand qui parle" }).click();
  await page.locator('.tile[data-large="true"]', { hasText: "Léo" }).waitFor();
  await page.getByRole("button", { name: "Montrer tout le monde pareil" }).click();
  await page.locator('.tile[data-large="true"]').waitFor({ state: "detached" });
});

test("[VC53] a picture fills the screen, and the call is where it was afterwards", async () => {
  const { page } = chloe;
  await control(leo.page, "Allumer ta caméra").click();
  await tile(page, "Léo").hover();
  await page.getByRole("button", { name: "Léo, en plein écran" }).click();
  await page.waitForFunction(() => document.fullscreenElement?.matches(".tile") === true);
  await page.evaluate(() => document.exitFullscreen());
  await focused(page, /en plein écran/);
});

test("[VC54] a call goes into a window of its own, is led there, and comes back", async () => {
  const { page, context } = chloe;
  const [apart] = await Promise.all([
    context.waitForEvent("page"),
    page.getByRole("button", { name: "Dans sa propre fenêtre" }).click(),
  ]);
  await page.getByText("Le vocal est dans sa propre fenêtre.").waitFor();
  await apart.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
  expect(await apart.title()).toBe("Vocal\u202f: Le salon");
  await control(apart, "Couper ton micro").click();
  await control(page, "Rouvrir ton micro").click();
  await control(apart, "Couper ton micro").waitFor();
  await page.getByRole("button", { name: "Revenir dans la page" }).click();
  await tile(page, "Léo").waitFor();
  await focused(page, /Dans sa propre fenêtre/);
  expect(apart.isClosed()).toBe(true);
});

test("[VC55] a moderator mutes, deafens, moves and disconnects; who it is about is told, and the others see it", async () => {
  const { page } = chloe;
  const about = page.getByRole("dialog", { name: "Léo" });
  const open = async (): Promise<void> => {
    await tile(page, "Léo").hover();
    await page.getByRole("button", { name: "Plus sur Léo" }).click();
    await about.waitFor();
  };
  await open();
  const mute = about.getByRole("switch", { name: "Micro coupé pour tout le monde" });
  await mute.click();
  await leo.page.getByText("Un modérateur a coupé ton micro.").first().waitFor();
  await page
    .getByRole("button", { name: /^Agrandir Léo.*micro coupé par un modérateur/, includeHidden: true })
    .waitFor({ state: "attached" });
  await mute.click();
  await leo.page.getByText("Un modérateur a coupé ton micro.").first().waitFor({ state: "detached" });
  await about.getByRole("switch", { name: "N'entend rien", checked: false }).click();
  await leo.page.getByText("Un modérateur a décidé que tu n'entends rien").first().waitFor();
  await about.getByRole("switch", { name: "N'entend rien", checked: true }).click();
  await leo.page.getByText("Un modérateur a décidé que tu n'entends rien").first().waitFor({ state: "detached" });

  await about.getByLabel("Déplacer vers").selectOption({ label: "Le grenier" });
  await tile(page, "Léo").waitFor({ state: "detached" });
  await focused(page, /Chloé/);
  await leo.page.locator(".dock-room", { hasText: "Le grenier" }).waitFor();
  await leo.page.locator('.dock-status[data-kind="joined"]').waitFor();
  await comeBack();

  await open();
  await about.getByRole("button", { name: "Déconnecter" }).click();
  await leo.page.getByText("On t'a déconnecté.").waitFor();
  await focused(leo.page, /Y retourner/);
  await tile(page, "Léo").waitFor({ state: "detached" });
  await comeBack();
});

/** Léo comes to the lounge as he came the first time, with his camera on. */
async function comeBack(): Promise<void> {
  const { page } = leo;
  await page.getByRole("button", { name: /^(Rejoindre|Y retourner)$/ }).click();
  await tile(chloe.page, "Léo").waitFor();
  await control(page, /caméra$/).waitFor();
  if ((await control(page, "Allumer ta caméra").count()) > 0) await control(page, "Allumer ta caméra").click();
}

test("[VC56] each person is as loud as one likes, from silence to twice as loud", async () => {
  const { page } = chloe;
  await tile(page, "Léo").hover();
  await page.getByRole("button", { name: "Plus sur Léo" }).click();
  const volume = page.getByRole("slider", { name: "À quel volume tu entends Léo" });
  // Sounds of the call have gains, too: that of the person is the one that follows.
  await volume.fill("35");
  const theirs = await page.waitForFunction(() =>
    (globalThis as unknown as Lent).gains.find(({ gain }) => Math.abs(gain.value - 0.35) < 0.005),
  );
  for (const percent of [0, 200, 100]) {
    await volume.fill(String(percent));
    await expect.poll(() => theirs.evaluate((node) => node?.gain.value)).toBeCloseTo(percent / 100, 2);
  }
  await page.keyboard.press("Escape");
});

test("[VC22] another microphone takes over during a call; one that is unplugged gives way to the system's, a camera goes off, and both are told", async () => {
  const { page } = leo;
  await page.locator(".call-side").getByRole("button", { name: "Réglages de la voix et de la vidéo" }).click();
  const choice = page.getByLabel("Micro", { exact: true });
  await choice.selectOption({ label: "Fake Audio Input 2" });
  await page.waitForFunction(() => {
    const [track] = (globalThis as unknown as Lent).lent.at(-1)?.getAudioTracks() ?? [];
    return track?.label === "Fake Audio Input 2";
  });
  await unplug(page);
  await page.getByText("Ton micro n'est plus là. Un autre prend la relève.").waitFor();
  await page.goBack();
  await hears(chloe.page);

  await control(page, "Éteindre ta caméra").click();
  await control(page, "Allumer ta caméra").click();
  await control(page, "Éteindre ta caméra").waitFor();
  await unplug(page);
  await page.getByText("Ta caméra n'est plus là. On ne te voit plus.").waitFor();
  await control(page, "Allumer ta caméra").click();
});

test("[VC57] with push-to-talk one is heard while the key is held, and not while one writes", async () => {
  const { page } = leo;
  await page.locator(".call-side").getByRole("button", { name: "Réglages de la voix et de la vidéo" }).click();
  await page.getByText("Tant que tu tiens une touche").click();
  await page.goBack();
  const speaking = chloe.page.locator('.tile[data-speaking="true"]', { hasText: "Léo" });
  await speaking.waitFor({ state: "detached" });
  const own = tile(page, "Léo").getByRole("button", { name: /^Agrandir Léo/ });
  await own.focus();
  await page.keyboard.down("Backquote");
  await speaking.waitFor();
  await page.keyboard.up("Backquote");
  await speaking.waitFor({ state: "detached" });
  // For whoever has no keyboard.
  await page.getByRole("button", { name: /^Tiens pour parler/ }).hover();
  await page.mouse.down();
  await speaking.waitFor();
  await page.mouse.up();
  await speaking.waitFor({ state: "detached" });
  // A finger gives it no focus: away from under it, nobody tells that it was lifted.
  await own.focus();
  await page.getByRole("button", { name: /^Tiens pour parler/ }).dispatchEvent("pointerdown", { pointerId: 1 });
  await speaking.waitFor();
  await page.goForward();
  await speaking.waitFor({ state: "detached" });
  await page.goBack();
  await page.getByRole("button", { name: /^Tiens pour parler/ }).waitFor();
});

test("[VC58] a call of two with a camera is well made in light, in the dark and on a phone, whatever people are called", async () => {
  const { page } = chloe;
  const name = "Maximilienne-Alexandra de La Roche";
  await granted(url, "patchSelf", { token: (gang.others[0] ?? gang.owner).token, body: { displayName: name } });
  await tile(page, name).waitFor();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page)).toEqual([]);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await tile(page, name).waitFor();
  expect(await violations(page)).toEqual([]);
  const tooWide = await page.evaluate(
    () =>
      [document.documentElement, ...document.querySelectorAll(".tile")].filter(
        ({ scrollWidth, clientWidth }) => scrollWidth > clientWidth,
      ).length,
  );
  expect(tooWide).toBe(0);
  for (const { faults } of [chloe, leo]) expect(faults).toEqual([]);
});
