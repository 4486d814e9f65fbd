/**
 * `npm run screenshots`: pictures of the main views, for the README and for judging by eye, in docs/screens.
 * A LesCopains of its own is filled with a small gang of friends, and photographed by Chromium.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "../../tools/chromium.ts";
import { operatorLink } from "../../tools/stack/operator-link.ts";
import { rootFolder } from "../../tools/stack/root.ts";
import { type Stack, startStack } from "../../tools/stack/stack.ts";
import { connect } from "../flows/kit/connection.ts";
import { granted } from "../flows/kit/rest.ts";
import { type Registered, register } from "../flows/kit/people.ts";
import { begin, makeRecoveryKey, settled } from "./kit/direct.ts";
import { message, openChannel, say } from "./kit/drive.ts";
import { converse, type Gang, seedGang } from "./kit/seed.ts";
import { PHONE, signIn, type Tongue, type Visitor, visitor, WIDE } from "./kit/visitor.ts";
import { caller, control, launchWithDevices, voiceChannel } from "./kit/voice.ts";

const folder = join(rootFolder, "docs", "screens");
const LAST_WORDS = "le train";

interface Scene {
  readonly stack: Stack;
  readonly gang: Gang;
  /** Somebody who has just registered. */
  readonly newcomer: { readonly username: string; readonly password: string };
  /** A place with nobody else in it. */
  readonly empty: Gang;
}

/** Minutes before now at which each line of the conversation was said. */
const SAID: readonly (readonly [speaker: number, minutesAgo: number, content: string])[] = [
  [1, 1_530, "Quelqu'un a le code de la boîte à clés ? Je suis devant la porte avec trois sacs de courses"],
  [0, 1_528, "**4071**. Et il faut tirer en tournant"],
  [1, 1_527, "sauvé, merci"],
  [2, 190, "Bon, ce week-end. Je propose :\n\n- samedi midi chez Noé\n- la rando s'il ne pleut pas\n- sinon _film_"],
  [3, 186, "Chez moi c'est parfait, j'ai retrouvé les clés du barbecue"],
  [3, 185, "Par contre il manque du charbon"],
  [0, 62, "Je m'en occupe. Léo, tu ramènes ta guitare ?"],
  [1, 58, "> tu ramènes ta guitare ?\n\nÉvidemment"],
  [2, 12, "L'itinéraire : https://www.openstreetmap.org/relation/12345 (9 km, 300 m de montée)"],
  [3, 4, "Parfait. Rendez-vous à 9 h 40 pour le train"],
];

/** Who reacted to which line, and with what. */
const REACTED: readonly (readonly [person: number, line: number, emoji: string])[] = [
  [1, 5, "🔥"],
  [0, 5, "🔥"],
  [2, 5, "🔥"],
  [2, 7, "🎸"],
  [0, 7, "🎸"],
  [3, 7, "😂"],
  [0, 9, "👍"],
  [1, 9, "👍"],
];

async function seed(stack: Stack): Promise<Scene> {
  const { url } = stack;
  const gang = await seedGang({
    url,
    name: "La bande du mardi",
    people: ["Chloé Martin", "Léo", "Samira B.", "Noé Le Gall", "Ines"],
  });
  const { owner, server, channel } = gang;
  const people = [owner, ...gang.others];
  const params = { id: server.id };
  for (const [name, type, topic] of [
    ["vacances", "text", "Été : où, quand, qui conduit ?"],
    ["soirée-film", "text", null],
    ["Le salon", "voice", null],
  ] as const) {
    await granted(url, "createChannel", { token: owner.token, params, body: { name, type, topic } });
  }
  const vacances = (await granted(url, "getServer", { token: owner.token, params })).channels.find(
    ({ name }) => name === "vacances",
  );
  await granted(url, "patchChannel", {
    token: owner.token,
    params: { id: channel.id },
    body: { name: "week-end", topic: "Samedi chez Noé, rando si le temps s'y prête" },
  });
  for (const [name, color, permissions] of [
    ["Orga", 0xe2_76_3a, "10240"],
    ["Musique", 0x3f_8f_d6, "0"],
  ] as const) {
    const role = await granted(url, "createRole", { token: owner.token, params, body: { name, color, permissions } });
    const holder = name === "Orga" ? people[2] : people[1];
    if (holder === undefined) continue;
    await granted(url, "patchMember", {
      token: owner.token,
      params: { ...params, userId: holder.id },
      body: { roleIds: [role.id] },
    });
  }
  await converse(
    url,
    channel.id,
    SAID.map(([speaker, , content]) => [people[speaker] ?? owner, content] as const),
  );
  await react(url, channel.id, people);
  if (vacances !== undefined) {
    await converse(url, vacances.id, [
      [people[1] ?? owner, "La Bretagne, ou les Cévennes ?"],
      [people[2] ?? owner, "Les Cévennes !"],
    ]);
  }
  const sql = new Client({ connectionString: stack.databaseUrl });
  await sql.connect();
  for (const [index, [, minutesAgo]] of SAID.entries()) {
    await sql.query(
      `UPDATE messages SET created_at = now() - $3 * interval '1 minute' WHERE channel_id = $1 AND seq = $2`,
      [channel.id, index + 1, minutesAgo],
    );
  }
  await sql.query(
    `INSERT INTO read_marks (user_id, channel_id, seq) VALUES ($1, $2, $3)
     ON CONFLICT (user_id, channel_id) DO UPDATE SET seq = excluded.seq`,
    [owner.id, channel.id, SAID.length + REACTED.length],
  );
  await sql.end();
  const link = await operatorLink(stack.databaseUrl);
  if (link === undefined) throw new Error("the place has no operator yet");
  const secret = new URL(link, url).hash.slice(1);
  await granted(url, "claimInstance", { token: owner.token, body: { secret } });
  return {
    stack,
    gang,
    newcomer: await register({ url }, "camille"),
    empty: await seedGang({ url, name: "Le chalet", people: ["Camille"] }),
  };
}

async function react(url: string, channelId: Gang["channel"]["id"], people: readonly Registered[]): Promise<void> {
  const here = await Promise.all(people.map((person) => connect({ url }, person)));
  const messages = (await here[0]?.must("sync", { channels: { [channelId]: 0 } }))?.channels[channelId]?.messages ?? [];
  for (const [person, line, emoji] of REACTED) {
    const said = messages[line];
    if (said === undefined) throw new Error(`line ${line} was not said`);
    await here[person]?.must("reaction:add", { channelId, messageId: said.id, emoji });
  }
  for (const connection of here) connection.close();
}

/** Some of the gang are here while the pictures are taken, each in their own way. */
async function gather({ stack, gang }: Scene) {
  const [leo, samira, noe] = gang.others;
  const present = [
    { person: leo, status: "online", customStatus: "répète avec le groupe" },
    { person: samira, status: "idle", customStatus: null },
    { person: noe, status: "dnd", customStatus: null },
  ] as const;
  return Promise.all(
    present.map(async ({ person = gang.owner, status, customStatus }) => {
      const connection = await connect({ url: stack.url }, person);
      await connection.must("presence:set", { status, customStatus });
      return connection;
    }),
  );
}

interface Look {
  /** How the file is called: `channel-wide-light-fr.png`. */
  readonly name: string;
  readonly tongue: Tongue;
  readonly options: BrowserContextOptions;
}

/** Waits until nothing moves or loads, then takes the picture. */
async function take(page: Page, view: string, look: Look): Promise<void> {
  await page.evaluate(() => document.fonts.ready);
  await page.waitForFunction(() => document.getAnimations().every(({ playState }) => playState !== "running"));
  await page.screenshot({ path: join(folder, `${view}-${look.name}.png`), scale: "css" });
}

async function photograph(browser: Browser, scene: Scene, look: Look): Promise<void> {
  const { url } = scene.stack;
  const { server, channel, owner } = scene.gang;
  const fresh = () => visitor(browser, { ...look.options, tongue: look.tongue, reducedMotion: "reduce" });
  const phone = look.options.isMobile === true;

  const guest = await fresh();
  await guest.page.goto(`${url}/login`);
  await guest.page.locator("form").waitFor();
  await guest.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await take(guest.page, "login", look);
  await guest.context.close();

  const newcomer = await fresh();
  await signIn(newcomer, url, scene.newcomer);
  await newcomer.page.goto(url);
  await newcomer.page.locator(".new").waitFor();
  await take(newcomer.page, "first-steps", look);
  await newcomer.context.close();

  const alone = await fresh();
  await signIn(alone, url, scene.empty.owner);
  await openChannel(alone.page, url, scene.empty.server.id, scene.empty.channel.id);
  if (!phone) await alone.page.locator(".members-note").waitFor();
  await take(alone.page, "empty", look);
  await alone.context.close();

  const person = await fresh();
  const { page } = person;
  await signIn(person, url, owner);
  if (phone) {
    await page.goto(`${url}/s/${server.id}`);
    await page.locator(".channel-count").waitFor();
    await take(page, "list", look);
  }
  await openChannel(page, url, server.id, channel.id);
  await message(page, LAST_WORDS).waitFor();
  await page.waitForFunction(
    () => ![...document.querySelectorAll(".message-author")].some((author) => author.textContent === "…"),
  );
  if (!phone) await page.locator(".members-group").nth(1).waitFor();
  await take(page, "channel", look);
  await message(page, LAST_WORDS).getByRole("list").getByRole("button").last().click();
  await page.locator(".emoji-section").nth(2).waitFor();
  await take(page, "reactions", look);
  await page.keyboard.press("Escape");
  if (phone) {
    await page.goto(`${url}/s/${server.id}/c/${channel.id}/members`);
    await page.locator(".members-group").nth(1).waitFor();
    await take(page, "members", look);
  } else {
    await page.locator(".place-button").click();
    await page.getByRole("menuitem").first().click();
    await page.locator(".invite-row").first().waitFor();
    await take(page, "invite", look);
    await page.goto(`${url}/s/${server.id}/settings/roles`);
    await page.locator(".role summary").first().click();
    await page.locator(".role-body").waitFor();
    await take(page, "roles", look);
  }
  await page.goto(`${url}/settings/appearance`);
  await page.locator(".range").waitFor();
  await take(page, "settings", look);
  await page.goto(`${url}/operator/people`);
  await page.locator(".section-row").nth(2).waitFor();
  await take(page, "operator", look);
  await person.context.close();
}

/** What the two say to each other, where nobody else reads. */
const SAID_IN_PRIVATE: readonly (readonly ["chloe" | "leo", string])[] = [
  ["leo", "Coucou ! Tu as deux minutes ?"],
  ["chloe", "Toujours"],
  ["leo", "C'est pour l'anniversaire de Samira. **Pas un mot sur le salon !**"],
  ["chloe", "Promis. On se cotise pour la guitare ?"],
  ["leo", "Oui ! J'en ai vu une à 240 €, on est six, ça fait 40 chacun"],
  ["leo", "Je passe la prendre jeudi"],
];

/**
 * Direct messages live in the browser that reads them, so one browser is photographed in every look: its size, colours
 * and language change instead of the browser.
 */
async function photographDirect(browser: Browser, { stack: { url }, gang }: Scene): Promise<void> {
  const [leoHere = gang.owner, samira = gang.owner] = gang.others;
  const chloe = await settled(browser, url, gang.owner, { reducedMotion: "reduce" });
  const leo = await settled(browser, url, leoHere);
  const other = await settled(browser, url, samira);
  await begin(chloe.page, url, ["Samira"]);
  await say(chloe.page, "Tu viens samedi ?");
  await begin(chloe.page, url, ["Samira", "Noé", "Léo"]);
  await say(chloe.page, "Covoiturage : qui a de la place ?");
  await begin(chloe.page, url, ["Léo"]);
  await begin(leo.page, url, ["Chloé"]);
  for (const [speaker, text] of SAID_IN_PRIVATE) {
    const [from, to] = speaker === "chloe" ? [chloe, leo] : [leo, chloe];
    await say(from.page, text);
    await message(to.page, text.replaceAll("*", "")).waitFor();
  }
  await message(chloe.page, "Pas un mot").hover();
  await chloe.page.getByRole("toolbar").getByRole("button", { name: "Plus" }).click();
  await chloe.page.getByRole("menuitemcheckbox", { name: "Réagir avec ❤️" }).click();
  await message(leo.page, "Pas un mot").getByRole("list", { name: "Réactions" }).waitFor();
  await leo.page.goto(`${url}/settings/appearance`);
  const { page } = chloe;
  const conversation = page.url();
  await page.getByRole("link", { name: /^Chiffré de bout en bout/ }).click();
  await page.getByRole("button", { name: "Les numéros sont les mêmes" }).click();
  await page.getByRole("button", { name: "Retirer la marque" }).waitFor();
  const safety = page.url();
  await makeRecoveryKey(page, url);

  for (const look of [...LOOKS, ...ENGLISH]) {
    const { viewport, colorScheme } = look.options;
    const phone = look.options.isMobile === true;
    await page.setViewportSize(viewport ?? WIDE);
    await page.emulateMedia({ colorScheme: colorScheme ?? "light", reducedMotion: "reduce" });
    await page.evaluate((language) => localStorage.setItem("lescopains.language", language), look.tongue.slice(0, 2));
    if (phone) {
      await page.goto(`${url}/dm`);
      await page.locator(".dm-row-when:not(:empty)").first().waitFor();
      await take(page, "dm-list", look);
    }
    await page.goto(conversation);
    await message(page, "jeudi").waitFor();
    await take(page, "dm", look);
    await page.goto(safety);
    await page.locator(".qr-code path[d^=M]").waitFor();
    await take(page, "safety", look);
    await page.goto(`${url}/settings/devices`);
    await page.locator(".section-row").waitFor();
    await take(page, "devices", look);
    await page.goto(`${url}/settings/recovery`);
    await page.locator(".notice-positive").waitFor();
    await page.locator(".section .button").first().click();
    await page.locator(".key-groups").waitFor();
    await take(page, "recovery", look);

    // Another browser of the same person, which has no keys yet.
    const fresh = await visitor(browser, { ...look.options, tongue: look.tongue, reducedMotion: "reduce" });
    await signIn(fresh, url, gang.owner);
    await fresh.page.goto(`${url}/dm/new`);
    await fresh.page.locator(".arrive-choice").first().waitFor();
    await take(fresh.page, "arrive", look);
    await fresh.context.close();
  }
  for (const { context } of [chloe, leo, other]) await context.close();
}

const SAID_IN_CALL = "Je coupe mon micro, le chat miaule";

/** A call lives in the browser that is in it: one is photographed in every look, another one in the other language. */
async function photographVoice(url: string): Promise<void> {
  const devices = await launchWithDevices();
  const friends = await seedGang({ url, name: "La bande du mardi", people: ["Chloé Martin", "Léo", "Samira B."] });
  const lounge = await voiceChannel(url, friends);
  await converse(url, lounge.id, [[friends.others[1] ?? friends.owner, SAID_IN_CALL]]);
  const callers: Visitor[] = [];
  for (const [index, person] of [friends.owner, ...friends.others].entries()) {
    const tongue: Tongue = index === 1 ? "en-GB" : "fr-FR";
    const one = await caller(devices, url, person, { reducedMotion: "reduce", tongue });
    await one.page.goto(`${url}/s/${friends.server.id}/c/${lounge.id}`);
    await one.page.getByRole("button", { name: /^(Rejoindre|Join)$/ }).click();
    await one.page.locator('.dock-status[data-kind="joined"]').waitFor({ timeout: 60_000 });
    callers.push(one);
  }
  const [chloe, leo, samira] = callers;
  if (chloe === undefined || leo === undefined || samira === undefined) throw new Error("a call of three");
  await control(samira.page, "Couper ton micro").click();
  for (const { page } of [chloe, leo]) await page.locator(".tile .marks svg").first().waitFor();
  for (const look of [...LOOKS, ...ENGLISH]) {
    const { page } = look.tongue === "fr-FR" ? chloe : leo;
    const { viewport, colorScheme } = look.options;
    await page.setViewportSize(viewport ?? WIDE);
    await page.emulateMedia({ colorScheme: colorScheme ?? "light", reducedMotion: "reduce" });
    await page.locator('.tile[data-speaking="true"]').first().waitFor();
    await page.mouse.move(2, 2);
    await take(page, "voice", look);
    if (look.options.isMobile === true) {
      await page.getByRole("button", { name: /^(Afficher la discussion|Show the chat)$/ }).click();
      await message(page, SAID_IN_CALL).waitFor();
      await page.mouse.move(2, 2);
      await take(page, "voice-chat", look);
      await page.locator(".call-bar a").click();
    } else {
      await page
        .getByRole("button", { name: /^(Réglages de la voix|Voice and video settings)/ })
        .last()
        .click();
      await page.locator(".call-bar").waitFor();
      await page.locator(".range").first().waitFor();
      await page.mouse.move(2, 2);
      await take(page, "voice-settings", look);
      await page.locator(".call-bar a").click();
    }
  }
  await devices.close();
}

const LOOKS: readonly Look[] = (["light", "dark"] as const).flatMap((colorScheme): Look[] => [
  { name: `wide-${colorScheme}-fr`, tongue: "fr-FR", options: { viewport: WIDE, colorScheme } },
  { name: `phone-${colorScheme}-fr`, tongue: "fr-FR", options: { ...PHONE, colorScheme } },
]);
const ENGLISH: readonly Look[] = [
  { name: "wide-light-en", tongue: "en-GB", options: { viewport: WIDE, colorScheme: "light" } },
  { name: "phone-dark-en", tongue: "en-GB", options: { ...PHONE, colorScheme: "dark" } },
];

const dataDir = mkdtempSync(join(tmpdir(), "lescopains-screens-"));
mkdirSync(folder, { recursive: true });
const stack = await startStack({
  dataDir,
  env: { REGISTER_LIMIT: "1000", REST_LIMIT: "1000000", LOGIN_LIMIT: "1000" },
  log: console.log,
  onCrash: console.error,
});
try {
  const scene = await seed(stack);
  const here = await gather(scene);
  const browser = await launchChromium();
  try {
    // First of all: the first browser that somebody signs in with is the one that reads their messages.
    console.log("Taking pictures: direct messages …");
    await photographDirect(browser, scene);
    console.log("Taking pictures: voice …");
    await photographVoice(stack.url);
    for (const look of [...LOOKS, ...ENGLISH]) {
      console.log(`Taking pictures: ${look.name} …`);
      await photograph(browser, scene, look);
    }
  } finally {
    for (const connection of here) connection.close();
    await browser.close();
  }
} finally {
  await stack.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
console.log(`The pictures are in ${folder}`);
