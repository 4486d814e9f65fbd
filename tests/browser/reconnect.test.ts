import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeArchive } from "../../tools/backup/archive.ts";
import { dump } from "../../tools/backup/dump.ts";
import { check, load } from "../../tools/backup/load.ts";
import { migrationsFolder } from "../../tools/backup/place.ts";
import { launchChromium } from "../../tools/chromium.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { violations } from "./kit/axe.ts";
import { begin, dmRow, settled } from "./kit/direct.ts";
import { composer, message, openChannel, say, stored } from "./kit/drive.ts";
import { seedGang } from "./kit/seed.ts";
import { signIn, visitor } from "./kit/visitor.ts";

let browser: Browser;
let place: Place;
beforeAll(async () => {
  [browser, place] = await Promise.all([launchChromium(), startPlace()]);
});
afterAll(async () => {
  await browser.close();
  await place.stop();
});

test("the edge is killed and comes back: nothing is lost, what was written meanwhile is sent once", async () => {
  const { url } = place;
  const gang = await seedGang({ url, people: ["Chloé", "Léo"] });
  const [leoPerson = gang.owner] = gang.others;
  const chloe = await visitor(browser);
  const leo = await visitor(browser);
  await signIn(chloe, url, gang.owner);
  await signIn(leo, url, leoPerson);
  for (const { page } of [chloe, leo]) await openChannel(page, url, gang.server.id, gang.channel.id);
  await say(chloe.page, "avant la coupure");
  await message(leo.page, "avant la coupure").waitFor();

  await place.stack.workerd.kill9();
  await say(chloe.page, "pendant la coupure, un");
  await say(chloe.page, "pendant la coupure, deux");
  await say(leo.page, "moi aussi pendant la coupure");
  // It stands at once, and the line says quietly what is going on; the composer still takes text.
  await chloe.page.locator('article.message[data-unsure="true"]', { hasText: "pendant la coupure, deux" }).waitFor();
  await chloe.page.getByText("Reconnexion…").waitFor();
  await composer(chloe.page).fill("un brouillon");

  await place.stack.workerd.restart();
  for (const { page } of [chloe, leo]) {
    await stored(page, "pendant la coupure, un").waitFor({ timeout: 60_000 });
    await stored(page, "pendant la coupure, deux").waitFor({ timeout: 60_000 });
    await stored(page, "moi aussi pendant la coupure").waitFor({ timeout: 60_000 });
  }
  await chloe.page.getByText("Reconnexion…").waitFor({ state: "detached" });
  expect(await composer(chloe.page).inputValue()).toBe("un brouillon");
  for (const { page } of [chloe, leo]) {
    for (const text of ["avant la coupure", "pendant la coupure, un", "pendant la coupure, deux", "moi aussi"]) {
      expect(await message(page, text).count(), text).toBe(1);
    }
  }

  // A draft outlives the page.
  await chloe.page.reload();
  await expect.poll(() => composer(chloe.page).inputValue(), { timeout: 20_000 }).toBe("un brouillon");
  expect(chloe.faults).toEqual([]);
  expect(leo.faults).toEqual([]);
});

test("what was written without a network is sent after the page was closed and opened again", async () => {
  const { url } = place;
  const gang = await seedGang({ url, people: ["Noé"] });
  const noe = await visitor(browser);
  await signIn(noe, url, gang.owner);
  await openChannel(noe.page, url, gang.server.id, gang.channel.id);
  await composer(noe.page).waitFor();
  await noe.context.setOffline(true);
  await say(noe.page, "écrit sans réseau");
  await message(noe.page, "écrit sans réseau").waitFor();
  await noe.page.close();
  await noe.context.setOffline(false);

  const page = await noe.context.newPage();
  await openChannel(page, url, gang.server.id, gang.channel.id);
  await stored(page, "écrit sans réseau").waitFor();
  expect(await message(page, "écrit sans réseau").count()).toBe(1);
  await noe.context.close();
});

test("[CO13] [EN61] the server is restored from a backup under open pages: what it lost goes, what devices have stays, all goes on, and a line says so", async () => {
  const { url, stack } = place;
  const gang = await seedGang({ url, people: ["Inès", "Karim"] });
  const [karimPerson = gang.owner] = gang.others;
  const ines = await settled(browser, url, gang.owner);
  const karim = await settled(browser, url, karimPerson);
  await openChannel(karim.page, url, gang.server.id, gang.channel.id);
  await begin(ines.page, url, ["Karim"]);
  await say(ines.page, "entre nous, avant");
  await stored(ines.page, "entre nous, avant").waitFor();
  await say(karim.page, "au salon, avant");
  await stored(karim.page, "au salon, avant").waitFor();
  const folder = mkdtempSync(join(tmpdir(), "lescopains-restored-"));
  const [path, passphrase] = [join(folder, "backup.age"), "a passphrase of the test"];
  await writeArchive(path, passphrase, async (add) => void (await dump(stack.databaseUrl, "{}", add)), 10);

  await say(ines.page, "entre nous, après");
  await stored(ines.page, "entre nous, après").waitFor();
  await say(karim.page, "au salon, après");
  await stored(karim.page, "au salon, après").waitFor();
  await stack.workerd.kill9();
  await say(karim.page, "pas encore parti");
  await load({
    connectionString: stack.databaseUrl,
    migrations: migrationsFolder(),
    path,
    passphrase,
    checked: await check(path, passphrase),
    replace: true,
    watchMs: 0,
  });
  rmSync(folder, { recursive: true, force: true });
  await stack.workerd.restart();

  await stored(karim.page, "pas encore parti").waitFor({ timeout: 60_000 });
  await message(karim.page, "au salon, après").waitFor({ state: "detached" });
  await message(karim.page, "au salon, avant").waitFor();
  const told = karim.page.getByText("a été restauré depuis une sauvegarde");
  await told.waitFor();
  expect(await violations(karim.page)).toEqual([]);
  await karim.page.getByRole("button", { name: "Fermer" }).click();
  await told.waitFor({ state: "detached" });
  await karim.page.reload();
  await message(karim.page, "pas encore parti").waitFor();
  expect(await told.count()).toBe(0);

  await say(ines.page, "entre nous, ensuite");
  await stored(ines.page, "entre nous, ensuite").waitFor({ timeout: 60_000 });
  for (const words of ["avant", "après"]) await message(ines.page, `entre nous, ${words}`).waitFor();
  await karim.page.goto(`${url}/dm/new`);
  await dmRow(karim.page, "Inès").click();
  for (const words of ["avant", "ensuite"]) await message(karim.page, `entre nous, ${words}`).waitFor();
  expect(ines.faults).toEqual([]);
  expect(karim.faults).toEqual([]);
  await ines.context.close();
  await karim.context.close();
});
