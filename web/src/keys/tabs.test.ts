/** What one tab of a browser learns and does, as the others show it. */
import { afterEach, expect, test } from "vitest";
import { until } from "./fake-browser.ts";
import { arrived, closeBrowsers, LEO, pair, tabBeside } from "./fake-people.ts";

afterEach(closeBrowsers);

test("[EN48] in every tab stands that an identity changed, and that it was accepted in one of them", async () => {
  const { server, channel, ana, leo } = await pair();
  const tab = await (await tabBeside(ana)).ready();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  const { digits } = await ana.port.ask("safety:number", { userId: LEO });
  await ana.port.ask("safety:verify", { userId: LEO, digits, verified: true });
  leo.kill();
  const again = await arrived(server, LEO);
  await again.port.ask("device:startOver", { password: "password" });
  await again.ready();
  for (const one of [ana, tab]) {
    await until("it is told", () => one.last("dm:state")?.notices.at(-1)?.userId === LEO);
    await until("nothing is sent", () => one.last("dm:state")?.blockedBy.length === 1);
  }
  await ana.port.ask("peer:accept", { userId: LEO });
  for (const one of [ana, tab]) {
    await until("what is written is sent", () => one.last("dm:state")?.blockedBy.length === 0);
    expect(one.last("peer")?.trust).toBe("trusted");
  }
});

test("[EN48] what one tab restores the others show, and what it did with the vault they say", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  const { recoveryKey } = await leo.port.ask("vault:create", { passphrase: null });
  await until("all is saved", async () => {
    const state = await leo.port.ask("vault:state", {});
    return state.kind === "on" && state.waiting === 0;
  });
  const second = await arrived(server, LEO);
  const tab = await tabBeside(second);
  await until("the tab waits too", () => tab.last("device")?.kind === "identityElsewhere");
  await second.port.ask("vault:restore", { recoveryKey });
  await until("the tab shows what came", () => tab.last("dm:reset") !== undefined);
  await tab.reads(channel, ["one"]);
  for (const one of [second, tab]) await until("it saves", () => one.last("vault")?.kind === "on");
  await second.port.ask("vault:confirm", { text: recoveryKey });
  await until("the tab says so", () => {
    const state = tab.last("vault");
    return state?.kind === "on" && state.confirmed;
  });
});
