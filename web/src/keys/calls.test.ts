import type { UserId } from "@lescopains/protocol/ids";
import { afterEach, expect, test } from "vitest";
import { callKeysOf } from "../voice/call-keys-port.ts";
import type { FromWorker } from "../voice/frames/link.ts";
import { createFrameSession, type FrameSession } from "../voice/frames/session.ts";
import { toBase64 } from "./base64.ts";
import { type FakeBrowser, until } from "./fake-browser.ts";
import { ANA, arrived, browser, closeBrowsers, joined, LEO, pair, tabBeside } from "./fake-people.ts";
import { FakeKeysServer } from "./fake-server.ts";
import type { CallDevice, KeysEvents } from "./port.ts";

const closing: FrameSession[] = [];
afterEach(() => {
  for (const session of closing.splice(0)) session.close();
  closeBrowsers();
});

function deviceOf({ userId }: FakeBrowser, deviceId = 1): CallDevice {
  return { userId, deviceId };
}

function heard(one: FakeBrowser): KeysEvents["call:message"][] {
  return one.events
    .filter(({ name }) => name === "call:message")
    .map(({ event }) => event as KeysEvents["call:message"]);
}

async function strangers(): Promise<{ server: FakeKeysServer; ana: FakeBrowser; leo: FakeBrowser }> {
  const server = new FakeKeysServer();
  return { server, ana: await (await browser(server, ANA)).ready(), leo: await (await browser(server, LEO)).ready() };
}

async function say(from: FakeBrowser, to: readonly CallDevice[], body: Uint8Array, anew = false): Promise<void> {
  await callKeysOf(from.pagePort).send(to, body, anew);
}

test("[EN51] a message of a call comes as it was, in every tab, and the server cannot read it", async () => {
  const { server, ana, leo } = await strangers();
  const tab = await (await tabBeside(leo)).ready();
  const body = Uint8Array.of(...Array.from({ length: 107 }, (_, index) => index));
  await say(ana, [deviceOf(leo)], body);
  for (const one of [leo, tab]) await until("it came", () => heard(one).length === 1);
  for (const one of [leo, tab]) expect(heard(one)).toEqual([{ from: deviceOf(ana), body }]);
  expect(JSON.stringify(server.traffic)).not.toContain(toBase64(body).slice(0, 40));
  expect(server.failures).toEqual([]);
});

test("[EN51] over a new session when it is asked for", async () => {
  const { server, ana, leo } = await strangers();
  await say(ana, [deviceOf(leo)], Uint8Array.of(1));
  await until("it came", () => heard(leo).length === 1);
  await say(leo, [deviceOf(ana)], Uint8Array.of(2));
  await until("the answer came", () => heard(ana).length === 1);
  await say(ana, [deviceOf(leo)], Uint8Array.of(3));
  await say(ana, [deviceOf(leo)], Uint8Array.of(4), true);
  await until("all came", () => heard(leo).length === 3);
  expect(heard(leo).map(({ body }) => [...body])).toEqual([[1], [3], [4]]);
  const fromAna = server.traffic.filter(({ from }) => from.startsWith(ANA)).map(({ type }) => type);
  expect(fromAna).toEqual([3, 2, 3]);
});

test("[EN52] a device that is on no list gets nothing, and keeps nobody else's back", async () => {
  const { server, ana, leo } = await strangers();
  const nobody = "018f0000-0000-7000-8000-0000000000dd" as UserId;
  await say(ana, [deviceOf(leo, 9), { userId: nobody, deviceId: 1 }, deviceOf(ana), deviceOf(leo)], Uint8Array.of(1));
  await until("it came", () => heard(leo).length === 1);
  expect(server.traffic.map(({ to }) => to)).toEqual([`${LEO}/1`]);
});

test("[EN52] whoever was verified and is now somebody else is not written to, nor listened to, until it is accepted", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "hello");
  await leo.reads(channel, ["hello"]);
  const { code } = await leo.port.ask("safety:number", { userId: ANA });
  await ana.port.ask("safety:scan", { userId: LEO, code });
  leo.kill();
  const again = await arrived(server, LEO);
  await again.port.ask("device:startOver", { password: "password" });
  await again.ready();
  await until("ana knows", async () => (await ana.port.ask("peer:state", { userId: LEO })).trust === "blocked");
  const before = server.traffic.length;
  await say(ana, [deviceOf(again)], Uint8Array.of(1));
  await say(again, [deviceOf(ana)], Uint8Array.of(2));
  await until("léo's has left", () => server.traffic.slice(before).some(({ to }) => to === `${ANA}/1`));
  await until("it is taken in", () => server.account(ANA).devices.get(1)?.envelopes.length === 0);
  expect(server.traffic.slice(before).filter(({ from }) => from.startsWith(ANA))).toEqual([]);
  expect(heard(ana)).toEqual([]);
  await ana.port.ask("peer:accept", { userId: LEO });
  await say(again, [deviceOf(ana)], Uint8Array.of(3));
  await until("it came", () => heard(ana).length > 0);
  expect(heard(ana).map(({ body }) => [...body])).toEqual([[3]]);
});

test("[EN51] the keys of a call go over real sessions: all see the same members, and a frame opens", async () => {
  const { server, ana, leo } = await strangers();
  const ana2 = await joined(server, ana);
  const callId = "00000000-0000-4000-8000-0000000000ca";
  const devices = [
    { page: ana, deviceId: 1 },
    { page: ana2, deviceId: 2 },
    { page: leo, deviceId: 1 },
  ].map(({ page, deviceId }) => {
    const member = { accountId: page.userId, deviceId, joinId: crypto.randomUUID() };
    const port = callKeysOf(page.pagePort);
    let keyed: Extract<FromWorker, { kind: "keyed" }>["keyed"];
    const tell = (message: FromWorker): void => {
      if (message.kind === "keyed") keyed = message.keyed;
      if (message.kind !== "send") return;
      const to = message.to.map(({ accountId, deviceId: id }) => ({ userId: accountId as UserId, deviceId: id }));
      // The last acknowledgements may be on their way when the browsers close.
      port.send(to, message.body, message.anew).catch(() => undefined);
    };
    const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
    const clock = {
      now: () => performance.now(),
      after(delayMs: number, task: () => void) {
        const timer = setTimeout(task, delayMs);
        return () => clearTimeout(timer);
      },
    };
    const session = createFrameSession({ subtle: crypto.subtle, random, clock, tell }, callId, member);
    closing.push(session);
    port.onMessage(({ userId, deviceId: id }, body) => session.message({ accountId: userId, deviceId: id }, body));
    return { member, session, port, keyed: () => keyed };
  });
  const members = devices.map(({ member }) => member);
  for (const { session } of devices) session.roster({ epoch: 1, members });
  await until("everyone has everyone's key", () => devices.every(({ keyed }) => keyed()?.members.length === 3));
  const commitments = devices.map(({ keyed }) =>
    keyed()
      ?.members.map(({ commitment }) => toBase64(commitment))
      .toSorted(),
  );
  for (const other of commitments) expect(other).toEqual(commitments[0]);
  const [sender, ...others] = devices;
  const sealed = await sender?.session.seal("audio", "opus", Uint8Array.of(1, 2, 3));
  for (const { session } of others) {
    const opened = await session.open(sender?.member.joinId ?? "", "audio", sealed ?? new Uint8Array(0));
    expect(opened).toEqual({ kind: "frame", frame: Uint8Array.of(1, 2, 3) });
  }
  const identities = await Promise.all(devices.map(({ port }) => port.identities([ANA, LEO])));
  for (const known of identities) expect(known).toEqual(identities[0]);
  expect([...(identities[0]?.values() ?? [])].map(({ length }) => length)).toEqual([33, 33]);
});
