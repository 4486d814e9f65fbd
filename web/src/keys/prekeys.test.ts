import type { ChannelId, MessageId } from "@lescopains/protocol/ids";
import type { DeviceBody } from "@lescopains/protocol/keys";
import { openDB } from "idb";
import { afterEach, expect, test, vi } from "vitest";
import { type FakeBrowser, until } from "./fake-browser.ts";
import { ANA, browser, closeBrowsers, LEO, MIA, pair } from "./fake-people.ts";
import type { FakeKeysServer } from "./fake-server.ts";

afterEach(() => {
  vi.restoreAllMocks();
  closeBrowsers();
});

const DAY_MS = 24 * 60 * 60_000;
const realNow = Date.now;

/** The clocks of all browsers, which run a hundred times as fast, are that far ahead of the machine's. */
function onDay(days: number): void {
  vi.spyOn(Date, "now").mockImplementation(() => realNow() + (days * DAY_MS) / 100);
}

function longKeys(server: FakeKeysServer): Pick<DeviceBody, "signedPreKey" | "kyberPreKey"> {
  const body = server.account(LEO).devices.get(1)?.body;
  if (body === undefined) throw new Error("there is a device");
  return { signedPreKey: body.signedPreKey, kyberPreKey: body.kyberPreKey };
}

/** Léo's device has settled and given its keys. */
async function filled(server: FakeKeysServer): Promise<void> {
  await until("keys are there", () => server.account(LEO).devices.get(1)?.kyberPreKeys.length === 100);
}

/** It has looked whether keys are due, as it does with each connection. */
async function looked(server: FakeKeysServer, one: FakeBrowser): Promise<void> {
  const calls = vi.spyOn(server, "call");
  // A first look may have begun before, on an earlier day; one that comes while another is going on is none.
  await until("it has looked", () => {
    one.port.feed("keys:low", { remaining: 5 });
    return calls.mock.calls.filter(([, , name]) => name === "countPreKeys").length >= 2;
  });
  calls.mockRestore();
}

test("[EN3] signed and last-resort keys change every 7 days, and not before", async () => {
  const { server, channel, ana, leo } = await pair();
  const first = longKeys(server);
  onDay(6);
  await looked(server, leo);
  expect(longKeys(server)).toEqual(first);
  onDay(7.1);
  await looked(server, leo);
  const second = longKeys(server);
  expect(second.signedPreKey.keyId).toBeGreaterThan(first.signedPreKey.keyId);
  expect(second.kyberPreKey.keyId).toBeGreaterThan(first.kyberPreKey.keyId);
  onDay(13);
  await looked(server, leo);
  expect(longKeys(server)).toEqual(second);
  onDay(14.3);
  await looked(server, leo);
  expect(longKeys(server).signedPreKey.keyId).toBeGreaterThan(second.signedPreKey.keyId);
  // A session that begins now begins with the new ones.
  await ana.send(channel, "with the third keys");
  await leo.reads(channel, ["with the third keys"]);
  expect(server.failures).toEqual([]);
});

test("[EN3] a key that was replaced is readable for 37 days; what names it later is asked for anew", async () => {
  const { server, channel, ana, leo } = await pair();
  const other = server.openChannel("dm", [MIA, LEO]);
  const mia = await (await browser(server, MIA)).ready();
  await filled(server);
  leo.goOffline();
  await ana.send(channel, "old");
  await until("it is stored", () => server.channels.get(channel)?.rows.length === 1);
  await mia.send(other, "older");
  const held = server.channels.get(other);
  await until("it is stored", () => held?.rows.length === 1);
  if (held === undefined) throw new Error("there is a conversation");
  // The server holds it back, and says nothing of it.
  const kept = held.rows.splice(0);
  held.lastSeq = 0;
  onDay(8);
  await looked(server, leo);
  onDay(8 + 36);
  await looked(server, leo);
  leo.reconnect();
  await leo.reads(channel, ["old"]);
  expect(server.failures).toEqual([]);
  leo.goOffline();
  onDay(8 + 36 + 8);
  await looked(server, leo);
  held.rows.push(...kept);
  held.lastSeq = kept.length;
  leo.reconnect();
  await until("it cannot be read", () => server.failures.includes("no_session"));
  await leo.reads(other, ["older"]);
});

test("[EN3] a message that began a session with a key of last resort begins none again, even when the session is lost", async () => {
  const { server, channel, ana, leo } = await pair();
  const device = server.account(LEO).devices.get(1);
  if (device === undefined) throw new Error("there is a device");
  // The server has no one-time keys, whatever it is given.
  device.preKeys = Object.assign([], { push: () => 0 });
  device.kyberPreKeys = Object.assign([], { push: () => 0 });
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  const sent = server.traffic.find(({ type }) => type === 3);
  expect(sent).toBeDefined();
  leo.kill();
  // As when a part of the storage is damaged and put right from an old copy.
  const database = await openDB(leo.databaseName);
  await database.delete("records", `session/${ANA}/1`);
  database.close();
  ana.goOffline();
  showAgain(server, channel, sent?.body ?? "");
  await (await leo.reopen()).ready();
  await leo.reads(channel, ["one", "(undecryptable)"]);
  expect(server.failures).toEqual(["duplicate"]);
});

/** The server shows the first message of a conversation to Léo's device a second time, as another one. */
function showAgain(server: FakeKeysServer, channelId: ChannelId, body: string): void {
  const channel = server.channels.get(channelId);
  const first = channel?.rows[0];
  if (channel === undefined || first === undefined) throw new Error("nothing was sent");
  channel.lastSeq += 1;
  const id = "018f0000-0000-7000-8000-00000000dead" as MessageId;
  const { lastSeq: seq } = channel;
  channel.rows.push({
    message: { ...first.message, id, seq, changedSeq: seq, nonce: "another" },
    ciphertexts: new Map([[`${LEO}/1`, { type: 3, body }]]),
  });
}
