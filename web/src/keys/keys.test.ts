import { seededNumbers } from "@lescopains/protocol/testing/seeded-numbers";
import { afterEach, expect, test, vi } from "vitest";
import { decodeSenderKeyMessage } from "@lescopains/e2ee/group/wire";
import { fromBase64, toBase64 } from "./base64.ts";
import { type FakeBrowser, until } from "./fake-browser.ts";
import {
  ANA,
  arrived,
  browser,
  closeBrowsers,
  expectNoKeyTwice,
  joined,
  LEO,
  MIA,
  pair,
  tabBeside,
} from "./fake-people.ts";
import type { KeysEvents } from "./port.ts";
import { FakeKeysServer } from "./fake-server.ts";

afterEach(() => {
  vi.restoreAllMocks();
  closeBrowsers();
});

test("[EN1] a first browser makes the account's identity and publishes its keys", async () => {
  const server = new FakeKeysServer();
  const ana = await (await browser(server, ANA)).ready();
  expect(server.account(ANA).published?.deviceList.devices).toHaveLength(1);
  await until("one-time keys are there", () => server.account(ANA).devices.get(1)?.kyberPreKeys.length === 100);
  expect((await ana.port.ask("devices:list", {})).map(({ current }) => current)).toEqual([true]);
});

test("[EN11] what one writes the other reads", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "canari-7f3a");
  await leo.reads(channel, ["canari-7f3a"]);
  await leo.send(channel, "bien reçu");
  await ana.reads(channel, ["canari-7f3a", "bien reçu"]);
  await leo.reads(channel, ["canari-7f3a", "bien reçu"]);
  expect(JSON.stringify(server.traffic)).not.toContain("canari");
});

test("[EN12] two people with two browsers each: all four read everything", async () => {
  const { server, channel, ana, leo } = await pair();
  const [ana2, leo2] = [await joined(server, ana), await joined(server, leo)];
  const all = [ana, ana2, leo, leo2];
  const words: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    for (const [index, one] of all.entries()) {
      words.push(`${round} of ${index}`);
      await one.send(channel, `${round} of ${index}`);
      for (const other of all) await other.reads(channel, words);
    }
  }
  expect(server.failures).toEqual([]);
  expectNoKeyTwice(server);
});

test("[EN13] edits, reactions and deletions reach everyone, and are the author's alone", async () => {
  const { channel, ana, leo } = await pair();
  await ana.send(channel, "helo");
  await ana.send(channel, "second");
  await leo.reads(channel, ["helo", "second"]);
  const [first, second] = (await ana.messages(channel)).map(({ id }) => id);
  if (first === undefined || second === undefined) throw new Error("nothing was sent");
  await ana.send(channel, { kind: "edit", messageId: first, text: "hello" });
  await leo.reads(channel, ["hello", "second"]);
  await leo.send(channel, { kind: "reaction", messageId: first, emoji: "👋", on: true });
  await until("the reaction is there", async () => (await ana.messages(channel))[0]?.reactions.length === 1);
  await expect(leo.send(channel, { kind: "edit", messageId: first, text: "no" })).rejects.toMatchObject({
    code: "not_yours",
  });
  await ana.send(channel, { kind: "delete", messageId: second });
  for (const one of [ana, leo]) await one.reads(channel, ["hello", "(deleted)"]);
  const state = (await leo.port.ask("dm:states", {}))[0];
  expect(state?.unread).toBe(2);
});

test("[EN10] a call that nobody answered stands once, whichever of the caller's browsers noted it, and has no words", async () => {
  const { server, channel, ana, leo } = await pair();
  const ana2 = await joined(server, ana);
  const callId = crypto.randomUUID();
  await ana.send(channel, { kind: "missedCall" }, callId);
  await ana2.send(channel, { kind: "missedCall" }, callId);
  await ana2.send(channel, "réponds !");
  for (const one of [ana, ana2, leo]) {
    await one.reads(channel, ["", "réponds !"]);
    expect((await one.messages(channel)).map(({ missedCall }) => missedCall)).toEqual([true, undefined]);
  }
  expect(JSON.stringify(server.traffic)).not.toContain("missedCall");
  expect((await leo.port.ask("dm:states", {}))[0]?.unread).toBe(2);
  const [call] = await ana.messages(channel);
  if (call === undefined) throw new Error("nothing was noted");
  await ana.send(channel, { kind: "edit", messageId: call.id, text: "no call" });
  await ana.send(channel, "après");
  await leo.reads(channel, ["", "réponds !", "après"]);
  expect((await leo.messages(channel))[0]).toMatchObject({ missedCall: true, editedAt: null });
  await ana.send(channel, { kind: "delete", messageId: call.id });
  await leo.reads(channel, ["(deleted)", "réponds !", "après"]);
});

test("[EN14] through loss, repetition and reordering nothing is lost, doubled or out of order", async () => {
  const server = new FakeKeysServer();
  const channel = server.openChannel("dm", [ANA, LEO]);
  const random = seededNumbers(4_711);
  const bad = { random, lostAnswers: 0.1, lostEvents: 0.2, doubledEvents: 0.2, lateEvents: 0.4 };
  const [ana, leo] = [await browser(server, ANA), await browser(server, LEO)];
  await Promise.all([ana.ready(), leo.ready()]);
  for (const one of [ana, leo]) {
    one.weather = bad;
    await one.reopen();
    await one.ready();
  }
  const written: string[] = [];
  for (let count = 0; count < 40; count += 1) {
    const from = random() < 0.5 ? ana : leo;
    written.push(`${count}`);
    await from.send(channel, `${count}`);
    if (random() < 0.1) from.reconnect();
  }
  await until("the server has all", () => server.channels.get(channel)?.rows.length === written.length, 30_000);
  for (const one of [ana, leo]) {
    await until("all is read", async () => {
      one.reconnect();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return (await one.words(channel)).length === written.length;
    });
  }
  const [first, second] = [await ana.words(channel), await leo.words(channel)];
  expect(first).toEqual(second);
  expect(first.toSorted((a, b) => Number(a) - Number(b))).toEqual(written);
  expectNoKeyTwice(server);
});

test("[EN15] killed between any two steps, 50 times: nothing lost, nothing doubled, no key used twice", async () => {
  const server = new FakeKeysServer();
  const channel = server.openChannel("dm", [ANA, LEO]);
  const [ana, leo] = [await browser(server, ANA), await browser(server, LEO)];
  await Promise.all([ana.ready(), leo.ready()]);
  const random = seededNumbers(7_331);
  const accepted: string[] = [];
  for (let kill = 0; kill < 50; kill += 1) {
    const [victim, other] = random() < 0.6 ? [ana, leo] : [leo, ana];
    victim.killIn = 1 + Math.floor(random() * 60);
    for (let count = 0; count < 3; count += 1) {
      for (const one of [victim, other]) {
        const text = `${kill}.${count} of ${one === ana ? "ana" : "leo"}`;
        const kept = one.send(channel, text).then(
          () => true,
          () => false,
        );
        const dies = until("it is kept, or killed", () => one.dead).then(() => false);
        if (!one.dead && (await Promise.race([kept, dies.catch(() => false)]))) accepted.push(text);
      }
    }
    await until("it is killed", () => victim.dead, 1_000).catch(() => undefined);
    victim.killIn = Infinity;
    await victim.reopen();
  }
  await Promise.all([ana.ready(), leo.ready()]);
  for (const one of [ana, leo]) {
    await until("nothing waits", async () => (await one.port.ask("dm:pending", {})).length === 0);
  }
  const stored = server.channels.get(channel)?.rows.length ?? 0;
  expect(server.failures).toEqual([]);
  for (const one of [ana, leo]) await until("all is read", async () => (await one.words(channel)).length === stored);
  const [first, second] = [await ana.words(channel), await leo.words(channel)];
  expect(first).toEqual(second);
  expect(new Set(first).size).toBe(first.length);
  // What was answered as kept is there; what was killed before its answer may be.
  expect(accepted.filter((text) => !first.includes(text))).toEqual([]);
  expect(server.failures).toEqual([]);
  expectNoKeyTwice(server);
  expect(new Set(server.claimed).size).toBe(server.claimed.length);
});

test("[EN16] a group reads by sender keys, and whoever leaves or is revoked reads nothing from then on", async () => {
  const server = new FakeKeysServer();
  const channel = server.openChannel("group_dm", [ANA, LEO, MIA]);
  const ana = await (await browser(server, ANA)).ready();
  const leo = await (await browser(server, LEO)).ready();
  const mia = await (await browser(server, MIA)).ready();
  const leo2 = await joined(server, leo);
  await ana.send(channel, "to all");
  for (const one of [ana, leo, leo2, mia]) await one.reads(channel, ["to all"]);
  await mia.send(channel, "and back");
  for (const one of [ana, leo, leo2, mia]) await one.reads(channel, ["to all", "and back"]);
  const chains = (): Set<number> =>
    new Set(
      server.traffic
        .filter(({ type, from }) => type === 7 && from.startsWith(ANA))
        .map(({ body }) => decodeSenderKeyMessage(fromBase64(body)).chainId),
    );
  expect(chains().size).toBe(1);
  const old = (await leo.port.ask("devices:list", {})).find(({ current }) => !current);
  await leo.port.ask("devices:revoke", { deviceIds: [old?.deviceId ?? 0] });
  await until("the revoked browser knows", () => leo2.last("device")?.kind === "revoked");
  await ana.send(channel, "without the revoked one");
  await leo.reads(channel, ["to all", "and back", "without the revoked one"]);
  expect(chains().size).toBe(2);
  expect(await leo2.words(channel)).toEqual(["to all", "and back"]);
  server.setParticipants(channel, [ANA, LEO]);
  await until(
    "ana knows who is left",
    async () => (await ana.port.ask("dm:states", {}))[0]?.withoutDevice.length === 0,
  );
  await new Promise((resolve) => setTimeout(resolve, 30));
  await ana.send(channel, "without mia");
  await leo.reads(channel, ["to all", "and back", "without the revoked one", "without mia"]);
  expect(chains().size).toBe(3);
  expectNoKeyTwice(server);
});

test("[EN17] what cannot be decrypted says so, is asked for, and heals in its place", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  await leo.send(channel, "read");
  await ana.reads(channel, ["one", "read"]);
  leo.goOffline();
  for (const text of ["two", "three"]) await ana.send(channel, text);
  await until("both are stored", () => server.channels.get(channel)?.rows.length === 4);
  // Broken on its way.
  const row = server.channels.get(channel)?.rows[2];
  for (const [address, ciphertext] of row?.ciphertexts ?? []) {
    const bytes = fromBase64(ciphertext.body);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    row?.ciphertexts.set(address, { ...ciphertext, body: toBase64(bytes) });
  }
  leo.reconnect();
  await until("it cannot be read", () =>
    leo.events.some(({ name, event }) => {
      if (name !== "dm:messages") return false;
      const { messages } = event as KeysEvents["dm:messages"];
      return messages.some(({ unreadable }) => unreadable?.kind === "undecryptable");
    }),
  );
  await leo.reads(channel, ["one", "read", "two", "three"]);
  expect(server.failures).toEqual(["invalid_message"]);
  await leo.send(channel, "four");
  await ana.reads(channel, ["one", "read", "two", "three", "four"]);
  expectNoKeyTwice(server);
});

test("[EN18] what its sender no longer has is given up after three tries", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  leo.goOffline();
  await ana.send(channel, "lost");
  await until("it is stored", () => server.channels.get(channel)?.rows.length === 2);
  ana.kill();
  server.channels.get(channel)?.rows[1]?.ciphertexts.clear();
  leo.reconnect();
  await until(
    "it is given up",
    async () => {
      const unreadable = (await leo.messages(channel))[1]?.unreadable;
      return unreadable?.kind === "undecryptable" && unreadable.state === "given_up";
    },
    15_000,
  );
});

test("[EN31] a changed identity is told, and stops what is sent to a verified person until it is accepted", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  const [ours, theirs] = [
    await ana.port.ask("safety:number", { userId: LEO }),
    await leo.port.ask("safety:number", { userId: ANA }),
  ];
  expect(theirs.digits).toBe(ours.digits);
  const scanned = await ana.port.ask("safety:scan", { userId: LEO, code: theirs.code });
  expect(scanned).toMatchObject({ result: "match", peer: { trust: "verified" } });
  leo.kill();
  const again = await browser(server, LEO);
  await until("the identity is elsewhere", () => again.last("device")?.kind === "identityElsewhere");
  await expect(again.port.ask("device:startOver", { password: "wrong" })).rejects.toMatchObject({
    code: "wrong_password",
  });
  await again.port.ask("device:startOver", { password: "password" });
  await again.ready();
  await until("ana knows", () => ana.last("dm:state")?.notices.at(-1)?.userId === LEO);
  const nonce = await ana.send(channel, "two");
  await until("it is held back", () => ana.last("dm:pending")?.pending[0]?.failure?.code === "identity_changed");
  expect(await again.words(channel)).toEqual([]);
  expect(ana.last("dm:state")?.blockedBy).toEqual([LEO]);
  const now = await ana.port.ask("safety:number", { userId: LEO });
  expect(now.digits).not.toBe(ours.digits);
  expect(nonce).not.toBe("");
  expect((await ana.port.ask("peer:accept", { userId: LEO })).trust).toBe("trusted");
  await again.reads(channel, ["two"]);
});

test("[EN31] a changed identity that a message tells of first stands in the conversation as well", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  ana.goOffline();
  leo.kill();
  const again = await arrived(server, LEO);
  await again.port.ask("device:startOver", { password: "password" });
  await again.ready();
  await again.send(channel, "two");
  await until("it is stored", () => server.channels.get(channel)?.rows.length === 2);
  ana.reconnect();
  await ana.reads(channel, ["one", "two"]);
  await until("it is told", () => ana.last("dm:state")?.notices.at(-1)?.userId === LEO);
});

test("[EN32] a list that goes back, or that nobody has signed, changes nothing", async () => {
  const { server, channel, ana, leo } = await pair();
  const before = server.account(LEO).published;
  const leo2 = await joined(server, leo);
  await ana.send(channel, "one");
  for (const one of [leo, leo2]) await one.reads(channel, ["one"]);
  const account = server.account(LEO);
  const present = account.published;
  for (const wrong of [before, present && { ...present, deviceListSignature: before?.deviceListSignature ?? "" }]) {
    account.published = wrong;
    ana.port.feed("keys:changed", { userId: LEO, identityKey: present?.identityKey ?? "", version: 1 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect((await ana.port.ask("peer:state", { userId: LEO })).devices).toBe(2);
  }
});

test("[EN41] the vault gives everything back to a new browser, and only with its key", async () => {
  const { server, channel, ana, leo } = await pair();
  const { recoveryKey } = await leo.port.ask("vault:create", { passphrase: "crème brûlée" });
  expect(await leo.port.ask("vault:confirm", { text: recoveryKey.toLowerCase() })).toEqual({ problem: null });
  const words: string[] = [];
  for (let count = 0; count < 8; count += 1) {
    words.push(`${count}`);
    await (count % 2 === 0 ? ana : leo).send(channel, `${count}`);
    await leo.reads(channel, words);
  }
  const number = await ana.port.ask("safety:number", { userId: LEO });
  await leo.port.ask("safety:verify", { userId: ANA, digits: number.digits, verified: true });
  await until("all is saved", async () => {
    const state = await leo.port.ask("vault:state", {});
    return state.kind === "on" && state.waiting === 0;
  });
  leo.kill();
  // While leo has no browser at all.
  await ana.send(channel, "meanwhile");
  words.push("meanwhile");
  const again = await browser(server, LEO);
  await until("the identity is elsewhere", () => again.last("device")?.kind === "identityElsewhere");
  const other = recoveryKey.startsWith("0") ? `1${recoveryKey.slice(1)}` : `0${recoveryKey.slice(1)}`;
  await expect(again.port.ask("vault:restore", { recoveryKey: other })).rejects.toMatchObject({ code: "wrong_key" });
  await expect(again.port.ask("vault:restore", { passphrase: "no" })).rejects.toMatchObject({
    code: "wrong_passphrase",
  });
  const restored = await again.port.ask("vault:restore", { passphrase: "crème brûlée" });
  expect(restored.messages).toBe(8);
  await again.ready();
  await again.reads(channel, words);
  expect((await again.port.ask("safety:number", { userId: ANA })).digits).toBe(number.digits);
  expect((await again.port.ask("peer:state", { userId: ANA })).trust).toBe("verified");
  await again.send(channel, "back");
  await ana.reads(channel, [...words, "back"]);
  expectNoKeyTwice(server);
});

test("[EN2] storage that fails is an error, and never a new identity", async () => {
  const server = new FakeKeysServer();
  const leo = await (await browser(server, LEO)).ready();
  const before = server.account(LEO).published?.identityKey;
  leo.brokenStorage = true;
  leo.events.length = 0;
  await leo.reopen();
  await until("it is told", () => leo.last("device")?.kind === "failed");
  expect(await leo.port.ask("device:state", {})).toMatchObject({ refusal: { code: "storage_failed" } });
  expect(server.account(LEO).published?.identityKey).toBe(before);
  leo.brokenStorage = false;
  await leo.reopen();
  await leo.ready();
  expect(server.account(LEO).published?.deviceList.version).toBe(1);
});

test("[EN3] few one-time keys are filled up, each id once", async () => {
  const server = new FakeKeysServer();
  const leo = await (await browser(server, LEO)).ready();
  const device = () => server.account(LEO).devices.get(1);
  await until("keys are there", () => device()?.kyberPreKeys.length === 100);
  const ids = new Set(device()?.kyberPreKeys.map(({ keyId }) => keyId));
  device()?.preKeys.splice(0, 95);
  device()?.kyberPreKeys.splice(0, 95);
  leo.port.feed("keys:low", { remaining: 5 });
  await until("they are filled up", () => device()?.kyberPreKeys.length === 100);
  const fresh = (device()?.kyberPreKeys ?? []).slice(5);
  expect(fresh.filter(({ keyId }) => ids.has(keyId))).toEqual([]);
});

test("[EN19] typing and reading pass by, and are kept as no message", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  await leo.port.ask("dm:typing", { channelId: channel });
  await until("typing is seen", () => ana.last("dm:typing")?.userId === LEO);
  await leo.port.ask("dm:read", { channelId: channel, seq: 1 });
  await until("reading is seen", () => ana.last("dm:state")?.readBy[LEO] === 1);
  expect(server.channels.get(channel)?.rows).toHaveLength(1);
  expect(leo.last("dm:state")?.unread).toBe(0);
});

test("[EN20] 500 messages that waited are decrypted in order", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "first");
  await leo.reads(channel, ["first"]);
  await leo.send(channel, "second");
  await ana.reads(channel, ["first", "second"]);
  leo.goOffline();
  for (let count = 0; count < 500; count += 1) await ana.send(channel, `${count}`);
  await until("all are stored", () => server.channels.get(channel)?.rows.length === 502, 60_000);
  const began = performance.now();
  leo.reconnect();
  await until("all are decrypted", () => leo.last("dm:state")?.seenSeq === 502, 60_000);
  console.info(`500 messages that waited: ${Math.round(performance.now() - began)} ms`);
  const words = await leo.words(channel);
  expect(words.slice(2)).toEqual(Array.from({ length: 500 }, (_, count) => `${count}`));
});

test("[EN20] killed while it takes in what waited, a browser goes on where it was", async () => {
  const { server, channel, ana, leo } = await pair();
  leo.goOffline();
  const sent = Array.from({ length: 250 }, (_, count) => `${count}`);
  for (const text of sent) await ana.send(channel, text);
  await until("all are stored", () => server.channels.get(channel)?.rows.length === sent.length, 60_000);
  for (const steps of [40, 160, 300, 420]) {
    leo.killIn = steps;
    leo.reconnect();
    await until("it is killed, or done", () => leo.dead || leo.last("dm:state")?.seenSeq === sent.length, 60_000);
    leo.killIn = Infinity;
    await leo.reopen();
  }
  await leo.reads(channel, sent);
  expect(server.failures).toEqual([]);
});

test("[EN4] a new sign-in in the same browser speaks for the same device again", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  leo.session = "another session";
  await leo.reopen();
  await leo.ready();
  await ana.send(channel, "two");
  await leo.reads(channel, ["one", "two"]);
  expect(server.account(LEO).published?.deviceList.version).toBe(1);
});

test("[EN4] a browser keeps the name that another one of its account gave it, with its next sign-in too", async () => {
  const { server, ana } = await pair();
  const second = await joined(server, ana);
  const names = async () => (await ana.port.ask("devices:list", {})).map(({ name }) => name);
  await ana.port.ask("devices:rename", { deviceId: 2, name: "the kitchen" });
  second.session = "another session";
  await second.reopen();
  await second.ready();
  expect(await names()).toEqual(["a browser", "the kitchen"]);
  await expect(ana.port.ask("devices:rename", { deviceId: 3, name: "nobody" })).rejects.toMatchObject({
    refusal: { server: "not_found" },
  });
});

test("[EN21] what was written to someone without a device goes out when they have one", async () => {
  const server = new FakeKeysServer();
  const channel = server.openChannel("dm", [ANA, LEO]);
  const ana = await (await browser(server, ANA)).ready();
  await ana.send(channel, "one");
  await until("it waits", () => ana.last("dm:pending")?.pending[0]?.failure?.code === "no_devices");
  const leo = await (await browser(server, LEO)).ready();
  await leo.reads(channel, ["one"]);
});

test("[EN21] what was written to someone without a device goes out too when they got one while nobody told this browser", async () => {
  const server = new FakeKeysServer();
  const channel = server.openChannel("dm", [ANA, LEO]);
  const ana = await (await browser(server, ANA)).ready();
  for (const text of ["one", "two"]) await ana.send(channel, text);
  await until("both wait", () => {
    return ana.last("dm:pending")?.pending.filter(({ failure }) => failure?.code === "no_devices").length === 2;
  });
  ana.goOffline();
  const leo = await (await browser(server, LEO)).ready();
  ana.reconnect();
  await leo.reads(channel, ["one", "two"]);
});

test("[EN24] two tabs share one device: each message is decrypted once and shown in both, and both may write", async () => {
  const { server, channel, ana, leo } = await pair();
  const tab = await tabBeside(leo);
  await tab.ready();
  const words: string[] = [];
  for (let count = 0; count < 12; count += 1) {
    const from = [ana, leo, tab][count % 3] ?? ana;
    words.push(`${count}`);
    await from.send(channel, `${count}`);
    for (const one of [ana, leo, tab]) await one.reads(channel, words);
  }
  const told = (one: FakeBrowser): Set<string> =>
    new Set(
      one.events.flatMap(({ name, event }) =>
        name === "dm:messages" ? (event as KeysEvents["dm:messages"]).messages.map(({ content }) => content) : [],
      ),
    );
  for (const one of [leo, tab]) await until("both pages were told", () => told(one).size === words.length);
  expect(server.failures).toEqual([]);
  expect(server.account(LEO).published?.deviceList.devices).toHaveLength(1);
  expectNoKeyTwice(server);
});

test("[EN35] what was written to an identity is sent again to nobody who has another one", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "for leo alone");
  await leo.reads(channel, ["for leo alone"]);
  leo.kill();
  const another = await browser(server, LEO);
  await until("the identity is elsewhere", () => another.last("device")?.kind === "identityElsewhere");
  await another.port.ask("device:startOver", { password: "password" });
  await another.ready();
  await until("ana knows", () => ana.last("peer")?.trust === "changed");
  // A server that wants to read: it gives the old message's id to a device of its own, which asks ana for it.
  const there = server.channels.get(channel);
  const [row] = there?.rows ?? [];
  if (there === undefined || row === undefined) throw new Error("nothing was sent");
  const broken = { type: 2, body: toBase64(new Uint8Array(80)) } as const;
  there.rows.push({ message: { ...row.message, seq: 2, changedSeq: 2 }, ciphertexts: new Map([[`${LEO}/1`, broken]]) });
  there.lastSeq = 2;
  another.reconnect();
  await until(
    "it has asked three times",
    async () => {
      const unreadable = (await another.messages(channel))[0]?.unreadable;
      return unreadable?.kind === "undecryptable" && unreadable.state === "given_up";
    },
    15_000,
  );
  expect(await another.words(channel)).toEqual(["(undecryptable)"]);
});

test("[EN25] who can no longer be asked about keeps nobody else's messages back", async () => {
  const server = new FakeKeysServer();
  const channel = server.openChannel("group_dm", [ANA, LEO]);
  const ana = await (await browser(server, ANA)).ready();
  const leo = await (await browser(server, LEO)).ready();
  server.unreachable.add(MIA);
  leo.goOffline();
  const stray = { id: 1, fromUserId: MIA, fromDeviceId: 1, type: 2, body: toBase64(new Uint8Array(80)) } as const;
  server
    .account(LEO)
    .devices.get(1)
    ?.envelopes.push({ ...stray, createdAt: "2026-11-25T00:00:00.000Z" });
  await ana.send(channel, "one");
  await until("it is stored", () => server.channels.get(channel)?.rows.length === 1);
  leo.reconnect();
  await leo.reads(channel, ["one"]);
  await until("all is acknowledged", () => server.account(LEO).devices.get(1)?.envelopes.length === 0);
});

test("[EN30] a conversation that begins while a connection is being taken in is there, and is written in at once", async () => {
  const { server, ana, leo } = await pair();
  for (let round = 0; round < 5; round += 1) {
    leo.goOffline();
    leo.reconnect();
    const channel = server.openChannel("dm", [ANA, LEO]);
    await until("the conversation is known", async () =>
      (await leo.port.ask("dm:states", {})).some(({ channelId }) => channelId === channel),
    );
    await leo.send(channel, "one");
    await ana.reads(channel, ["one"]);
  }
});

test("[EN7] a signed key that was the present one until now still reads what began with it", async () => {
  const { server, channel, ana, leo } = await pair();
  leo.goOffline();
  await ana.send(channel, "one");
  await until("it is stored", () => server.channels.get(channel)?.rows.length === 1);
  const device = () => server.account(LEO).devices.get(1)?.body;
  const before = device()?.signedPreKey.keyId;
  const { now } = Date;
  // Forty days, on the clock of these browsers.
  vi.spyOn(Date, "now").mockImplementation(() => now() + (40 * 24 * 60 * 60_000) / 100);
  await until("the signed key is another", () => {
    // Each time but while keys are being looked after already.
    leo.port.feed("keys:low", { remaining: 5 });
    return device()?.signedPreKey.keyId !== before;
  });
  leo.reconnect();
  await leo.reads(channel, ["one"]);
  expect(server.failures).toEqual([]);
});

test("[EN8] who starts over keeps what waits to be sent, and it is written with the new keys", async () => {
  const { server, channel, ana, leo } = await pair();
  await leo.send(channel, "one");
  await ana.reads(channel, ["one"]);
  leo.goOffline();
  for (const text of ["two", "three"]) await leo.send(channel, text);
  await leo.port.ask("device:startOver", { password: "password" });
  for (const text of ["four", "five"]) await leo.send(channel, text);
  leo.reconnect();
  await ana.reads(channel, ["one", "two", "three", "four", "five"]);
  expect(server.failures).toEqual([]);
});

test("[EN9] what brings device and server together beside it does not take the new identity for a stranger's", async () => {
  const server = new FakeKeysServer();
  await (await browser(server, ANA)).ready();
  const another = await browser(server, ANA);
  await until("the identity is elsewhere", () => another.last("device")?.kind === "identityElsewhere");
  const startOver = another.port.ask("device:startOver", { password: "password" });
  const over = new AbortController();
  const watched = startOver.finally(() => over.abort());
  while (!over.signal.aborted) await another.port.ask("device:retry", {});
  expect(await watched).toMatchObject({ kind: "ready" });
  expect(server.account(ANA).published?.deviceList.devices).toHaveLength(1);
});
