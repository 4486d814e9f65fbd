import type { Channel } from "@lescopains/protocol/entities";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { settled } from "../../tests/browser/kit/direct.ts";
import { seedGang } from "../../tests/browser/kit/seed.ts";
import type { Registered } from "../../tests/flows/kit/people.ts";
import { granted } from "../../tests/flows/kit/rest.ts";
import { launchChromium } from "../../tools/chromium.ts";
import { type CallProbe, watchCall } from "./probes.ts";

/** Two people, each with a Chromium of their own: one speaks and is seen, the other comes and goes. */
export interface Callers {
  readonly speaker: Page;
  readonly guest: Page;
  /** Opens the room's page anew, and waits until it has come to rest. */
  readonly open: (page: Page) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Wide enough that a camera which is made large is wanted in 720p. */
const viewport = { width: 1_600, height: 900 };
const patienceMs = 90_000;

async function launch(): Promise<Browser> {
  return launchChromium({
    args: [
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--autoplay-policy=no-user-gesture-required",
      // The direct connection's ends find each other by address: names in the local network need a resolver.
      "--disable-features=WebRtcHideLocalIpsWithMdns",
    ],
  });
}

async function enter(
  browser: Browser,
  url: string,
  person: Registered,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const { page, context } = await settled(browser, url, person, { viewport, ...options });
  page.setDefaultTimeout(patienceMs);
  await context.addInitScript(watchCall);
  return page;
}

export async function makeCallers(url: string): Promise<Callers> {
  const { owner, others, server } = await seedGang({ url, people: ["Ana", "Léo"] });
  const [leo = owner] = others;
  const channel: Channel = await granted(url, "createChannel", {
    token: owner.token,
    params: { id: server.id },
    body: { name: "salon", type: "voice", topic: null },
  });
  const browsers = [await launch(), await launch()] as const;
  const speaker = await enter(browsers[0], url, owner);
  // What she says is two tones, which the filter takes for noise.
  await speaker.evaluate(() => localStorage.setItem("lescopains.voice", JSON.stringify({ noise: "off" })));
  const guest = await enter(browsers[1], url, leo);
  return {
    speaker,
    guest,
    async open(page) {
      await page.goto(`${url}/s/${server.id}/c/${channel.id}`, { waitUntil: "networkidle" });
      await door(page).waitFor();
    },
    async close() {
      for (const browser of browsers) await browser.close();
    },
  };
}

function door(page: Page): Locator {
  return page.getByRole("button", { name: "Rejoindre", exact: true });
}

function control(page: Page, name: string): Locator {
  return page.locator(".controls-stage").getByRole("button", { name });
}

export async function comeIn(page: Page): Promise<void> {
  await door(page).click();
  await page.locator('.dock-status[data-kind="joined"]').waitFor();
}

export async function showCamera(page: Page): Promise<void> {
  await control(page, "Allumer ta caméra").click();
}

export async function leave(page: Page): Promise<void> {
  await control(page, "Quitter").click();
  await door(page).waitFor();
}

/** Makes the speaker's picture large, and waits until it comes in all its lines. */
export async function enlarge(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Agrandir Ana/ }).click();
  await seesWell(page);
}

/** Waits until 720 lines are shown. */
export async function seesWell(page: Page): Promise<void> {
  await page.waitForFunction(() => globalThis.callProbe.seen.at(-1)?.height === 720, undefined, {
    timeout: patienceMs,
  });
}

/** What a page has noted so far. */
export async function noted(page: Page): Promise<Pick<CallProbe, "spoken" | "heard" | "seen" | "clickedMs">> {
  return page.evaluate(() => {
    const { spoken, heard, seen, clickedMs } = globalThis.callProbe;
    return { spoken, heard, seen, clickedMs };
  });
}

export async function connectionCount(page: Page): Promise<number> {
  return page.evaluate(() => globalThis.callProbe.connections.length);
}

/** When the first sound came by a connection that was not among the first `before`. */
export async function firstSound(page: Page, before: number): Promise<number> {
  const handle = await page.waitForFunction(
    (count) => globalThis.callProbe.heard.find(({ connection }) => connection >= count)?.atMs,
    before,
    { timeout: patienceMs, polling: 50 },
  );
  return (await handle.jsonValue()) ?? Number.NaN;
}

/** When the first picture was shown. */
export async function firstPicture(page: Page): Promise<number> {
  const handle = await page.waitForFunction(() => globalThis.callProbe.seen[0]?.atMs, undefined, {
    timeout: patienceMs,
    polling: 50,
  });
  return (await handle.jsonValue()) ?? Number.NaN;
}
