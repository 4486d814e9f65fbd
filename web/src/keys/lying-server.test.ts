import { afterEach, expect, test } from "vitest";
import { type FakeBrowser, until } from "./fake-browser.ts";
import { ANA, arrived, browser, closeBrowsers, joined, LEO, MIA, pair } from "./fake-people.ts";
import { FakeKeysServer } from "./fake-server.ts";

afterEach(closeBrowsers);

function publishedBy(server: FakeKeysServer, userId: typeof LEO) {
  const { published } = server.account(userId);
  if (published === null) throw new Error("nothing is published");
  return published;
}

/** Ana hears that Léo's list has changed, and has asked for it when this is over. */
async function asksAbout(ana: FakeBrowser): Promise<void> {
  const told = ana.events.length;
  ana.port.feed("keys:changed", { userId: LEO, identityKey: "", version: 1 });
  await until("they have asked", () => ana.events.slice(told).some(({ name }) => name === "peer"));
}

test("[EN32] an earlier list is an answer that came late: nobody is kept back by it, and no device of it is written to", async () => {
  const { server, channel, ana, leo } = await pair();
  const leo2 = await joined(server, leo);
  await ana.send(channel, "one");
  await leo2.reads(channel, ["one"]);
  const earlier = publishedBy(server, LEO);
  await leo.port.ask("devices:revoke", { deviceIds: [2] });
  await ana.send(channel, "two");
  await leo.reads(channel, ["one", "two"]);
  const later = server.traffic.length;
  // From now on the server answers with the list of before, whenever it is asked.
  server.account(LEO).published = earlier;
  await asksAbout(ana);
  await ana.send(channel, "three");
  await leo.reads(channel, ["one", "two", "three"]);
  expect(server.traffic.slice(later).filter(({ to }) => to === `${LEO}/2`)).toEqual([]);
  expect((await ana.port.ask("peer:state", { userId: LEO })).devices).toBe(1);
});

test("[EN36] an identity that another one has superseded never comes back, whatever it signs", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  const first = publishedBy(server, LEO);
  server.unreachable.add(LEO);
  for (let count = 0; count < 2; count += 1) await joined(server, leo);
  // Version 3, of the identity that is superseded next: whoever has it may sign any version.
  const old = publishedBy(server, LEO);
  server.account(LEO).published = first;
  server.unreachable.delete(LEO);
  const again = await arrived(server, LEO);
  await again.port.ask("device:startOver", { password: "password" });
  await again.ready();
  await until("ana knows", () => ana.last("peer")?.trust === "changed");
  const { digits } = await ana.port.ask("safety:number", { userId: LEO });
  server.account(LEO).published = old;
  await asksAbout(ana);
  expect((await ana.port.ask("safety:number", { userId: LEO })).digits).toBe(digits);
  expect((await ana.port.ask("peer:state", { userId: LEO })).devices).toBe(1);
});

test("[EN37] a device signs no list with a line that its account has not signed", async () => {
  const server = new FakeKeysServer();
  const leo = await (await browser(server, LEO)).ready();
  const honest = publishedBy(server, LEO);
  const { deviceList } = honest;
  const stranger = { deviceId: 9, registrationId: 999, createdAt: 1 };
  const lie = { ...honest, deviceList: { ...deviceList, devices: [...deviceList.devices, stranger] } };
  const second = await arrived(server, LEO);
  const code = await second.port.ask("handoff:begin", {});
  if (code.kind !== "waiting") throw new Error("there is no code");
  server.account(LEO).published = lie;
  await leo.port.ask("handoff:approve", { code: code.code });
  await until("it is refused", () => second.last("device")?.kind === "failed");
  expect(second.last("device")).toMatchObject({ refusal: { code: "list_refused" } });
  expect(server.account(LEO).published).toBe(lie);
});

test("[EN38] a browser is revoked by a later list that its identity has signed, and by nothing else", async () => {
  const { server, channel, ana, leo } = await pair();
  const alone = publishedBy(server, LEO);
  const leo2 = await joined(server, leo);
  const both = publishedBy(server, LEO);
  await ana.send(channel, "one");
  await leo2.reads(channel, ["one"]);
  const unsigned = { ...both, deviceList: { ...both.deviceList, version: 3, devices: alone.deviceList.devices } };
  for (const lie of [null, alone, unsigned]) {
    server.account(LEO).published = lie;
    expect(await leo2.port.ask("device:retry", {})).toMatchObject({ kind: "ready" });
    await leo2.reopen();
    expect(await leo2.port.ask("device:retry", {})).toMatchObject({ kind: "ready" });
    expect(await leo2.words(channel)).toEqual(["one"]);
  }
  server.account(LEO).published = both;
  await leo.port.ask("devices:revoke", { deviceIds: [2] });
  expect(await leo2.port.ask("device:retry", {})).toEqual({ kind: "revoked" });
});

test("[EN38] another identity is told as what the server says: nothing is deleted, and the browser goes on when it is taken back", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  const honest = publishedBy(server, LEO);
  const mia = await (await browser(server, MIA)).ready();
  expect(mia.last("device")?.kind).toBe("ready");
  server.account(LEO).published = publishedBy(server, MIA);
  const replaced = { kind: "identityElsewhere", replaced: true };
  expect(await leo.port.ask("device:retry", {})).toMatchObject(replaced);
  await leo.reopen();
  await until("it is told again", () => leo.last("device")?.kind === "identityElsewhere");
  expect(await leo.words(channel)).toEqual(["one"]);
  server.account(LEO).published = honest;
  await leo.port.ask("device:retry", {});
  leo.reconnect();
  await ana.send(channel, "two");
  await leo.reads(channel, ["one", "two"]);
});

test("[EN39] a wrong password to start over with changes nothing", async () => {
  const { channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  await expect(leo.port.ask("device:startOver", { password: "wrong" })).rejects.toMatchObject({
    code: "wrong_password",
  });
  await leo.send(channel, "two");
  await ana.reads(channel, ["one", "two"]);
  await leo.reopen();
  await leo.ready();
  await ana.send(channel, "three");
  await leo.reads(channel, ["one", "two", "three"]);
});

test("[EN39] killed at any step of starting over, a browser has the identity that the server has", async () => {
  for (let step = 2; step < 40; step += 4) {
    const server = new FakeKeysServer();
    const channel = server.openChannel("dm", [ANA, LEO]);
    const leo = await (await browser(server, LEO)).ready();
    leo.killIn = step;
    leo.port.ask("device:startOver", { password: "password" }).catch(() => undefined);
    await until("it is killed, or done", () => leo.dead || publishedBy(server, LEO).deviceList.version === 2);
    leo.killIn = Infinity;
    await leo.reopen();
    await leo.ready();
    const ana = await (await browser(server, ANA)).ready();
    await ana.send(channel, `${step}`);
    await leo.reads(channel, [`${step}`]);
    closeBrowsers();
  }
});
