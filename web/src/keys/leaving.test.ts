import { afterEach, expect, test } from "vitest";
import { until } from "./fake-browser.ts";
import { arrived, closeBrowsers, joined, LEO, pair } from "./fake-people.ts";

afterEach(closeBrowsers);

test("[EN44] what a forgotten device would delete is said before, and nothing of it is left here afterwards", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  leo.goOffline();
  await leo.send(channel, "never sent");
  expect(await leo.port.ask("device:holds", {})).toMatchObject({
    messages: 1,
    unsaved: 1,
    pending: 1,
    lastDevice: true,
  });
  await leo.port.ask("device:forget", { revoke: false });
  expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain(leo.databaseName);
  // The account still lists it: the identity is not there, and nobody makes another one by accident.
  expect(server.account(LEO).published?.deviceList.devices).toHaveLength(1);
  await leo.reopen();
  await until("it is known that the identity is gone", () => leo.last("device")?.kind === "identityElsewhere");
  expect(await leo.port.ask("dm:pending", {})).toEqual([]);
});

test("[EN44] forgetting takes the device off the list when the server can be told, the last one never, and keeps the vault", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  const { recoveryKey } = await leo.port.ask("vault:create", { passphrase: null });
  const second = await joined(server, leo);
  await until("both are listed", () => server.account(LEO).published?.deviceList.devices.length === 2);
  expect(await second.port.ask("device:holds", {})).toMatchObject({ lastDevice: false });
  await second.port.ask("device:forget", { revoke: true });
  expect(server.account(LEO).published?.deviceList.devices.map(({ deviceId }) => deviceId)).toEqual([1]);
  await until("all is saved", async () => {
    const state = await leo.port.ask("vault:state", {});
    return state.kind === "on" && state.waiting === 0 && state.savedAtMs !== null;
  });
  expect(await leo.port.ask("device:holds", {})).toMatchObject({ unsaved: 0, lastDevice: true });
  await leo.port.ask("device:forget", { revoke: true });
  expect(server.account(LEO).published?.deviceList.devices).toHaveLength(1);
  const back = await arrived(server, LEO);
  expect(back.last("device")).toMatchObject({ vault: true });
  await back.port.ask("vault:restore", { recoveryKey });
  await back.ready();
  await back.reads(channel, ["one"]);
});

test("[EN44] without the server nothing is forgotten that was to be revoked as well", async () => {
  const { channel, ana, leo, server } = await pair();
  await joined(server, leo);
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  leo.weather = { random: () => 0, lostAnswers: 1, lostEvents: 0, doubledEvents: 0, lateEvents: 0 };
  leo.events.length = 0;
  await leo.reopen();
  await until("the device is there", () => leo.last("device")?.kind === "ready");
  await expect(leo.port.ask("device:forget", { revoke: true })).rejects.toMatchObject({ code: "offline" });
  expect(await leo.words(channel)).toEqual(["one"]);
});
