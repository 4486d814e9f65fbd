import { Client } from "pg";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { composer, message, openChannel, say, stored } from "./kit/drive.ts";
import { seedGang } from "./kit/seed.ts";
import { signIn, visitor } from "./kit/visitor.ts";

const { url, databaseUrl } = inject("stack");
let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
});

const MESSAGES = 50_000;

/** Fills a channel that nobody has opened yet, as if people had talked there for a year. */
async function fill(channelId: string, authorIds: readonly string[]): Promise<void> {
  const sql = new Client({ connectionString: databaseUrl });
  await sql.connect();
  await sql.query(
    `INSERT INTO messages (id, channel_id, seq, changed_seq, author_id, nonce, content, created_at)
     SELECT gen_random_uuid(), $1, n, n, ($2::uuid[])[1 + (n / 3) % cardinality($2::uuid[])], 'filled ' || n,
       'message ' || n || repeat(' lorem **ipsum** dolor', (n % 9)::int), now() - ($3::bigint - n) * interval '10 minutes'
     FROM generate_series(1::bigint, $3::bigint) AS n`,
    [channelId, authorIds, MESSAGES],
  );
  await sql.query(`UPDATE channels SET last_seq = $2 WHERE id = $1`, [channelId, MESSAGES]);
  await sql.end();
}

test("a channel of 50,000 messages scrolls smoothly, and keeps its place while older ones load", async () => {
  const gang = await seedGang({ url, people: ["Chloé", "Léo", "Samira"] });
  const ids = [gang.owner, ...gang.others].map(({ id }) => id);
  await fill(gang.channel.id, ids);
  const reader = await visitor(browser);
  const { page } = reader;
  await signIn(reader, url, gang.owner);
  await openChannel(page, url, gang.server.id, gang.channel.id);
  await message(page, `message ${MESSAGES}`).waitFor();

  // Steps of a fast reader's wheel, each measured from one frame to the next.
  const frames = await page.evaluate(async () => {
    const list = document.querySelector<HTMLElement>(".messages");
    if (list === null) throw new Error("no list");
    const times: number[] = [];
    const nextFrame = () =>
      new Promise<number>((resolve) => {
        requestAnimationFrame(resolve);
      });
    let last = await nextFrame();
    for (let step = 0; step < 600; step += 1) {
      list.scrollTop -= 120;
      const now = await nextFrame();
      times.push(now - last);
      last = now;
    }
    return times;
  });
  const sorted = frames.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  console.log(
    `frames while scrolling ${MESSAGES} messages: p50 ${at(0.5).toFixed(1)} ms, p95 ${at(0.95).toFixed(1)} ms, worst ${at(0.999).toFixed(1)} ms`,
  );

  // Far fewer rows are drawn than there are messages, and they are far from the present.
  expect(await page.locator("article.message").count()).toBeLessThan(100);
  const shown = await page.locator("article.message").first().innerText();
  expect(Number(/message (\d+)/.exec(shown)?.[1])).toBeLessThan(MESSAGES - 200);

  // The place is kept while a page loads above: what is read stays where it is.
  const moved = await page.evaluate(async () => {
    const list = document.querySelector<HTMLElement>(".messages");
    if (list === null) throw new Error("no list");
    const frame = () =>
      new Promise((resolve) => {
        requestAnimationFrame(resolve);
      });
    const top = () => {
      const box = list.getBoundingClientRect();
      const row = [...list.querySelectorAll<HTMLElement>("[data-key]")].find(
        (element) => element.getBoundingClientRect().top >= box.top,
      );
      return { key: row?.dataset["key"], at: row?.getBoundingClientRect().top ?? 0 };
    };
    let worst = 0;
    for (let step = 0; step < 120; step += 1) {
      const before = top();
      await frame();
      const row = list.querySelector<HTMLElement>(`[data-key="${before.key ?? ""}"]`);
      if (row !== null) worst = Math.max(worst, Math.abs(row.getBoundingClientRect().top - before.at));
    }
    return worst;
  });
  expect(moved).toBeLessThan(2);

  await page.getByRole("button", { name: "Revenir au présent" }).click();
  await message(page, `message ${MESSAGES}`).waitFor();
  await composer(page).waitFor();
  await say(page, "me revoilà");
  await stored(page, "me revoilà").waitFor();
  expect(reader.faults).toEqual([]);
  await reader.context.close();
});
