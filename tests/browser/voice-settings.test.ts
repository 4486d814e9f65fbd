import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { type Registered, register } from "../flows/kit/people.ts";
import { visit } from "./kit/drive.ts";
import { signIn, visitor } from "./kit/visitor.ts";

const { url } = inject("stack");
/** A microphone that beeps each second and a camera that shows a clock, and nobody who is asked for them. */
const FAKE_DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
let person: Registered;
let browser: Browser;
beforeAll(async () => {
  person = await register({ url });
  browser = await launchChromium({ args: FAKE_DEVICES });
});
afterAll(async () => {
  await browser.close();
});

test("[VC3] one tries one's microphone and camera, and what one chose is kept", async () => {
  const chloe = await visitor(browser);
  const { page } = chloe;
  await signIn(chloe, url, person);
  await visit(page, `${url}/settings/voice`);
  expect(await page.getByRole("meter").count()).toBe(0);

  await page.getByRole("button", { name: "Essayer ton micro" }).click();
  const level = page.getByRole("meter", { name: "Le son de ta voix" });
  await expect
    .poll(async () => Number(await level.getAttribute("aria-valuenow")), { timeout: 20_000 })
    .toBeGreaterThan(-50);
  // RNNoise runs in the audio thread: nothing says that the browser's own filter had to do.
  expect(await page.getByText("la sienne prend la relève").count()).toBe(0);
  await page.getByText("On t'entendrait.", { exact: true }).waitFor();
  await page.getByRole("slider", { name: "À partir de ce niveau" }).fill("-20");
  await page.getByText("On ne t'entendrait pas.", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Arrêter l'essai" }).click();
  await level.waitFor({ state: "detached" });

  await page.getByText("Tant que tu tiens une touche").click();
  await page.getByRole("button", { name: "Choisir une autre touche" }).click();
  await page.getByRole("button", { name: "Appuie sur la touche que tu veux" }).waitFor();
  await page.keyboard.press("F8");
  await page.locator("kbd", { hasText: "F8" }).waitFor();

  await page.getByRole("button", { name: "Te voir" }).click();
  const picture = page.locator("video.camera-preview");
  await expect
    .poll(() => picture.evaluate((video: HTMLVideoElement) => video.videoWidth), { timeout: 20_000 })
    .toBeGreaterThan(0);
  await page.getByRole("button", { name: "Éteindre la caméra" }).click();
  await picture.waitFor({ state: "detached" });

  await page.reload();
  await page.locator("kbd", { hasText: "F8" }).waitFor();
  expect(chloe.faults).toEqual([]);
  await chloe.context.close();
});

test("[VC4] what may not be used is told in plain words, and can be tried again once it may", async () => {
  const chloe = await visitor(browser);
  const { page } = chloe;
  await chloe.context.addInitScript(() => {
    const devices = navigator.mediaDevices;
    const ask = devices.getUserMedia.bind(devices);
    devices.getUserMedia = (wishes) =>
      Object.hasOwn(globalThis, "allowed") ? ask(wishes) : Promise.reject(new DOMException("no", "NotAllowedError"));
  });
  await signIn(chloe, url, person);
  await visit(page, `${url}/settings/voice`);
  await page.getByRole("button", { name: "Essayer ton micro" }).click();
  await page.getByRole("alert").getByText("Le micro n'est pas autorisé ici.").waitFor();
  await page.getByRole("button", { name: "Te voir" }).click();
  await page.getByRole("alert").getByText("La caméra n'est pas autorisée ici.").waitFor();
  await page.evaluate(() => Object.assign(globalThis, { allowed: true }));
  await page.getByRole("button", { name: "Te voir" }).click();
  await page.locator("video.camera-preview").waitFor();
  await page.getByRole("button", { name: "Essayer ton micro" }).click();
  await page.getByRole("meter", { name: "Le son de ta voix" }).waitFor();
  expect(await page.getByText("autorisé").count()).toBe(0);
  await chloe.context.close();
});
