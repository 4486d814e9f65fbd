import type { ChannelId } from "@lescopains/protocol/ids";
import { afterEach, expect, test } from "vitest";
import { type FakeBrowser, until } from "./fake-browser.ts";
import { ANA, arrived, browser, closeBrowsers, expectNoKeyTwice, joined, LEO, MIA, pair } from "./fake-people.ts";
import { FakeKeysServer } from "./fake-server.ts";

afterEach(closeBrowsers);

/** Their pages come back, as after any lost connection. */
async function comeBack(...browsers: FakeBrowser[]): Promise<void> {
  for (const one of browsers) {
    one.goOffline();
    one.reconnect();
    await one.ready();
  }
}

async function knows(one: FakeBrowser, channelId: ChannelId): Promise<void> {
  await until("the conversation is known", async () =>
    (await one.port.ask("dm:states", {})).some((state) => state.channelId === channelId),
  );
}

const linesOf = (server: FakeKeysServer, userId: typeof LEO) =>
  server.account(userId).published?.deviceList.devices ?? [];
const versionOf = (server: FakeKeysServer, userId: typeof LEO) => server.account(userId).published?.deviceList.version;

test("[EN61] after a restore a browser keeps what it has, and what is written from then on stands behind it", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  const backup = server.backup();
  for (const words of ["two", "three"]) await ana.send(channel, words);
  await leo.reads(channel, ["one", "two", "three"]);
  server.restore(backup);
  await comeBack(ana, leo);
  await leo.send(channel, "four");
  await ana.send(channel, "five");
  for (const one of [ana, leo]) {
    await until("all is there", async () => (await one.words(channel)).length === 5);
    expect((await one.words(channel)).slice(0, 3)).toEqual(["one", "two", "three"]);
    expect((await one.words(channel)).slice(3).toSorted()).toEqual(["five", "four"]);
  }
  // What was taken in is not asked for again, nor kept by the server.
  await until("nothing waits", () =>
    [...server.channels.values()].every(({ rows }) => rows.every(({ ciphertexts }) => ciphertexts.size === 0)),
  );
  expectNoKeyTwice(server);
});

test("[EN61] one-time keys that the backup had are not used: people who meet after a restore can write at once", async () => {
  const server = new FakeKeysServer();
  const ana = await (await browser(server, ANA)).ready();
  const withMia = server.openChannel("dm", [ANA, MIA]);
  const mia = await (await browser(server, MIA)).ready();
  const keysOf = () => server.account(ANA).devices.get(1)?.preKeys ?? [];
  await until("Ana has keys there", () => keysOf().length > 0);
  const [first] = keysOf();
  const backup = server.backup();
  await knows(mia, withMia);
  await mia.send(withMia, "hello");
  await ana.reads(withMia, ["hello"]);
  expect(keysOf()).not.toContainEqual(first);
  server.restore(backup);
  await comeBack(ana);
  await until("there are others", () => keysOf().length > 0);
  expect(keysOf()).not.toContainEqual(first);
  const leo = await (await browser(server, LEO)).ready();
  const withLeo = server.openChannel("dm", [ANA, LEO]);
  await knows(leo, withLeo);
  await leo.send(withLeo, "and I");
  await ana.reads(withLeo, ["and I"]);
});

test("[EN62] a browser that was added after the backup puts itself on the list again, and is not revoked by another that comes first", async () => {
  const { server, channel, ana, leo } = await pair();
  const backup = server.backup();
  const leo2 = await joined(server, leo);
  const leo3 = await joined(server, leo);
  await ana.send(channel, "one");
  await leo2.reads(channel, ["one"]);
  await leo3.reads(channel, ["one"]);
  server.restore(backup);
  await comeBack(leo3, leo, leo2, ana);
  expect(linesOf(server, LEO)).toHaveLength(3);
  expect(versionOf(server, LEO)).toBeGreaterThan(3);
  await ana.send(channel, "two");
  for (const one of [leo, leo2, leo3]) await one.reads(channel, ["one", "two"]);
  await leo2.send(channel, "three");
  await ana.reads(channel, ["one", "two", "three"]);
  expectNoKeyTwice(server);
});

test("[EN62] a first browser that the backup does not know begins the list anew, under a later version", async () => {
  const server = new FakeKeysServer();
  const channel = server.openChannel("dm", [ANA, LEO]);
  const ana = await (await browser(server, ANA)).ready();
  const backup = server.backup();
  const leo = await (await browser(server, LEO)).ready();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  server.restore(backup);
  await comeBack(leo, ana);
  expect(versionOf(server, LEO)).toBe(2);
  await ana.send(channel, "two");
  await leo.reads(channel, ["one", "two"]);
});

test("[EN62] a browser that was revoked after the backup is taken off again by one that knows", async () => {
  const { server, channel, ana, leo } = await pair();
  const leo2 = await joined(server, leo);
  const backup = server.backup();
  await leo.port.ask("devices:revoke", { deviceIds: [2] });
  expect(await leo2.port.ask("device:retry", {})).toEqual({ kind: "revoked" });
  server.restore(backup);
  await comeBack(leo, ana);
  await until("it is off", () => linesOf(server, LEO).length === 1);
  expect(await leo2.port.ask("device:retry", {})).toEqual({ kind: "revoked" });
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
});

test("[EN62] without a restore an earlier list is a lie still: nothing is signed for it", async () => {
  const { server, leo } = await pair();
  const { published } = server.account(LEO);
  await joined(server, leo);
  const both = server.account(LEO).published;
  server.account(LEO).published = published;
  expect(await leo.port.ask("device:retry", {})).toMatchObject({ kind: "ready" });
  expect(server.account(LEO).published).toBe(published);
  server.account(LEO).published = both;
});

test("[EN63] what the vault had been given after the backup is given to it again", async () => {
  const { server, channel, ana, leo } = await pair();
  const { recoveryKey } = await leo.port.ask("vault:create", { passphrase: null });
  const saved = () =>
    until("all is saved", async () => {
      const state = await leo.port.ask("vault:state", {});
      return state.kind === "on" && state.waiting === 0 && state.savedAtMs !== null;
    });
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  await saved();
  const backup = server.backup();
  await ana.send(channel, "two");
  await leo.reads(channel, ["one", "two"]);
  await saved();
  server.restore(backup);
  await comeBack(leo, ana);
  await ana.send(channel, "three");
  await leo.reads(channel, ["one", "two", "three"]);
  await saved();
  const again = await arrived(server, LEO);
  await again.port.ask("vault:restore", { recoveryKey });
  await again.ready();
  await again.reads(channel, ["one", "two", "three"]);
});
