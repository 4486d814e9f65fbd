/** What happens beside something else that is under way: in which order the answers come, a test decides. */
import type { HandoffId } from "@lescopains/protocol/ids";
import { afterEach, expect, test } from "vitest";
import { type FakeBrowser, until } from "./fake-browser.ts";
import { arrived, closeBrowsers, LEO, pair, tabBeside } from "./fake-people.ts";
import type { KeysEvents } from "./port.ts";

afterEach(closeBrowsers);

async function saved(one: FakeBrowser): Promise<void> {
  await until("all is saved", async () => {
    const state = await one.port.ask("vault:state", {});
    return state.kind === "on" && state.waiting === 0;
  });
}

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
  const kinds = second.events.flatMap(({ name, event }) =>
    name === "handoff" ? [(event as KeysEvents["handoff"]).kind] : [],
  );
  expect(kinds).toEqual(["waiting", "receiving", "done"]);
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
