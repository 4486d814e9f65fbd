import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { begin, dmRow, makeRecoveryKey, recovered, settled } from "../browser/kit/direct.ts";
import { composer, message, openChannel, say, stored } from "../browser/kit/drive.ts";
import { type Gang, seedGang } from "../browser/kit/seed.ts";
import type { Visitor } from "../browser/kit/visitor.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { askDevice } from "./kit/device.ts";
import { placesOf } from "./kit/places.ts";
import { record, type Recorder } from "./kit/recorder.ts";
import { search } from "./kit/search.ts";

const CANARIES = {
  text: "canari-7f3a",
  edit: "canari-corrige-18d2",
  reply: "canari-reponse-b40c",
  group: "canari-groupe-5e97",
  /** Two people hand in hand, of two colours: 26 bytes that stand nowhere by chance. */
  reaction: "🧑🏽‍🤝‍🧑🏻",
  draft: "canari-brouillon-92ef",
} as const;
/** Said in a channel of a server, which is not encrypted. */
const CONTROL = "temoin-3b8e";

let place: Place;
let recorder: Recorder;
let browser: Browser;
let gang: Gang;
let chloe: Visitor;
let leo: Visitor;
beforeAll(async () => {
  place = await startPlace();
  recorder = await record(place.url);
  browser = await launchChromium();
  gang = await seedGang({ url: recorder.url, people: ["Chloé", "Léo", "Samira"] });
  const [leoHere = gang.owner, samiraHere = gang.owner] = gang.others;
  chloe = await settled(browser, recorder.url, gang.owner);
  leo = await settled(browser, recorder.url, leoHere);
  await (await settled(browser, recorder.url, samiraHere)).context.close();
});
afterAll(async () => {
  await browser.close();
  await recorder.close();
  await place.stop();
});

test("[PP1] words of direct messages are on the screens of those they are for, and nowhere on the server or its wire", async () => {
  const { url } = recorder;
  await begin(chloe.page, url, ["Léo"]);
  await say(chloe.page, CANARIES.text);
  await leo.page.goto(`${url}/dm/new`);
  await dmRow(leo.page, "Chloé").click();
  await message(leo.page, CANARIES.text).waitFor();
  await message(leo.page, CANARIES.text).hover();
  await leo.page.getByRole("button", { name: /^Répondre/ }).click();
  await say(leo.page, CANARIES.reply);
  await message(chloe.page, CANARIES.reply).waitFor();
  await react(chloe.page, CANARIES.reply, CANARIES.reaction);
  await expect
    .poll(async () => await reactionsOn(leo.page, CANARIES.reply), { timeout: 20_000 })
    .toEqual([CANARIES.reaction]);
  await edit(chloe.page, CANARIES.edit);
  await message(leo.page, CANARIES.edit).first().waitFor();

  await begin(chloe.page, url, ["Léo", "Samira"]);
  await say(chloe.page, CANARIES.group);
  await dmRow(leo.page, "Chloé et Samira").click();
  await message(leo.page, CANARIES.group).waitFor();
  await composer(leo.page).fill(CANARIES.draft);

  // The vault has all of it: a new browser with the recovery key reads it when no other one is there.
  const recoveryKey = await makeRecoveryKey(chloe.page, url);
  await chloe.page.getByText(/Dernière sauvegarde/).waitFor();
  await expect.poll(async () => await unsaved(chloe.page), { timeout: 30_000 }).toBe(0);
  await chloe.context.close();
  const restored = await recovered(browser, url, gang.owner, recoveryKey);
  await dmRow(restored.page, "Léo et Samira").click();
  await message(restored.page, CANARIES.group).waitFor();
  await dmRow(restored.page, "Léo").last().click();
  await message(restored.page, CANARIES.edit).first().waitFor();

  await openChannel(restored.page, url, gang.server.id, gang.channel.id);
  await say(restored.page, CONTROL);
  await stored(restored.page, CONTROL).waitFor();
  await openChannel(leo.page, url, gang.server.id, gang.channel.id);
  await message(leo.page, CONTROL).waitFor();
  const vault = await place.sql.query<{ count: string }>("SELECT count(*) FROM vault_records");
  expect(Number(vault.rows[0]?.count)).toBeGreaterThan(2);

  const wire = Buffer.concat(recorder.bytes());
  const places = await placesOf(place);
  const everywhere = { ...places, wire };
  // What is looked for would be found: the control, and the number of an account where words are not to be.
  for (const where of ["rows", "database", "wire"] as const) {
    expect(search(everywhere[where], [CONTROL]), where).toContain(`${CONTROL} as utf-8`);
  }
  expect(search(places.logs, [gang.owner.id])).not.toEqual([]);
  expect(places.actors.includes("SQLite format 3")).toBe(true);
  for (const side of ["page", "server"] as const) {
    const socket = Buffer.from(
      recorder.frames.flatMap((frame) => (frame.side === side ? [frame.text] : [])).join("\n"),
    );
    expect(search(socket, [CONTROL]), side).toContain(`${CONTROL} as utf-8`);
  }
  const sizes = Object.entries(everywhere).map(([where, bytes]) => `${where} ${Math.ceil(bytes.length / 1024)} kB`);
  console.log(`searched: ${sizes.join(", ")}`);
  for (const [where, bytes] of Object.entries(everywhere)) {
    expect(search(bytes, Object.values(CANARIES)), where).toEqual([]);
  }
  expect(search(places.logs, [CONTROL])).toEqual([]);
  for (const { faults } of [leo, restored]) expect(faults).toEqual([]);
});

/** Changes the last message that was written here. */
async function edit(page: Page, text: string): Promise<void> {
  await composer(page).press("ArrowUp");
  await page.getByRole("textbox", { name: "Modifier le message" }).fill(text);
  await page.keyboard.press("Enter");
}

async function found(page: Page, text: string) {
  for (const { channelId } of await askDevice(page, "dm:states", {})) {
    const { messages } = await askDevice(page, "dm:history", { channelId, limit: 100 });
    const one = messages.find(({ content }) => content === text);
    if (one !== undefined) return one;
  }
  throw new Error(`nothing says ${text}`);
}

/** There is no button for it yet: the device itself is asked. */
async function react(page: Page, text: string, emoji: string): Promise<void> {
  const { channelId, id } = await found(page, text);
  const content = { kind: "reaction", messageId: id, emoji, on: true } as const;
  await askDevice(page, "dm:send", { channelId, nonce: crypto.randomUUID(), content });
}

async function reactionsOn(page: Page, text: string): Promise<string[]> {
  return (await found(page, text)).reactions.map(({ emoji }) => emoji);
}

async function unsaved(page: Page): Promise<number> {
  const state = await askDevice(page, "vault:state", {});
  return state.kind === "on" ? state.waiting : Infinity;
}
