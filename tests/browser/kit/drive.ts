import type { Locator, Page } from "playwright-core";

/** Where one writes, in either language. */
export function composer(page: Page): Locator {
  return page.getByRole("textbox", { name: /^(Écris (dans|à)|Write (in|to)) / });
}

/** A message in the list, by some of its text. */
export function message(page: Page, text: string): Locator {
  return page.locator("article.message", { hasText: text });
}

/** A message that the server has: it stands at full strength. */
export function stored(page: Page, text: string): Locator {
  return page.locator('article.message[data-unsure="false"][data-failed="false"]', { hasText: text });
}

/** Writes and sends. */
export async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await composer(page).press("Enter");
}

/** Opens a channel and waits until its messages stand. */
export async function openChannel(page: Page, url: string, serverId: string, channelId: string): Promise<void> {
  await page.goto(`${url}/s/${serverId}/c/${channelId}`);
  await page.locator(".messages[aria-busy=false]").waitFor();
}

/** What did not come is told with what stands there instead. */
async function telling(page: Page, wanted: string, wait: () => Promise<void>): Promise<void> {
  try {
    await wait();
  } catch (cause) {
    const shown = await page.locator("body").innerText();
    throw new Error(`no ${wanted} at ${page.url()}, but: ${shown.slice(0, 500)}`, { cause });
  }
}

/** Waits until the page has gone to an address by itself. */
export function arrive(page: Page, address: string): Promise<void> {
  return telling(page, address, () => page.waitForURL(address));
}

/** Goes to an address and waits until its view has its heading and nothing on the page is on its way, both at once. */
export async function visit(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await telling(page, `view of ${address}`, async () => {
    await page.waitForFunction(() => {
      const shown = (selector: string) =>
        [...document.querySelectorAll(selector)].some((node) => node.checkVisibility());
      return shown(":is(main, [role=main]) h1") && !shown("[aria-busy=true]");
    });
  });
}

/** Fills in the registration page that is open, in French. */
export async function registerHere(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel("Nom d'utilisateur").fill(username);
  await page.getByLabel("Mot de passe", { exact: true }).fill(password);
  await page.getByLabel("Mot de passe", { exact: true }).press("Enter");
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
