/** What happens beside something else that is under way: in which order the answers come, a test decides. */
import type { Message } from "@lescopains/protocol/entities";
import type { ChannelId, HandoffId } from "@lescopains/protocol/ids";
import { afterEach, expect, test } from "vitest";
import { fromBase64, toBase64 } from "./base64.ts";
import { type FakeBrowser, until } from "./fake-browser.ts";
import { ANA, arrived, browser, closeBrowsers, LEO, pair, tabBeside } from "./fake-people.ts";
import { FakeKeysServer } from "./fake-server.ts";
import type { KeysEvents } from "./port.ts";
import { FakeClock } from "../sync/fakes.ts";
import { openKeysDatabase } from "./store/database.ts";

afterEach(closeBrowsers);

function handoffs(one: FakeBrowser): string[] {
  return one.events.flatMap(({ name, event }) => (name === "handoff" ? [(event as KeysEvents["handoff"]).kind] : []));
}

async function saved(one: FakeBrowser): Promise<void> {
  await until("all is saved", async () => {
    const state = await one.port.ask("vault:state", {});
    return state.kind === "on" && state.waiting === 0;
  });
}

/** A browser to which nothing is told while `deaf` is true, but for what it asks. */
async function hardOfHearing(one: FakeBrowser): Promise<{ deaf: boolean }> {
  const ears = { deaf: false };
  one.weather = {
    random: () => 0.5,
    lostAnswers: 0,
    doubledEvents: 0,
    lateEvents: 0,
    get lostEvents() {
      return ears.deaf ? 1 : 0;
    },
  };
  one.events.length = 0;
  await (await one.reopen()).ready();
  return ears;
}

/** The last bit of what is on its way to this device is another. */
function breakLast(server: FakeKeysServer, channel: ChannelId, address: string): void {
  const ciphertexts = server.channels.get(channel)?.rows.at(-1)?.ciphertexts;
  const ciphertext = ciphertexts?.get(address);
  if (ciphertext === undefined) throw new Error("nothing is on its way");
  const bytes = fromBase64(ciphertext.body);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  ciphertexts?.set(address, { ...ciphertext, body: toBase64(bytes) });
}

function lastEvent(server: FakeKeysServer, channel: ChannelId, address: string): Message {
  const row = server.channels.get(channel)?.rows.at(-1);
  if (row === undefined) throw new Error("nothing was sent");
  return { ...row.message, ciphertext: row.ciphertexts.get(address) ?? null };
}

test("[EN53] a message that the server has is shown before it no longer waits", async () => {
  const { channel, ana, leo } = await pair();
  const nonce = await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  await until("nothing waits", () => ana.last("dm:pending")?.pending.length === 0);
  const isShown = ({ name, event }: (typeof ana.events)[number]): boolean =>
    name === "dm:messages" && (event as KeysEvents["dm:messages"]).messages.some((message) => message.nonce === nonce);
  const isGone = ({ name, event }: (typeof ana.events)[number]): boolean =>
    name === "dm:pending" && (event as KeysEvents["dm:pending"]).pending.length === 0;
  expect(ana.events.findIndex(isShown)).toBeLessThan(ana.events.findIndex(isGone));
});

test("[EN53] of a message that heals and is edited at the same time the edit is told last", async () => {
  const { server, channel, ana, leo } = await pair();
  const other = server.openChannel("dm", [ANA, LEO]);
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  await leo.send(channel, "two");
  await ana.reads(channel, ["one", "two"]);
  const ears = await hardOfHearing(leo);
  ears.deaf = true;
  for (const [index, each] of [channel, other].entries()) {
    await ana.send(each, "broken");
    await until("it is stored", () => server.channels.get(each)?.rows.length === (index === 0 ? 3 : 1));
    breakLast(server, each, `${LEO}/1`);
  }
  leo.reconnect();
  const envelopes = () => server.account(LEO).devices.get(1)?.envelopes ?? [];
  await until("ana has sent both again", () => envelopes().length === 2);
  const [message] = await ana.messages(other);
  if (message === undefined) throw new Error("nothing was sent");
  await ana.send(other, { kind: "edit", messageId: message.id, text: "edited" });
  await until("it is edited", () => server.channels.get(other)?.rows.length === 2);
  leo.port.feed("message:new", lastEvent(server, other, `${LEO}/1`));
  leo.port.feed("keys:received", { messages: structuredClone(envelopes()) });
  await until("both have healed", () => envelopes().length === 0);
  await leo.reads(other, ["edited"]);
  const told = leo.events.flatMap(({ name, event }) =>
    name === "dm:messages" ? (event as KeysEvents["dm:messages"]).messages.filter(({ id }) => id === message.id) : [],
  );
  expect(told.at(-1)?.content).toBe("edited");
});

test("[EN17] what heals while it is being asked for is not asked for again", async () => {
  const server = new FakeKeysServer();
  const channel = server.openChannel("group_dm", [ANA, LEO]);
  const ana = await (await browser(server, ANA)).ready();
  const leo = await (await browser(server, LEO)).ready();
  const ears = await hardOfHearing(leo);
  ears.deaf = true;
  await ana.send(channel, "one");
  await until("it is stored", () => server.channels.get(channel)?.rows.length === 1);
  const release = leo.hold("claimKeys");
  leo.calls.length = 0;
  leo.port.feed("message:new", lastEvent(server, channel, `${LEO}/1`));
  await until("it is asked for", () => leo.calls.includes("claimKeys"));
  // Its sender key came late.
  leo.port.feed("keys:received", { messages: structuredClone(server.account(LEO).devices.get(1)?.envelopes ?? []) });
  await leo.reads(channel, ["one"]);
  release();
  // The next question comes after this one is through.
  await ana.send(channel, "two");
  await until("it is stored", () => server.channels.get(channel)?.rows.length === 2);
  breakLast(server, channel, `${LEO}/1`);
  ears.deaf = false;
  leo.port.feed("message:new", lastEvent(server, channel, `${LEO}/1`));
  await leo.reads(channel, ["one", "two"]);
  const database = await openKeysDatabase(leo.databaseName, () => undefined);
  const keys = await database.getAllKeys("records");
  database.close();
  expect(keys.filter((key) => key.startsWith("heal/"))).toEqual([]);
});

test("[EN18] what somebody asks for again while it is being given up is asked for", async () => {
  const { server, channel, ana, leo } = await pair();
  const clock = new FakeClock();
  leo.clock = clock;
  await (await leo.reopen()).ready();
  leo.goOffline();
  await ana.send(channel, "lost");
  await until("it is stored", () => server.channels.get(channel)?.rows.length === 1);
  breakLast(server, channel, `${LEO}/1`);
  ana.kill();
  leo.reconnect();
  await until("it cannot be read", async () => (await leo.messages(channel))[0]?.unreadable != null);
  const asked = () => leo.calls.filter((name) => name === "claimKeys").length;
  leo.calls.length = 0;
  await until("it was asked for three times", async () => {
    await clock.advance(10_000);
    return asked() === 3;
  });
  const [message] = await leo.messages(channel);
  if (message === undefined) throw new Error("nothing came");
  // The third question is noted, and the time of giving up set.
  for (let unit = 0; unit < 5; unit += 1) await leo.port.ask("dm:states", {});
  let again: Promise<unknown> = Promise.resolve();
  clock.after(300_000, () => {
    again = leo.port.ask("dm:askAgain", { channelId: channel, messageId: message.id });
  });
  await clock.advance(300_000);
  await again;
  await until("it is asked for once more", () => asked() === 4);
  expect((await leo.messages(channel))[0]?.unreadable).toMatchObject({ state: "asking" });
});

test("[EN54] what may be with the server cannot be given up any more, and stands on both sides", async () => {
  const { server, channel, ana, leo } = await pair();
  const ears = await hardOfHearing(ana);
  ears.deaf = true;
  const release = ana.hold("message:send");
  const nonce = await ana.send(channel, "one");
  await until("it is stored", () => server.channels.get(channel)?.rows.length === 1);
  await ana.port.ask("dm:discard", { nonce });
  release();
  for (const one of [ana, leo]) await one.reads(channel, ["one"]);
});

test("[EN3] one-time keys that run short while they are being counted are filled up after that", async () => {
  const server = new FakeKeysServer();
  const leo = await (await browser(server, LEO)).ready();
  const keys = () => server.account(LEO).devices.get(1)?.kyberPreKeys ?? [];
  await until("keys are there", () => keys().length === 100);
  // Nothing but this asks for them then.
  leo.goOffline();
  leo.calls.length = 0;
  const release = leo.hold("countPreKeys");
  await until("they are counted", () => {
    leo.port.feed("keys:low", { remaining: 5 });
    return leo.calls.includes("countPreKeys");
  });
  keys().splice(0, 95);
  leo.port.feed("keys:low", { remaining: 5 });
  release();
  await until("they are filled up", () => keys().length === 100);
});

test("[EN41] what changes again and again is saved meanwhile", async () => {
  const { server, channel, ana, leo } = await pair();
  await leo.port.ask("vault:create", { passphrase: null });
  const clock = new FakeClock();
  leo.clock = clock;
  await (await leo.reopen()).ready();
  await saved(leo);
  const versions = () => [...(server.account(LEO).vault?.records.values() ?? [])].map(({ version }) => version).join();
  const before = versions();
  const words: string[] = [];
  while (words.length < 10) {
    words.push(`${words.length}`);
    await ana.send(channel, words.at(-1) ?? "");
    await leo.reads(channel, words);
    await clock.advance(2_000);
  }
  await until("it is saved", () => versions() !== before);
});

test("[EN41] what was saved when the connection came back is not asked after once more by the clock", async () => {
  const { server, channel, ana, leo } = await pair();
  await leo.port.ask("vault:create", { passphrase: null });
  const clock = new FakeClock();
  leo.clock = clock;
  await (await leo.reopen()).ready();
  await saved(leo);
  leo.goOffline();
  await ana.send(channel, "one");
  await until("it is stored", () => server.channels.get(channel)?.rows.length === 1);
  leo.reconnect();
  await leo.reads(channel, ["one"]);
  await saved(leo);
  leo.calls.length = 0;
  await clock.advance(60_000);
  // Whatever has begun by now has asked.
  await leo.port.ask("dm:states", {});
  expect(leo.calls).toEqual([]);
});

test("[EN49] given its identity by another browser while it restores it from the vault, a browser is one device", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  const { recoveryKey } = await leo.port.ask("vault:create", { passphrase: null });
  await saved(leo);
  const second = await arrived(server, LEO);
  const release = second.hold("listVaultRecords");
  const restored = second.port.ask("vault:restore", { recoveryKey });
  await until("it restores", () => second.calls.includes("listVaultRecords"));
  second.hold("nothing");
  const code = await second.port.ask("handoff:begin", {});
  await leo.port.ask("handoff:approve", { code: code.kind === "waiting" ? code.code : "" });
  await second.ready();
  release();
  await restored;
  await ana.send(channel, "two");
  await second.reads(channel, ["one", "two"]);
  expect(server.account(LEO).published?.deviceList.devices).toHaveLength(2);
  expect(server.failures).toEqual([]);
});

test("[EN43] what another browser gave is taken once, however often one looks for it", async () => {
  const { server, leo } = await pair();
  const second = await arrived(server, LEO);
  const code = await second.port.ask("handoff:begin", {});
  const id = [...server.handoffs.keys()][0] as HandoffId;
  await leo.port.ask("handoff:approve", { code: code.kind === "waiting" ? code.code : "" });
  const release = second.hold("takeHandoff");
  await until("it was taken", () => server.handoffs.size === 0);
  second.port.feed("keys:handoff", { id });
  await second.port.ask("dm:states", {});
  release();
  await second.ready();
  await until("it is done", () => second.last("handoff")?.kind === "done");
  expect(handoffs(second)).toEqual(["waiting", "receiving", "done"]);
});

test("[EN43] a code that comes after nobody wants it any more is waited with by nobody", async () => {
  const { server } = await pair();
  const second = await arrived(server, LEO);
  const clock = new FakeClock();
  second.clock = clock;
  second.events.length = 0;
  await second.reopen();
  await until("the identity is elsewhere", () => second.last("device")?.kind === "identityElsewhere");
  const release = second.hold("openHandoff");
  const begun = second.port.ask("handoff:begin", {});
  await until("the code is on its way", () => server.handoffs.size === 1);
  await second.port.ask("handoff:cancel", {});
  release();
  await expect(begun).rejects.toMatchObject({ code: "code_expired" });
  second.calls.length = 0;
  await clock.advance(60_000);
  expect(second.calls).not.toContain("takeHandoff");
  expect(handoffs(second)).toEqual([]);
});

test("[EN47] what was given while the device was being settled is made one's own once", async () => {
  const { server, leo } = await pair();
  const second = await arrived(server, LEO);
  const code = await second.port.ask("handoff:begin", {});
  const release = second.hold("getVault");
  second.calls.length = 0;
  const settled = second.port.ask("device:retry", {});
  await until("it is found that the identity is elsewhere", () => second.calls.includes("getVault"));
  await leo.port.ask("handoff:approve", { code: code.kind === "waiting" ? code.code : "" });
  await until("it was taken", () => server.handoffs.size === 0);
  await second.port.ask("dm:states", {});
  release();
  await settled;
  await second.ready();
  await until("it is done", () => handoffs(second).includes("done"));
  await second.port.ask("dm:states", {});
  expect(handoffs(second)).toEqual(["waiting", "receiving", "done"]);
});

test("[EN42] a vault that two tabs make at once is one, and its key stays", async () => {
  const { leo } = await pair();
  const tab = await (await tabBeside(leo)).ready();
  const made = await Promise.allSettled([leo, tab].map((one) => one.port.ask("vault:create", { passphrase: null })));
  expect(made.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(made.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "vault_exists" } });
  await saved(leo);
  const recoveryKey = made.flatMap((one) => (one.status === "fulfilled" ? [one.value.recoveryKey] : []));
  expect([(await tab.port.ask("vault:show", {})).recoveryKey]).toEqual(recoveryKey);
});

test("[EN50] what was read while the server could not be told is told with the next connection", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  leo.goOffline();
  await leo.port.ask("dm:read", { channelId: channel, seq: 1 }).catch(() => undefined);
  leo.reconnect();
  await until("the server knows", () => server.channels.get(channel)?.reads.get(LEO) === 1);
});
