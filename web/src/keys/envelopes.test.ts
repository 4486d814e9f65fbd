import { afterEach, expect, test } from "vitest";
import { until } from "./fake-browser.ts";
import { ANA, browser, closeBrowsers, LEO, MIA } from "./fake-people.ts";
import { FakeKeysServer } from "./fake-server.ts";

afterEach(closeBrowsers);

test("[EN29] a device whose queue is full keeps nobody else's envelopes back, and asks for what it missed", async () => {
  const server = new FakeKeysServer();
  const channel = server.openChannel("group_dm", [ANA, LEO, MIA]);
  const ana = await (await browser(server, ANA)).ready();
  const leo = await (await browser(server, LEO)).ready();
  const mia = await (await browser(server, MIA)).ready();
  server.full.add(`${MIA}/1`);
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  // Its sender key went in an envelope, and none is taken for Mia.
  await mia.reads(channel, ["(undecryptable)"]);
  expect(await ana.port.ask("dm:pending", {})).toEqual([]);
  expect(await ana.words(channel)).toEqual(["one"]);
  server.full.clear();
  await mia.reads(channel, ["one"]);
  await ana.send(channel, "two");
  for (const each of [leo, mia]) await each.reads(channel, ["one", "two"]);
});

test("[EN29] a refusal of everything that names nobody is tried again, and what waits leaves in order", async () => {
  const server = new FakeKeysServer();
  const channel = server.openChannel("group_dm", [ANA, LEO]);
  const ana = await (await browser(server, ANA)).ready();
  const leo = await (await browser(server, LEO)).ready();
  server.full.add(`${LEO}/1`);
  for (const text of ["one", "two", "three"]) await ana.send(channel, text);
  await until("all are stored", () => server.channels.get(channel)?.rows.length === 3);
  server.full.clear();
  await leo.reads(channel, ["one", "two", "three"]);
});
