import { utf8 } from "@lescopains/e2ee/bytes";
import { hkdf } from "@lescopains/e2ee/primitives/kdf";
import { parseRecoveryKey } from "@lescopains/e2ee/vault/recovery-key";
import type { ChannelId, MessageId } from "@lescopains/protocol/ids";
import { afterEach, expect, test } from "vitest";
import { FakeLocks } from "../sync/fakes.ts";
import { type FakeBrowser, until } from "./fake-browser.ts";
import { ANA, arrived, closeBrowsers, LEO, pair } from "./fake-people.ts";
import { type FakeKeysServer, portOf } from "./fake-server.ts";
import { blankRow, deleteRow, readRowById, writeRow } from "./history.ts";
import type { Kit } from "./kit.ts";
import { openKeysDatabase } from "./store/database.ts";
import { openStore } from "./store/store.ts";
import { createVault } from "./vault.ts";

afterEach(closeBrowsers);

async function idOf(one: FakeBrowser, channel: ChannelId, words: string): Promise<MessageId> {
  const found = (await one.messages(channel)).find(({ content }) => content === words);
  if (found === undefined) throw new Error("there is no such message");
  return found.id;
}

/** The server deletes a message of its own accord, and tells everyone that it was its author. */
function removes(server: FakeKeysServer, channel: ChannelId, id: MessageId): void {
  const { connections } = server;
  const connection = { userId: ANA, session: "the server", deviceId: null, push: () => undefined };
  server.emit(connection, "message:delete", { channelId: channel, messageId: id } as never);
  expect(connections.has(connection)).toBe(false);
}

test("[EN28] the words of a message stay when only the server says that it was deleted", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  removes(server, channel, await idOf(ana, channel, "one"));
  await ana.send(channel, "two");
  for (const one of [ana, leo]) await one.reads(channel, ["one", "two"]);
  await leo.reopen();
  await leo.ready();
  await leo.reads(channel, ["one", "two"]);
});

test("[EN28] an author's deletion reaches who was away, and the server keeps no ciphertext of the message", async () => {
  const { server, channel, ana, leo } = await pair();
  leo.goOffline();
  await ana.send(channel, "one");
  await ana.reads(channel, ["one"]);
  await ana.send(channel, { kind: "delete", messageId: await idOf(ana, channel, "one") });
  await ana.reads(channel, ["(deleted)"]);
  await until("its ciphertexts are gone", () => server.channels.get(channel)?.rows[0]?.ciphertexts.size === 0);
  await until("nothing waits", async () => (await ana.port.ask("dm:pending", {})).length === 0);
  leo.reconnect();
  await leo.reads(channel, ["(deleted)"]);
  expect(server.failures).toEqual([]);
});

test("[EN28] killed at any step of deleting, the message is deleted for everyone in the end", async () => {
  const { server, channel, ana, leo } = await pair();
  const words: string[] = [];
  for (let step = 1; step < 22; step += 4) {
    await ana.send(channel, `${step}`);
    await leo.reads(channel, [...words, `${step}`]);
    await ana.reads(channel, [...words, `${step}`]);
    const messageId = await idOf(ana, channel, `${step}`);
    await ana.send(channel, { kind: "delete", messageId });
    ana.killIn = step;
    words.push("(deleted)");
    const row = () => server.channels.get(channel)?.rows.find(({ message }) => message.id === messageId)?.message;
    await until("it is killed, or done", () => ana.dead || row()?.deleted === true);
    ana.killIn = Infinity;
    await ana.reopen();
    await ana.ready();
    for (const one of [ana, leo]) await one.reads(channel, words);
    await until("the server knows", () => row()?.deleted === true);
  }
});

test("[EN28] what the server removed before it arrived says so, and heals when its author did not delete it", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  leo.goOffline();
  ana.goOffline();
  ana.reconnect();
  await ana.send(channel, "two");
  await ana.reads(channel, ["one", "two"]);
  removes(server, channel, await idOf(ana, channel, "two"));
  ana.kill();
  leo.reconnect();
  await leo.reads(channel, ["one", "(removed)"]);
  await ana.open();
  await ana.ready();
  await leo.reads(channel, ["one", "two"]);
  expect(server.failures).toEqual([]);
});

test("[EN28] a deletion takes the words of every edit with it, from the vault too, whichever browser saved them", async () => {
  const { server, channel, ana, leo } = await pair();
  const { recoveryKey } = await leo.port.ask("vault:create", { passphrase: null });
  await ana.send(channel, "a word of ana");
  const messageId = await idOf(ana, channel, "a word of ana").catch(async () => {
    await leo.reads(channel, ["a word of ana"]);
    return await idOf(ana, channel, "a word of ana");
  });
  for (const text of ["a second word", "a third word"]) await ana.send(channel, { kind: "edit", messageId, text });
  await leo.reads(channel, ["a third word"]);
  const saved = async (one: FakeBrowser): Promise<void> =>
    await until("all is saved", async () => {
      const state = await one.port.ask("vault:state", {});
      return state.kind === "on" && state.waiting === 0 && state.savedAtMs !== null;
    });
  await saved(leo);
  expect(await wordsInVault(server, recoveryKey)).toContain("a second word");
  // The browser that saved it is gone for good; another one of the person goes on.
  leo.kill();
  const again = await arrived(server, LEO);
  await again.port.ask("vault:restore", { recoveryKey });
  await again.ready();
  await ana.send(channel, { kind: "delete", messageId });
  await again.reads(channel, ["(deleted)"]);
  await saved(again);
  expect(await wordsInVault(server, recoveryKey)).not.toContain("word");
  const third = await arrived(server, LEO);
  await third.port.ask("vault:restore", { recoveryKey });
  await third.reads(channel, ["(deleted)"]);
});

/** Everything that Léo's vault holds, as who has its key reads it. */
async function wordsInVault(server: FakeKeysServer, recoveryKey: string): Promise<string> {
  const parsed = parseRecoveryKey(recoveryKey);
  if (!parsed.ok) throw new Error("no recovery key");
  const connection = { userId: LEO, session: "a reader", deviceId: null, push: () => undefined };
  const kit = { selfId: LEO, subtle: crypto.subtle, server: portOf(server, connection) } as unknown as Kit;
  const vault = createVault(kit, async (password, { salt }, length) => hkdf(password, salt, utf8("quick"), length));
  const found: unknown[] = [];
  await vault.read(parsed.key, async (records) => void found.push(...records));
  return JSON.stringify(found);
}

test("[EN28] nobody deletes what somebody else wrote", async () => {
  const database = await openKeysDatabase("keys-deletion", () => undefined);
  const store = await openStore(database, crypto.subtle, new FakeLocks(), "keys");
  const id = "018f0000-0000-7000-8000-000000000001" as MessageId;
  const channelId = "018f0000-0000-7000-8000-000000000002" as ChannelId;
  const createdAt = "2026-11-25T00:00:00.000Z";
  const content = { k: "text", text: "one", replyTo: null } as const;
  const value = { ...blankRow, id, changedSeq: 1, authorId: ANA, senderDeviceId: 1, nonce: "n", createdAt, content };
  await store.exclusive(async (unit) => {
    writeRow(unit, { channelId, seq: 1, id, mine: false, value: { ...value, edits: [], to: [] } }, 1);
    const row = await readRowById(unit, id);
    if (row === undefined) throw new Error("it is not there");
    expect(await deleteRow(unit, row, { authorId: LEO, seq: 2 }, 2)).toBeUndefined();
    expect((await readRowById(unit, id))?.value.content).toEqual(content);
    expect((await deleteRow(unit, row, { authorId: ANA, seq: 3 }, 2))?.value.content).toMatchObject({ text: "" });
  });
  store.close();
});
