import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { operatorLink } from "../../tools/stack/operator-link.ts";
import { freshName, register, textChannel } from "../flows/kit/people.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { granted } from "../flows/kit/rest.ts";
import { violations } from "./kit/axe.ts";
import { arrive, message, openChannel, registerHere, say, stored, visit } from "./kit/drive.ts";
import { PHONE, signIn, visitor } from "./kit/visitor.ts";

let browser: Browser;
let place: Place;
beforeAll(async () => {
  // The budget of requests is the one that people get.
  [browser, place] = await Promise.all([launchChromium(), startPlace({ REST_LIMIT: "" })]);
});
afterAll(async () => {
  await browser.close();
  await place.stop();
});

const PASSWORD = "une phrase que je retiens";
const PAGES = ["people", "door", "nodes", "health", "log"] as const;

/** What the page asks of REST, and what was refused for the number of requests. */
function watch(page: Page): { asked: number; refused: string[] } {
  const seen = { asked: 0, refused: [] as string[] };
  page.on("response", (response) => {
    if (!new URL(response.url()).pathname.startsWith("/api/")) return;
    seen.asked += 1;
    if (response.status() === 429) seen.refused.push(response.url());
  });
  return seen;
}

test("[OPW4] an operator's day: the link, the place made theirs, an invite, a friend who comes by it, and is out at once", async () => {
  const { url } = place;
  const path = (await operatorLink(place.stack.databaseUrl)) ?? "";
  await place.sql.query("UPDATE instance SET registration = 'closed'");
  const ada = await visitor(browser);
  const { page } = ada;
  const asked = watch(page);

  // The link leads through registration, which is closed to others, and back.
  await page.goto(`${url}${path}`);
  await page.getByRole("heading", { name: "Ce lieu est à toi" }).waitFor();
  expect(page.url(), "the secret is out of the address").toBe(`${url}/operator/claim`);
  expect(await violations(page)).toEqual([]);
  await page.getByRole("link", { name: "Crée ton compte" }).click();
  const name = freshName("ada");
  await registerHere(page, name, PASSWORD);
  await page.getByRole("button", { name: `Gérer en tant que ${name}` }).click();
  await arrive(page, `${url}/operator`);

  // Who may come in: those who hold an invite.
  await page.getByRole("link", { name: "Qui peut entrer" }).click();
  await page.getByRole("radio", { name: "Qui a une invitation" }).check();
  await page.getByText("C'est enregistré.").waitFor();
  await page.getByRole("button", { name: "Créer un lien" }).click();
  const link = await page.getByLabel("Lien à envoyer").inputValue();
  expect(link).toMatch(new RegExp(`^${url}/register\\?invite=\\w{10}$`));

  // A stranger is asked for an invite; the friend's link brings it.
  const bob = await visitor(browser);
  await bob.page.goto(`${url}/register`);
  await bob.page.getByLabel("Invitation").fill("abcDEF1234");
  await registerHere(bob.page, freshName("bob"), PASSWORD);
  await bob.page.getByText("Cette invitation ne marche plus").waitFor();
  expect(await violations(bob.page)).toEqual([]);
  await bob.page.goto(link);
  const friend = freshName("bob");
  await registerHere(bob.page, friend, PASSWORD);
  await bob.page.waitForURL(`${url}/`);

  // The friend is found, disabled, and out.
  await page.getByRole("link", { name: "Les gens" }).click();
  await page.getByLabel("Trouver quelqu'un").fill(friend);
  await page.getByRole("button", { name: `Ouvrir ${friend}` }).click();
  await page.getByRole("button", { name: "Désactiver le compte" }).click();
  const sure = page.getByRole("dialog", { name: `Désactiver le compte de ${friend}` });
  await sure.waitFor();
  expect(await violations(page)).toEqual([]);
  await sure.getByRole("button", { name: "Désactiver le compte" }).click();
  await bob.page.waitForURL(/\/login/);
  await bob.page.getByLabel("Nom d'utilisateur").fill(friend);
  await bob.page.getByLabel("Mot de passe", { exact: true }).fill(PASSWORD);
  await bob.page.getByLabel("Mot de passe", { exact: true }).press("Enter");
  await bob.page.getByText("Ce compte a été désactivé").waitFor();

  // Back again, and all of it stands in the log.
  await page.getByRole("button", { name: "Réactiver le compte" }).click();
  await page.getByRole("button", { name: "Désactiver le compte" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "Ce qui a été fait" }).click();
  await page.getByText(`${name} a réactivé le compte`).waitFor();
  await page.getByText(`${name} a pris la gestion du lieu`).waitFor();

  for (const each of PAGES) {
    await visit(page, `${url}/operator/${each}`);
    expect(await violations(page), each).toEqual([]);
  }
  expect(asked.refused).toEqual([]);
  expect([...ada.faults, ...bob.faults]).toEqual([]);

  // On a phone, in English and in the dark; nothing is wider than the screen.
  const phone = await visitor(browser, { ...PHONE, tongue: "en-GB", colorScheme: "dark" });
  await signIn(phone, url, { username: name, password: PASSWORD });
  await visit(phone.page, `${url}/operator`);
  await phone.page.getByRole("heading", { name: "Running this place", level: 1 }).waitFor();
  for (const each of ["people", "door", "health"] as const) {
    await visit(phone.page, `${url}/operator/${each}`);
    expect(await violations(phone.page), each).toEqual([]);
    const overflow = await phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow, each).toBeLessThanOrEqual(0);
  }
  expect(phone.faults).toEqual([]);

  // For anybody else there is nothing here.
  await signIn(bob, url, { username: friend, password: PASSWORD });
  await bob.page.goto(`${url}/operator`);
  await bob.page.getByRole("heading", { name: "Il n'y a rien ici" }).waitFor();
});

test("[LIMIT11] a client with 100 servers that starts, scrolls through history and starts again stays within its budget", async () => {
  const { url, sql } = place;
  await sql.query("UPDATE instance SET registration = 'open'");
  const person = await register(place);
  const server = await granted(url, "createServer", { token: person.token, body: { name: "La bande" } });
  // 99 further ones, as if friends had invited.
  await sql.query(
    `WITH s AS (
       INSERT INTO servers (id, name, owner_id) SELECT gen_random_uuid(), 'Serveur ' || n, $1 FROM generate_series(1, 99) AS n RETURNING id
     ), r AS (
       INSERT INTO roles (id, server_id, name, permissions, position, is_default)
       SELECT gen_random_uuid(), s.id, 'everyone', r.permissions, 0, true FROM s, roles r WHERE r.server_id = $2 AND r.is_default
     ), c AS (
       INSERT INTO channels (id, server_id, name, type) SELECT gen_random_uuid(), id, 'general', 'text' FROM s
     )
     INSERT INTO server_members (server_id, user_id) SELECT id, $1 FROM s`,
    [person.id, server.id],
  );
  const channel = textChannel(server);
  await sql.query(
    `INSERT INTO messages (id, channel_id, seq, changed_seq, author_id, nonce, content)
     SELECT gen_random_uuid(), $1, n, n, $2, 'filled ' || n, 'message ' || n FROM generate_series(1::bigint, 5000) AS n`,
    [channel.id, person.id],
  );
  await sql.query("UPDATE channels SET last_seq = 5000 WHERE id = $1", [channel.id]);
  const reader = await visitor(browser);
  const { page } = reader;
  const seen = watch(page);
  await signIn(reader, url, person);
  await openChannel(page, url, server.id, channel.id);
  await message(page, "message 5000").waitFor();
  await say(page, "me voilà");
  await stored(page, "me voilà").waitFor();
  const start = seen.asked;

  // Up the history, as fast as pages come.
  for (let oldest = 5000; oldest > 3000;) {
    await page.evaluate(() => document.querySelector(".messages")?.scrollTo({ top: 0 }));
    const older = await page.waitForFunction((before) => {
      const drawn = document.querySelector(".messages")?.textContent.matchAll(/message (\d+)/g) ?? [];
      const first = Math.min(...drawn.map(([, n]) => Number(n)));
      return first < before && first;
    }, oldest);
    oldest = Number(await older.jsonValue());
  }
  const scrolled = seen.asked - start;
  await page.reload();
  await page.locator("article.message").first().waitFor();
  console.log(`REST requests: ${start} to start, ${scrolled} to scroll past 2,000 messages, ${seen.asked} in all`);
  expect(scrolled).toBeGreaterThanOrEqual(20);
  expect(scrolled).toBeLessThan(30);
  expect(start).toBeLessThan(40);
  expect(seen.refused).toEqual([]);
});
