import { afterEach, expect, test } from "vitest";
import { type FakeBrowser, until } from "./fake-browser.ts";
import { ANA, arrived, browser, closeBrowsers, joined, LEO, pair } from "./fake-people.ts";
import { FakeKeysServer } from "./fake-server.ts";
import type { VaultState } from "./port.ts";

afterEach(closeBrowsers);

async function vaultOf(one: FakeBrowser): Promise<VaultState> {
  return await one.port.ask("vault:state", {});
}

/** With the key that is shown. */
async function saved(one: FakeBrowser): Promise<void> {
  await until("all is saved", async () => {
    const state = await vaultOf(one);
    return state.kind === "on" && state.waiting === 0 && state.savedAtMs !== null;
  });
}

test("[EN45] killed at any step of a vault's replacement, a browser has the key of the vault that is there", async () => {
  for (let step = 1; step < 34; step += 3) {
    const server = new FakeKeysServer();
    server.openChannel("dm", [ANA, LEO]);
    const leo = await (await browser(server, LEO)).ready();
    await leo.port.ask("vault:create", { passphrase: null });
    await saved(leo);
    const before = server.account(LEO).vault?.token;
    leo.killIn = step;
    leo.port.ask("vault:replace", { password: "password", passphrase: null }).catch(() => undefined);
    await until("it is killed, or replaced", () => leo.dead || server.account(LEO).vault?.token !== before);
    leo.killIn = Infinity;
    await leo.reopen();
    await leo.ready();
    await saved(leo);
    const { recoveryKey } = await leo.port.ask("vault:show", {});
    const again = await arrived(server, LEO);
    await again.port.ask("vault:restore", { recoveryKey });
    await again.ready();
    closeBrowsers();
  }
});

test("[EN45] a replacement that the server refuses leaves the vault and its key as they were", async () => {
  const { leo } = await pair();
  const { recoveryKey } = await leo.port.ask("vault:create", { passphrase: null });
  await expect(leo.port.ask("vault:replace", { password: "wrong", passphrase: null })).rejects.toMatchObject({
    code: "wrong_password",
  });
  await leo.reopen();
  await leo.ready();
  await saved(leo);
  expect(await leo.port.ask("vault:show", {})).toEqual({ recoveryKey });
});

test("[EN45] after a replacement the new key opens everything, and the old one nothing", async () => {
  const { server, channel, ana, leo } = await pair();
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  const { recoveryKey: old } = await leo.port.ask("vault:create", { passphrase: "quatre mots bien rangés" });
  await saved(leo);
  const { recoveryKey } = await leo.port.ask("vault:replace", { password: "password", passphrase: null });
  await saved(leo);
  const again = await arrived(server, LEO);
  await expect(again.port.ask("vault:restore", { recoveryKey: old })).rejects.toMatchObject({ code: "wrong_key" });
  await expect(again.port.ask("vault:restore", { passphrase: "quatre mots bien rangés" })).rejects.toMatchObject({
    code: "wrong_passphrase",
  });
  await again.port.ask("vault:restore", { recoveryKey });
  await again.ready();
  await again.reads(channel, ["one"]);
});

test("[EN42] what is no key is told at once, and where, whatever the server does", async () => {
  const { server, leo } = await pair();
  await leo.port.ask("vault:create", { passphrase: null });
  const again = await arrived(server, LEO);
  again.goOffline();
  await expect(again.port.ask("vault:restore", { recoveryKey: "ABCD" })).rejects.toMatchObject({
    refusal: { code: "wrong_key", problem: { kind: "length", count: 4 } },
  });
});

test("[EN46] no answer of a server makes a browser forget its recovery key", async () => {
  const { server, channel, ana, leo } = await pair();
  const { recoveryKey } = await leo.port.ask("vault:create", { passphrase: null });
  await saved(leo);
  const account = server.account(LEO);
  const honest = account.vault;
  if (honest === null) throw new Error("there is no vault");
  account.vault = { ...honest, token: "another" };
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  await until("it is told", async () => {
    const state = await vaultOf(leo);
    return state.kind === "on" && state.failure?.server === "vault_locked";
  });
  expect(await leo.port.ask("vault:show", {})).toEqual({ recoveryKey });
  account.vault = honest;
  await saved(leo);
});

test("[EN46] a vault that another browser has put in its place is locked here, and opens with its own key", async () => {
  const { server, channel, ana, leo } = await pair();
  await leo.port.ask("vault:create", { passphrase: null });
  await saved(leo);
  const leo2 = await joined(server, leo);
  const { recoveryKey } = await leo2.port.ask("vault:replace", { password: "password", passphrase: null });
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  await until("it is locked", async () => (await vaultOf(leo)).kind === "locked");
  await expect(leo.port.ask("vault:show", {})).rejects.toMatchObject({ code: "no_vault" });
  await leo.port.ask("vault:restore", { recoveryKey });
  await saved(leo);
});

test("[EN47] what another browser gave is not lost with the tab that received it", async () => {
  for (let step = 5; step < 60; step += 11) {
    const { server, channel, ana, leo } = await pair();
    await leo.port.ask("vault:create", { passphrase: null });
    await ana.send(channel, "one");
    await leo.reads(channel, ["one"]);
    await saved(leo);
    const second = await arrived(server, LEO);
    const code = await second.port.ask("handoff:begin", {});
    if (code.kind !== "waiting") throw new Error("there is no code");
    const states = () => second.events.filter(({ name }) => name === "handoff").length;
    const before = states();
    await leo.port.ask("handoff:approve", { code: code.code });
    await until("it came", () => states() > before);
    second.killIn = step;
    await until("it is killed, or done", () => second.dead || second.last("device")?.kind === "ready");
    second.killIn = Infinity;
    await second.reopen();
    await second.ready();
    await second.reads(channel, ["one"]);
    expect((await vaultOf(second)).kind).toBe("on");
    closeBrowsers();
  }
});

test("[EN41] a browser that goes over to another identity of its account saves that one to the vault", async () => {
  const { server, channel, ana, leo } = await pair();
  const { recoveryKey } = await leo.port.ask("vault:create", { passphrase: null });
  await ana.send(channel, "one");
  await leo.reads(channel, ["one"]);
  await saved(leo);
  const again = await arrived(server, LEO);
  await again.port.ask("device:startOver", { password: "password" });
  await again.ready();
  expect(await leo.port.ask("device:retry", {})).toMatchObject({ kind: "identityElsewhere", replaced: true });
  const code = await leo.port.ask("handoff:begin", {});
  if (code.kind !== "waiting") throw new Error("there is no code");
  await again.port.ask("handoff:approve", { code: code.code });
  await leo.ready();
  await saved(leo);
  const third = await arrived(server, LEO);
  await third.port.ask("vault:restore", { recoveryKey });
  await third.ready();
  await third.reads(channel, ["one"]);
});
