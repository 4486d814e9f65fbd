/** What a page gives to the device again, because it was killed before it heard that the device keeps it; and the key of its pad. */
import { afterEach, expect, test } from "vitest";
import { type FakeBrowser, until } from "./fake-browser.ts";
import { closeBrowsers, expectNoKeyTwice, pair, tabBeside } from "./fake-people.ts";
import type { DmContent } from "./port.ts";

afterEach(closeBrowsers);

const text = (words: string): DmContent => ({ kind: "text", text: words, replyTo: null });

test("[EN26] given again under its nonce, a message is the same one: while it waits, when it was sent, and from two tabs", async () => {
  const { server, channel, ana, leo } = await pair();
  const tab = await (await tabBeside(ana)).ready();
  // By the clock of the server, which begins that day.
  const writtenAtMs = Date.UTC(2026, 10, 25);
  /** Ciphertexts; the same bytes may be sent again, by either tab. */
  const made = () => new Set(server.traffic.map(({ body }) => body)).size;
  const again = (one: FakeBrowser, nonce: string, content: DmContent) =>
    one.port.ask("dm:send", { channelId: channel, nonce, content, writtenAtMs });
  await Promise.all([ana.send(channel, "one", "n1"), again(tab, "n1", text("one"))]);
  await leo.reads(channel, ["one"]);
  const sent = made();
  for (const each of [ana, tab]) await again(each, "n1", text("one"));
  // The tab that wrote it is asked last: it takes it for new, and the server knows the nonce.
  await ana.send(channel, "one", "n1");
  const [one] = await ana.messages(channel);
  if (one === undefined) throw new Error("nothing was sent");
  await ana.send(channel, { kind: "edit", messageId: one.id, text: "first" }, "n2");
  await ana.send(channel, "two", "n3");
  await leo.reads(channel, ["first", "two"]);
  await ana.send(channel, { kind: "delete", messageId: one.id }, "n4");
  await leo.reads(channel, ["(deleted)", "two"]);
  const later = made();
  await again(tab, "n2", { kind: "edit", messageId: one.id, text: "first" });
  await again(tab, "n3", text("two"));
  await again(tab, "n4", { kind: "delete", messageId: one.id });
  expect(await tab.port.ask("dm:pending", {})).toEqual([]);
  await ana.send(channel, "three");
  await leo.reads(channel, ["(deleted)", "two", "three"]);
  for (const each of [ana, tab]) await each.reads(channel, ["(deleted)", "two", "three"]);
  expect(server.channels.get(channel)?.rows).toHaveLength(5);
  expect(later).toBeGreaterThan(sent);
  expect(made()).toBe(later + 1);
  expectNoKeyTwice(server);
});

test("[EN26] what was sent long ago is found among hundreds of later messages", async () => {
  const { server, channel, ana } = await pair();
  for (let count = 0; count < 250; count += 1) await ana.send(channel, `${count}`, `n${count}`);
  await until("none waits", async () => (await ana.port.ask("dm:pending", {})).length === 0);
  const writtenAtMs = Date.parse(server.channels.get(channel)?.rows[0]?.message.createdAt ?? "");
  await ana.port.ask("dm:send", { channelId: channel, nonce: "n0", content: text("0"), writtenAtMs });
  expect(await ana.port.ask("dm:pending", {})).toEqual([]);
});

test("[EN27] the pad has one key, over reloads and in all tabs, until the device is forgotten in one of them", async () => {
  const { ana } = await pair();
  const key = await ana.port.ask("pad:key", {});
  expect(key).toHaveLength(32);
  await (await ana.reopen()).ready();
  expect(await ana.port.ask("pad:key", {})).toEqual(key);
  const tab = await tabBeside(ana);
  expect(await tab.port.ask("pad:key", {})).toEqual(key);
  await ana.port.ask("device:forget", { revoke: false });
  for (const one of [ana, tab]) await until("all tabs are told", () => one.last("forgotten") !== undefined);
  const later = await tabBeside(ana);
  expect(await later.port.ask("pad:key", {})).not.toEqual(key);
});
