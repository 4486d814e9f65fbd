/** How the device begins: what the server is asked then, whichever of start and connection comes first. */
import type { Generation } from "@lescopains/protocol/ids";
import { afterEach, expect, test } from "vitest";
import { type FakeBrowser, until } from "./fake-browser.ts";
import { ANA, browser, closeBrowsers, pair } from "./fake-people.ts";
import { FakeKeysServer } from "./fake-server.ts";

afterEach(closeBrowsers);

function asked(one: FakeBrowser, name: string): number {
  return one.calls.filter((call) => call === name).length;
}

test("[EN40] a browser that begins again asks each thing once, and is up to date", async () => {
  const { channel, ana, leo } = await pair();
  await ana.port.ask("vault:create", { passphrase: null });
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  await until("all is saved", async () => {
    const state = await ana.port.ask("vault:state", {});
    return state.kind === "on" && state.waiting === 0;
  });
  ana.kill();
  ana.calls.length = 0;
  ana.events.length = 0;
  const open = ana.hold("listDevices");
  await ana.open();
  await until("the first question is on its way, and the connection there", () => {
    return asked(ana, "listDevices") > 0 && ana.last("dm:state") !== undefined;
  });
  open();
  await until("all is saved", () => ana.last("vault") !== undefined);
  // Nothing came meanwhile: a message is saved some time after it came, and the vault asked after once more.
  for (const name of ["listDevices", "countPreKeys", "getVault"]) expect(asked(ana, name), name).toBe(1);
  ana.goOffline();
  await leo.send(channel, "meanwhile");
  ana.calls.length = 0;
  ana.events.length = 0;
  ana.reconnect();
  await until("the connection is taken in", () => ana.last("vault") !== undefined);
  await ana.reads(channel, ["one", "meanwhile"]);
  expect(asked(ana, "listDevices")).toBe(0);
});

test("[EN40] what the start was told is asked again when the connection is of another generation", async () => {
  const server = new FakeKeysServer();
  const ana = await (await browser(server, ANA)).ready();
  ana.kill();
  ana.calls.length = 0;
  const open = ana.hold("listDevices");
  await ana.open();
  await until("the first question is on its way", () => asked(ana, "listDevices") > 0);
  server.generation = "018f0000-0000-4000-8000-00000000000b" as Generation;
  ana.reconnect();
  open();
  await until("it was asked again", () => asked(ana, "listDevices") === 2);
  await until("the device has registered itself with it", () => asked(ana, "putDevice") === 1);
});
