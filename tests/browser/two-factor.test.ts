import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { codeOf, stepNow } from "../flows/accounts-authenticator.ts";
import { type Registered, register } from "../flows/kit/people.ts";
import { signIn, type Visitor, visitor } from "./kit/visitor.ts";

const { url } = inject("stack");
let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
});

async function nameAndPassword({ page }: Visitor, person: Registered): Promise<void> {
  await page.goto(`${url}/login`);
  await page.getByLabel("Username").fill(person.username);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "One more step" }).waitFor();
}

test("sign-in in two steps is set up by a QR code, asked for at login, and recovery codes work once", async () => {
  const person = await register({ url });
  const home = await visitor(browser, { tongue: "en-GB" });
  await signIn(home, url, person);
  await home.page.goto(`${url}/settings/security`);
  await home.page.getByRole("button", { name: "Set it up" }).click();
  const drawn = home.page.getByRole("img", { name: "QR code for your authenticator app" }).locator("path");
  await expect
    .poll(async () => (await drawn.getAttribute("d"))?.length ?? 0, { timeout: 20_000 })
    .toBeGreaterThan(2_000);
  const secret = (await home.page.getByLabel("Key", { exact: true }).innerText()).replaceAll(/\s/g, "");
  expect(secret).toMatch(/^[A-Z2-7]{16,}$/);

  const field = home.page.getByLabel("Code the app shows");
  await field.fill("12 34");
  await field.press("Enter");
  await home.page.getByText("Six digits, please.").waitFor();
  const step = stepNow();
  await field.fill(codeOf(secret, step));
  await field.press("Enter");
  await home.page.getByRole("heading", { name: "Keep these codes somewhere safe" }).waitFor();
  const codes = await home.page.locator(".recovery li").allInnerTexts();
  expect(codes.length).toBeGreaterThanOrEqual(8);
  const download = home.page.waitForEvent("download");
  await home.page.getByRole("button", { name: "Download them" }).click();
  expect((await download).suggestedFilename()).toBe("LesCopains recovery codes.txt");
  await home.page.getByRole("button", { name: "I've kept them" }).click();
  await home.page.getByText("It's on.").waitFor();
  // Shown once: they are not there any more.
  expect(await home.page.getByText(codes[0] ?? "").count()).toBe(0);

  const phone = await visitor(browser, { tongue: "en-GB" });
  await nameAndPassword(phone, person);
  await phone.page.getByLabel("Code").fill("000000");
  await phone.page.keyboard.press("Enter");
  await phone.page.getByText("That code isn't right, or its time has passed.").waitFor();
  // The code that enabled it is spent; the next one is what the app shows a moment later.
  await phone.page.getByLabel("Code").fill(codeOf(secret, step + 1));
  await phone.page.keyboard.press("Enter");
  await phone.page.getByRole("heading", { name: `Welcome, ${person.username}` }).waitFor();

  const [spare = ""] = codes;
  const lost = await visitor(browser, { tongue: "en-GB" });
  await nameAndPassword(lost, person);
  await lost.page.getByLabel("Code").fill(spare.toUpperCase());
  await lost.page.keyboard.press("Enter");
  await lost.page.getByRole("heading", { name: `Welcome, ${person.username}` }).waitFor();
  await lost.page.goto(`${url}/settings/sessions`);
  await lost.page.getByText("this one").waitFor();

  const again = await visitor(browser, { tongue: "en-GB" });
  await nameAndPassword(again, person);
  await again.page.getByLabel("Code").fill(spare);
  await again.page.keyboard.press("Enter");
  await again.page.getByText("That code isn't right, or its time has passed.").waitFor();

  // It ends with both proofs in hand.
  await home.page.getByRole("button", { name: "Turn it off" }).click();
  const dialog = home.page.getByRole("dialog");
  await dialog.getByLabel("Current password", { exact: true }).fill(person.password);
  await dialog.getByLabel("Code from the app").fill(codes[1] ?? "");
  await dialog.getByRole("button", { name: "Turn it off" }).click();
  await home.page.getByRole("button", { name: "Set it up" }).waitFor();
  for (const { context, faults } of [home, phone, lost, again]) {
    expect(faults).toEqual([]);
    await context.close();
  }
});

test("a session ended elsewhere leads back to sign-in, and to where one was", async () => {
  const person = await register({ url });
  const here = await visitor(browser, { tongue: "en-GB" });
  const there = await visitor(browser, { tongue: "en-GB" });
  await signIn(here, url, person);
  await signIn(there, url, person);
  await there.page.goto(`${url}/settings/appearance`);
  await there.page.getByRole("heading", { name: "Look and language", level: 1 }).waitFor();
  await here.page.goto(`${url}/settings/sessions`);
  await here.page.getByText("this one").waitFor();
  for (let left = 2; left > 0; left -= 1) {
    const ends = here.page.getByRole("button", { name: /^End the session/ });
    await expect.poll(() => ends.count(), { timeout: 20_000 }).toBe(left);
    await ends.first().click();
  }
  await there.page.getByRole("heading", { name: "Good to see you" }).waitFor();
  await there.page.getByText("Your session has ended.").waitFor();
  await there.page.getByLabel("Username").fill(person.username);
  await there.page.getByLabel("Password", { exact: true }).fill(person.password);
  await there.page.keyboard.press("Enter");
  await there.page.getByRole("heading", { name: "Look and language", level: 1 }).waitFor();
  for (const { context } of [here, there]) await context.close();
});
