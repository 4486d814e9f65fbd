import type { Browser, BrowserContext, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { begin, dmRow, settled } from "../browser/kit/direct.ts";
import { composer, message, stored } from "../browser/kit/drive.ts";
import { seedGang } from "../browser/kit/seed.ts";
import type { Visitor } from "../browser/kit/visitor.ts";
import { askDevice, keysWorker } from "./kit/device.ts";
import { bodiesByKey, isSent } from "./kit/once.ts";
import { record, type Recorder } from "./kit/recorder.ts";

let recorder: Recorder;
let browser: Browser;
let chloe: Visitor;
let leo: Visitor;
beforeAll(async () => {
  recorder = await record(inject("stack").url);
  browser = await launchChromium();
  const gang = await seedGang({ url: recorder.url, people: ["Chloé", "Léo"] });
  const [other = gang.owner] = gang.others;
  chloe = await settled(browser, recorder.url, gang.owner);
  leo = await settled(browser, recorder.url, other);
});
afterAll(async () => {
  await browser.close();
  await recorder.close();
});

interface Tab {
  readonly page: Page;
  readonly devtools: CDPSession;
}

/** Writes and sends `text`, and answers at the moment at which the tab is killed. */
type Moment = (tab: Tab, text: string) => Promise<void>;

const MOMENTS: Readonly<Record<string, Moment>> = {
  async "before the device has it"({ page }, text) {
    await typed(page, text);
    await stop(page);
    await enter(page);
    expect(await padKeys(page)).toContainEqual(expect.stringMatching(/:unkept:/));
  },
  async "at once"({ page }, text) {
    await typed(page, text);
    await enter(page);
  },
  async "when it stands as pending"({ page }, text) {
    await typed(page, text);
    await enter(page);
    await message(page, text).waitFor();
  },
  async "when it is on the wire"({ page }, text) {
    const sent = recorder.next(isSent);
    await composer(page).fill(text);
    await enter(page);
    await sent;
  },
  async "when the server has answered"({ page }, text) {
    const sent = recorder.next(isSent).then((frame) => {
      const id = /^42(\d+)/.exec(frame.text)?.[1] ?? "";
      return recorder.next(({ side, socket, text: said }) => {
        return side === "server" && socket === frame.socket && said.startsWith(`43${id}[`);
      });
    });
    await composer(page).fill(text);
    await enter(page);
    await sent;
  },
  async "while the next one is typed"({ page }, text) {
    await composer(page).fill(text);
    await enter(page);
    await stored(page, text).waitFor();
    await composer(page).pressSequentially("et la sui");
  },
};
const KILLS = 50;

test(
  `[PP4] a tab that is killed ${KILLS} times while it sends loses nothing, doubles nothing, keeps the order and uses no key twice`,
  { timeout: 600_000 },
  async () => {
    await begin(chloe.page, recorder.url, ["Léo"]);
    const address = chloe.page.url();
    await chloe.page.close();
    await leo.page.goto(`${recorder.url}/dm/new`);
    await dmRow(leo.page, "Chloé").click();

    const written: string[] = [];
    while (written.length < KILLS) {
      for (const [name, moment] of Object.entries(MOMENTS).slice(0, KILLS - written.length)) {
        // The time stands before it, whose last figure is not to be taken for one of the number.
        const text = `(${written.length}) ${name}`;
        written.push(text);
        const tab = await openTab(chloe.context, address);
        await moment(tab, text);
        await kill(tab);
      }
    }

    const { page } = await openTab(chloe.context, address);
    await expect.poll(() => history(leo.page), { timeout: 30_000 }).toEqual(written);
    await expect.poll(() => history(page), { timeout: 30_000 }).toEqual(written);
    expect(await askDevice(page, "dm:pending", {})).toEqual([]);
    expect(await padKeys(page)).not.toContainEqual(expect.stringMatching(/:unkept:/));
    await message(leo.page, written.at(-1) ?? "").waitFor();

    const byKey = bodiesByKey(recorder.frames);
    expect(byKey.size).toBeGreaterThanOrEqual(written.length);
    expect([...byKey].filter(([, bodies]) => bodies.size > 1)).toEqual([]);
    const sent = recorder.frames.filter(isSent).length;
    console.log(`${written.length} messages, sent ${sent} times, ${byKey.size} keys`);
    expect(leo.faults).toEqual([]);
  },
);

async function openTab(context: BrowserContext, address: string): Promise<Tab> {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await page.goto(address);
  await composer(page).waitFor();
  return { page, devtools };
}

/** The process of the page is gone with everything in it, as when the machine runs out of memory. */
async function kill({ page, devtools }: Tab): Promise<void> {
  const crashed = page.waitForEvent("crash");
  // It has nobody left to answer.
  devtools.send("Page.crash").catch(() => undefined);
  await crashed;
  await page.close();
}

async function enter(page: Page): Promise<void> {
  await page.keyboard.press("Enter");
}

async function padKeys(page: Page): Promise<string[]> {
  return await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("lescopains:pad:")));
}

/** Typed, and the draft is on the pad: so that is open. */
async function typed(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await page.waitForFunction(() => Object.keys(localStorage).some((key) => /^lescopains:pad:.*:draft:/.test(key)));
}

/** The worker that holds the keys does nothing more. */
async function stop(page: Page): Promise<void> {
  await page.evaluate(() => {
    const stopped = new BroadcastChannel("stopped");
    Object.assign(globalThis, {
      stopped: new Promise((resolve) => stopped.addEventListener("message", resolve, { once: true })),
    });
  });
  const worker = await keysWorker(page);
  worker
    .evaluate(() => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a BroadcastChannel has none
      new BroadcastChannel("stopped").postMessage(null);
      for (;;);
    })
    .catch(() => undefined);
  await page.evaluate(async () => void (await (globalThis as { stopped?: Promise<unknown> }).stopped));
}

async function history(page: Page): Promise<string[]> {
  const states = await askDevice(page, "dm:states", {});
  const [state] = states;
  if (state === undefined) return [];
  const { messages } = await askDevice(page, "dm:history", { channelId: state.channelId, limit: 100 });
  return messages.map(({ content }) => content);
}
