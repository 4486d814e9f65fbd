import type { Page } from "playwright-core";
import { begin, settled } from "../../tests/browser/kit/direct.ts";
import { message, say, stored } from "../../tests/browser/kit/drive.ts";
import { seedGang } from "../../tests/browser/kit/seed.ts";
import { connect } from "../../tests/flows/kit/connection.ts";
import { launchChromium } from "../../tools/chromium.ts";
import { createProfile, type Profile } from "./profile.ts";

/** Two people: one is away, the other writes to them, in their conversation and in a channel. */
export interface Friends {
  /** Of the one who is away. Both pages have been open there before. */
  readonly profile: Profile;
  readonly conversation: string;
  readonly channel: string;
  /** Writes that many messages in the conversation; answers the last one's end, which stands nowhere else. */
  readonly write: (count: number) => Promise<string>;
  readonly writeInChannel: (count: number) => Promise<string>;
  readonly close: () => Promise<void>;
}

/** What people write: half of it has no markup. */
const lines = [
  "On se retrouve à **19 h** devant le cinéma, celui de la rue des Tanneurs, pas l'autre",
  "D'accord !",
  "Regarde ça : https://example.org/un/lien/assez/long?x=1 et dis-moi, c'est pour samedi",
  "- pain\n- fromage\n- *olives*",
  "ok ||surprise|| 😀",
  "Je serai en retard de dix minutes, le tram est encore arrêté entre deux stations, commencez à manger",
  "Pas de souci, on garde une place",
  "C'était super, merci pour tout, et bonne nuit",
];
/** Of one person, so that none of them meets the flood limit. */
const connections = 20;

export async function makeFriends(url: string): Promise<Friends> {
  const gang = await seedGang({ url, people: ["Ana", "Léo"] });
  const [leo = gang.owner] = gang.others;
  const channel = `${url}/s/${gang.server.id}/c/${gang.channel.id}`;
  const browser = await launchChromium();
  const profile = createProfile();
  let written = 0;

  function next(count: number): readonly string[] {
    return Array.from({ length: count }, () => {
      written += 1;
      return `${lines[written % lines.length]} n°${written}.`;
    });
  }

  const ana = await settled(browser, url, gang.owner);
  await profile.use(async (page, context) => {
    const { username, password } = leo;
    await context.request.post(`${url}/api/auth/login`, { data: { username, password } });
    await page.goto(`${url}/settings/devices`);
    await page.locator(".section-row strong").waitFor();
    await begin(ana.page, url, ["Léo"]);
    await say(ana.page, "Te voilà");
    await stored(ana.page, "Te voilà").waitFor();
    await page.goto(ana.page.url());
    await message(page, "Te voilà").waitFor();
    await page.goto(channel);
    await page.locator(".messages[aria-busy=false]").waitFor();
  });

  return {
    profile,
    channel,
    conversation: ana.page.url(),
    async write(count) {
      await typeAll(ana.page, next(count));
      await stored(ana.page, `n°${written}.`).waitFor({ timeout: 0 });
      return `n°${written}.`;
    },
    async writeInChannel(count) {
      const all = await Promise.all(Array.from({ length: connections }, () => connect({ url }, gang.owner)));
      for (const [index, content] of next(count).entries()) {
        const nonce = crypto.randomUUID();
        await all[index % connections]?.must("message:send", { channelId: gang.channel.id, content, nonce });
      }
      for (const connection of all) connection.close();
      return `n°${written}.`;
    },
    async close() {
      await browser.close();
      profile.remove();
    },
  };
}

/** Types and sends, as fast as the page takes it. */
async function typeAll(page: Page, texts: readonly string[]): Promise<void> {
  await page.evaluate(async (all) => {
    const field = document.querySelector<HTMLTextAreaElement>(".composer textarea");
    const send = document.querySelector<HTMLButtonElement>(".composer-line button");
    if (field === null || send === null) throw new Error("there is no place to write");
    const turn = () =>
      new Promise((resolve) => {
        setTimeout(resolve);
      });
    for (const text of all) {
      field.value = text;
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      while (send.disabled) await turn();
      send.click();
      while (field.value !== "") await turn();
    }
  }, texts);
}
