import { randomUUID } from "node:crypto";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join as joinPath } from "node:path";
import type { RoomClaims } from "@lescopains/protocol/sfu/token";
import { importJWK, SignJWT } from "jose";
import { expect, onTestFinished, test, vi } from "vitest";
import { eventually } from "../sfu/kit/eventually.ts";
import { checkVoice } from "../../tools/doctor/voice.ts";
import { freePort } from "../../tools/stack/ports.ts";
import { loadSecrets, publicSigningKey, renewSfuSecret, signingKey } from "../../tools/stack/secrets.ts";
import { localNodeId } from "../../tools/stack/sfu.ts";
import { startStack } from "../../tools/stack/stack.ts";
import { join } from "../sfu/kit/client.ts";
import { newRoom, newUser } from "../sfu/kit/edge.ts";
import { fakeNode } from "../sfu/kit/node.ts";
import { type SfuProcess, startSfuProcess } from "../sfu/kit/process.ts";
import { runTool } from "../ops/kit/tool.ts";
import { dataFolder } from "./start-process.ts";

async function tokenOf(folder: string, room = newRoom()): Promise<string> {
  const jwk = signingKey(loadSecrets(folder));
  const now = Math.floor(Date.now() / 1_000);
  const stay = { sid: randomUUID() as RoomClaims["sid"], joinId: randomUUID() as RoomClaims["joinId"] };
  const who = { sub: newUser(), ...stay, did: 1 };
  const claims: RoomClaims = {
    aud: localNodeId,
    ...who,
    room,
    rights: ["speak"],
    enc: true,
    // The edge ends what it has not begun.
    probe: true,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
  };
  const header = { alg: "EdDSA", kid: jwk.kid, typ: "room+jwt" };
  return new SignJWT(claims).setProtectedHeader(header).sign(await importJWK(jwk, "EdDSA"));
}

test("[SK5] [SK8] the SFU node is reached at the edge's own address, media too; killed, it is back by itself and people rejoin", async () => {
  const folder = dataFolder();
  const lines: string[] = [];
  const onCrash = vi.fn();
  const stack = await startStack({ dataDir: folder, build: "edge", onCrash, log: (line) => lines.push(line) });
  onTestFinished(() => stack.stop());
  const room = newRoom();
  const polling = await join(stack.url, await tokenOf(folder, room), { transports: ["polling"] });
  const { client, ready } = await join(stack.url, await tokenOf(folder, room));
  expect(ready.peers).toEqual([polling.ready.peer]);
  const { iceCandidates } = await client.must("transport", { direction: "send" });
  expect(iceCandidates.map(({ address }) => address)).toEqual(["127.0.0.1", "127.0.0.1"]);
  const bearer = { authorization: `Bearer ${await tokenOf(folder)}` };
  expect((await fetch(`${stack.url}/sfu/join`, { method: "POST", headers: bearer })).status).toBe(200);

  const found = await checkVoice(stack.url, folder);
  expect(found).toMatch(
    /^ICE and DTLS come through on port \d+(, \d+)* in \d+ ms, TCP is open, (?:[345]\d|2[5-9]) of 50 packets of sound arrived$/,
  );
  console.log(`the doctor: ${found}`);

  const before = stack.sfu?.pid;
  const beganMs = performance.now();
  await stack.sfu?.kill9();
  await client.closed;
  const again = await eventually(async () => join(stack.url, await tokenOf(folder, room)));
  console.log(`back in a room ${Math.round(performance.now() - beganMs)} ms after the node was killed`);
  expect(again.ready.encrypted).toBe(true);
  expect(stack.sfu?.pid).not.toBe(before);
  expect(onCrash).not.toHaveBeenCalled();
  expect((await fetch(`${stack.url}/health`)).status).toBe(200);
  expect(lines.join("\n")).toContain("The SFU node ended unexpectedly (signal SIGKILL) and is started again");
});

test("[SK8] the doctor names the port of a node that is asked and answers, and that no media reaches", async () => {
  const folder = dataFolder();
  const keys = JSON.stringify({ keys: [publicSigningKey(loadSecrets(folder))] });
  // Its engine has no network.
  const { url } = await fakeNode({ SFU_EDGE_KEYS: keys, SFU_NODE_ID: localNodeId });
  await expect(checkVoice(url, folder)).rejects.toThrow(
    /^No media reaches the SFU node \(.*ICE.*\): let port 40000\/udp through the firewall/,
  );
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

test.runIf(hasIpv6)("[SK8] the doctor names an address that is announced and leads nowhere", async () => {
  const folder = dataFolder();
  const sfuEnv = { SFU_LISTEN: "127.0.0.1,::1=127.0.0.2", SFU_WORKERS: "1" };
  const stack = await startStack({ dataDir: folder, build: "edge", sfuEnv });
  onTestFinished(() => stack.stop());
  expect(await checkVoice(stack.url, folder)).toMatch(/TCP is open, but not at 127\.0\.0\.2,/);
});

test("[SK6] an installation from before there was voice gets the secrets for it, and keeps the others", () => {
  const folder = dataFolder();
  const path = joinPath(folder, "secrets.json");
  const { sfuSecret: _a, sfuSigningSeed: _b, ...old } = loadSecrets(folder);
  writeFileSync(path, JSON.stringify(old), { mode: 0o600 });
  const whole = loadSecrets(folder);
  expect(whole).toMatchObject(old);
  expect(loadSecrets(folder)).toEqual(whole);
  expect(statSync(path).mode & 0o777).toBe(0o400);
  rmSync(path);
  writeFileSync(path, JSON.stringify({ ...whole, sfuSecret: "short" }));
  expect(() => loadSecrets(folder)).toThrow("is damaged");
  expect(readFileSync(path, "utf8")).toContain("short");
});

test("[VO28] the secret of voice nodes is changed while one that has the old stays, one with the new comes, and then the old is nobody's", async () => {
  const folder = dataFolder();
  const port = await freePort();
  const former = loadSecrets(folder).sfuSecret;
  const sfu = (verb: string) => runTool("sfu", [verb], { DATA_DIR: folder });
  const node = (id: string, secret: string) =>
    startSfuProcess({
      SFU_NODE_ID: id,
      SFU_REGISTRY_URL: `ws://127.0.0.1:${port}/sfu-registry`,
      SFU_SECRET: secret,
    });
  const registered = (one: SfuProcess) => one.log().split('"registered with the edge"').length - 1;
  const start = () => startStack({ dataDir: folder, port, build: "edge", sfu: false });

  let stack = await start();
  onTestFinished(() => stack.stop());
  const old = await node("old", former);
  await eventually(() => expect(registered(old)).toBeGreaterThan(0));
  expect(await sfu("forget-secret")).toEqual({ code: 1, output: "There is no secret of before: nothing to forget\n" });
  const changed = await sfu("renew-secret");
  expect(changed).toMatchObject({ code: 0, output: expect.stringContaining("Start the edge again") });
  expect(await sfu("renew-secret")).toMatchObject({
    code: 1,
    output: expect.stringContaining("being changed already"),
  });
  const secret = loadSecrets(folder).sfuSecret;
  expect(loadSecrets(folder).formerSfuSecret).toBe(former);
  expect(secret).not.toBe(former);
  await stack.stop();
  const before = registered(old);
  stack = await start();
  const fresh = await node("fresh", secret);
  await eventually(() => expect(registered(old)).toBeGreaterThan(before));
  await eventually(() => expect(registered(fresh)).toBeGreaterThan(0));
  const listed = (await sfu("list")).output;
  expect(listed).toMatch(/^old +open, former secret +/m);
  expect(listed).toMatch(/^fresh +open +/m);

  expect((await sfu("forget-secret")).code).toBe(0);
  await stack.stop();
  const freshBefore = registered(fresh);
  stack = await start();
  await eventually(() => expect(registered(fresh)).toBeGreaterThan(freshBefore));
  await eventually(() => expect(old.log()).toContain("the edge does not take this node"));
  expect((await sfu("list")).output).not.toMatch(/^old /m);
  const logs = ["workerd", "postgres"].map((name) => readFileSync(joinPath(folder, "logs", `${name}.log`), "utf8"));
  for (const text of [...logs, old.log(), fresh.log(), changed.output, listed])
    for (const one of [secret, former]) expect(text.includes(one)).toBe(false);
});

test("[VO28] a secret of before that is none is damage; a folder without an installation gets none", () => {
  const folder = dataFolder();
  expect(() => renewSfuSecret(folder)).toThrow(`${folder} holds no secrets.json`);
  const path = joinPath(folder, "secrets.json");
  const whole = loadSecrets(folder);
  rmSync(path);
  writeFileSync(path, JSON.stringify({ ...whole, formerSfuSecret: "short" }));
  expect(() => loadSecrets(folder)).toThrow("is damaged");
});

test("[SK7] without a way to a mediasoup worker there is no voice, and everything else works", async () => {
  vi.stubEnv("MEDIASOUP_WORKER_BIN", "/nowhere/worker");
  const lines: string[] = [];
  try {
    const folder = dataFolder();
    const stack = await startStack({ dataDir: folder, build: "edge", log: (line) => lines.push(line) });
    onTestFinished(() => stack.stop());
    expect(stack.sfu).toBeUndefined();
    expect((await fetch(`${stack.url}/health`)).status).toBe(200);
    expect((await fetch(`${stack.url}/sfu/join`, { method: "POST" })).status).toBe(404);
    await expect(checkVoice(stack.url, folder)).rejects.toThrow("The SFU node lets nobody in (/sfu/join answers 404");
  } finally {
    vi.unstubAllEnvs();
  }
  expect(lines).toContainEqual(
    expect.stringMatching(/^There will be no voice: MEDIASOUP_WORKER_BIN=\/nowhere\/worker is no/),
  );
});
