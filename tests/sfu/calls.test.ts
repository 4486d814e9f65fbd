import { networkInterfaces } from "node:os";
import type { Source } from "@lescopains/protocol/sfu/media";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "./kit/eventually.ts";
import { call, type Callers, eventOf, received, startCallers, until } from "./kit/browser.ts";
import { join } from "./kit/client.ts";
import { newJoin, newRoom } from "./kit/edge.ts";
import type { CallOptions } from "./kit/page/call.ts";
import { freePort } from "../../tools/stack/ports.ts";
import { type SfuProcess, startSfuProcess } from "./kit/process.ts";
import { secret, startRegistry } from "./kit/registry.ts";

let callers: Callers;
beforeAll(async () => {
  callers = await startCallers();
});
afterAll(() => callers.close());

type More = Partial<CallOptions> & {
  readonly room?: ReturnType<typeof newRoom>;
  readonly joinId?: ReturnType<typeof newJoin>;
};

async function joinAs(
  { url, edge }: SfuProcess,
  sources: readonly Source[],
  { room, joinId, ...more }: More,
): Promise<Page> {
  const page = await callers.page();
  const claims = { ...(room === undefined ? {} : { room }), ...(joinId === undefined ? {} : { joinId }) };
  await call(page, { url, token: await edge.token(claims), sources, ...more });
  return page;
}

const protocolOf = (page: Page) => page.evaluate(() => window.call.protocol());

test("[SC1] sound and a simulcast camera pass over UDP, in the size that is asked for; data too", async () => {
  const sfu = await startSfuProcess();
  const room = newRoom();
  const beganMs = performance.now();
  const sender = await joinAs(sfu, ["audio", "camera"], { room });
  const receiver = await joinAs(sfu, [], { room });
  await until(receiver, "audio");
  const track = await until(receiver, "camera", ({ framesDecoded }) => framesDecoded > 0);
  console.log(`two browsers, one sees and hears the other: ${Math.round(performance.now() - beganMs)} ms`);
  // Whichever answers first is taken first; UDP is then preferred.
  await eventually(async () => expect(await protocolOf(receiver)).toBe("udp"));
  for (const [spatialLayer, width] of [
    [0, 160],
    [1, 320],
  ] as const) {
    const layers = { consumerId: track.consumerId, spatialLayer };
    await receiver.evaluate((body) => window.call.ask("consumer:layers", body), layers);
    await until(receiver, "camera", ({ frameWidth }) => frameWidth === width);
  }
  await receiver.evaluate((body) => window.call.ask("consumer:pause", body), { consumerId: track.consumerId });
  await eventually(async () => {
    const before = (await received(receiver)).find(({ source }) => source === "camera")?.framesDecoded;
    await receiver.evaluate(() => new Promise((done) => setTimeout(done, 300)));
    expect((await received(receiver)).find(({ source }) => source === "camera")?.framesDecoded).toBe(before);
  });
  await sender.evaluate(() => window.call.say("hello"));
  await receiver.waitForFunction(() => window.call.messages.includes("hello"));
});

test("[SC2] where no UDP passes, everything goes over TCP", async () => {
  const sfu = await startSfuProcess();
  const room = newRoom();
  await joinAs(sfu, ["audio", "camera"], { room, tcpOnly: true });
  const receiver = await joinAs(sfu, [], { room, tcpOnly: true });
  await until(receiver, "camera", ({ framesDecoded }) => framesDecoded > 5);
  await until(receiver, "audio");
  expect(await protocolOf(receiver)).toBe("tcp");
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

test.runIf(hasIpv6)("[SC11] a call passes over IPv6 alone", async () => {
  const sfu = await startSfuProcess({ SFU_LISTEN: "::1" });
  const room = newRoom();
  await joinAs(sfu, ["audio", "camera"], { room });
  const receiver = await joinAs(sfu, [], { room });
  await until(receiver, "camera", ({ framesDecoded }) => framesDecoded > 5);
  await until(receiver, "audio");
  expect(await receiver.evaluate(() => window.call.nodeAddress())).toBe("::1");
});

test.runIf(hasIpv6)(
  "[SC12] a node that announces an address of each family is reached by either, and they hear each other",
  async () => {
    // One port for both, as in containers.
    const port = await freePort();
    const sfu = await startSfuProcess({ SFU_LISTEN: "0.0.0.0=127.0.0.1,::=::1", SFU_PORT: String(port) });
    const room = newRoom();
    const [four, six] = [
      await joinAs(sfu, ["audio", "camera"], { room, family: 4 }),
      await joinAs(sfu, ["audio", "camera"], { room, family: 6 }),
    ];
    for (const person of [four, six]) {
      await until(person, "camera", ({ framesDecoded }) => framesDecoded > 5);
      await until(person, "audio");
    }
    expect(await four.evaluate(() => window.call.nodeAddress())).toBe("127.0.0.1");
    expect(await six.evaluate(() => window.call.nodeAddress())).toBe("::1");
    // Whoever has both is told of both.
    const { client } = await join(sfu.url, await sfu.edge.token({}));
    const { iceCandidates } = await client.must("transport", { direction: "send" });
    const told = iceCandidates.map((one) => `${one.protocol} ${one.address} ${one.port}`);
    expect(new Set(told)).toEqual(
      new Set(["udp", "tcp"].flatMap((protocol) => [`${protocol} 127.0.0.1 ${port}`, `${protocol} ::1 ${port}`])),
    );
  },
);

test("[SC3] of frames that the node cannot read it passes sound and picture, and knows who is heard", async () => {
  const sfu = await startSfuProcess();
  const room = newRoom();
  await joinAs(sfu, ["audio", "camera"], { room, scramble: true });
  const receiver = await joinAs(sfu, [], { room, scramble: true });
  await until(receiver, "camera", ({ framesDecoded }) => framesDecoded > 5);
  const { peers } = await eventOf<{ peers: { peerId: string }[] }>(receiver, "ready");
  await receiver.waitForFunction(() =>
    window.call.events.some(
      ({ event, body }) => event === "speakers" && (body as { speakers: unknown[] }).speakers.length > 0,
    ),
  );
  const said = await receiver.evaluate(() => window.call.events.filter(({ event }) => event === "speakers"));
  expect(JSON.stringify(said)).toContain(peers[0]?.peerId);
});

test("[SC4] a screen in VP9 with layers passes (K-SVC)", async () => {
  const sfu = await startSfuProcess();
  const room = newRoom();
  await joinAs(sfu, ["screen"], { room });
  const receiver = await joinAs(sfu, [], { room });
  const { consumerId, frameWidth } = await until(receiver, "screen", (track) => track.framesDecoded > 5);
  await receiver.evaluate((body) => window.call.ask("consumer:layers", body), { consumerId, spatialLayer: 0 });
  await until(receiver, "screen", (track) => track.frameWidth < frameWidth);
});

test("[SC5] media passes between two workers", async () => {
  const sfu = await startSfuProcess({ SFU_WORKERS: "2", SFU_PEERS_PER_WORKER: "1" });
  const room = newRoom();
  const sender = await joinAs(sfu, ["audio", "camera"], { room });
  const receiver = await joinAs(sfu, [], { room });
  await until(receiver, "camera", ({ framesDecoded }) => framesDecoded > 5);
  await until(receiver, "audio");
  await sender.evaluate(() => window.call.say("across"));
  await receiver.waitForFunction(() => window.call.messages.includes("across"));
});

test("[SC6] ICE restarts without a break", async () => {
  const sfu = await startSfuProcess();
  const room = newRoom();
  await joinAs(sfu, ["camera"], { room });
  const receiver = await joinAs(sfu, [], { room });
  const { framesDecoded } = await until(receiver, "camera", (track) => track.framesDecoded > 5);
  await receiver.evaluate(() => window.call.restartIce());
  await until(receiver, "camera", (track) => track.framesDecoded > framesDecoded + 20);
});

test("[SC7] someone who is muted by others is heard by nobody, until they may speak again", async () => {
  const registry = await startRegistry();
  const sfu = await startSfuProcess({ SFU_REGISTRY_URL: registry.url, SFU_SECRET: secret });
  const [roomId, joinId] = [newRoom(), newJoin()];
  await joinAs(sfu, ["audio"], { room: roomId, joinId });
  const receiver = await joinAs(sfu, [], { room: roomId });
  await until(receiver, "audio");
  registry.send({ type: "rights", id: "1", roomId, joinId, rights: [] });
  await registry.until("done");
  const silent = await eventually(async () => {
    const [before] = await received(receiver);
    await receiver.evaluate(() => new Promise((done) => setTimeout(done, 300)));
    const [after] = await received(receiver);
    expect(after?.bytes).toBe(before?.bytes);
    return after?.bytes ?? 0;
  });
  registry.send({ type: "rights", id: "2", roomId, joinId, rights: ["speak"] });
  await until(receiver, "audio", ({ bytes }) => bytes > silent);
  registry.send({ type: "kick", id: "3", roomId, joinId });
  await registry.until("done", 2);
  await eventually(async () =>
    expect(
      await receiver.evaluate(() =>
        window.call.events.some(({ event }) => event === "consumer:closed" || event === "peer:left"),
      ),
    ).toBe(true),
  );
});

test("[SC8] a worker that is killed: people are told, rejoin a new one, and see each other again", async () => {
  const sfu = await startSfuProcess();
  const room = newRoom();
  const people = [await joinAs(sfu, ["camera"], { room }), await joinAs(sfu, [], { room })] as const;
  await until(people[1], "camera", ({ framesDecoded }) => framesDecoded > 0);
  const beganMs = performance.now();
  process.kill(sfu.workerPids()[0] ?? 0, "SIGKILL");
  for (const page of people) expect(await eventOf(page, "closed")).toEqual({ reason: "worker_died" });
  await eventually(() => expect(sfu.workerPids()).toHaveLength(2));
  await call(people[0], { url: sfu.url, token: await sfu.edge.token({ room }), sources: ["camera"] });
  await call(people[1], { url: sfu.url, token: await sfu.edge.token({ room }), sources: [] });
  await until(people[1], "camera", ({ framesDecoded }) => framesDecoded > 0);
  console.log(`a picture again ${Math.round(performance.now() - beganMs)} ms after the worker was killed`);
});

test("[SC9] SIGTERM lets calls go on until they end, and begins none", async () => {
  const sfu = await startSfuProcess({ SFU_DRAIN_MS: "3600000" });
  const room = newRoom();
  const sender = await joinAs(sfu, ["camera"], { room });
  const receiver = await joinAs(sfu, [], { room });
  sfu.kill("SIGTERM");
  await eventually(() => expect(sfu.log()).toContain('"msg":"draining"'));
  await expect(joinAs(sfu, [], {})).rejects.toThrow();
  const { framesDecoded } = await until(receiver, "camera", (track) => track.framesDecoded > 0);
  await until(receiver, "camera", (track) => track.framesDecoded > framesDecoded + 5);
  await sender.evaluate(() => window.call.ask("leave", {}));
  await receiver.evaluate(() => window.call.ask("leave", {}));
  expect(await sfu.exited).toBe(0);
});

test("[SC9] at the deadline those who are left are told to go elsewhere, and the node ends with its workers", async () => {
  const sfu = await startSfuProcess({ SFU_DRAIN_MS: "0" });
  const page = await joinAs(sfu, [], {});
  sfu.kill("SIGTERM");
  expect(await eventOf(page, "closed")).toEqual({ reason: "draining" });
  expect(await sfu.exited).toBe(0);
  await eventually(() => expect(() => process.kill(sfu.workerPids()[0] ?? 0, 0)).toThrow("ESRCH"));
});

test("[SC10] a node that is killed takes its workers along", async () => {
  const sfu = await startSfuProcess();
  const page = await joinAs(sfu, ["audio"], {});
  sfu.kill("SIGKILL");
  await page.waitForFunction(() => !window.call.connected);
  await eventually(() => expect(() => process.kill(sfu.workerPids()[0] ?? 0, 0)).toThrow("ESRCH"));
});

test("[SR1] rooms go to the least loaded worker, each of which has a port of its own", async () => {
  const { url, edge } = await startSfuProcess({ SFU_WORKERS: "2" });
  const ports: (number | undefined)[] = [];
  for (let n = 0; n < 4; n += 1) {
    const { client } = await join(url, await edge.token());
    const { iceCandidates } = await client.must("transport", { direction: "send" });
    ports.push(iceCandidates.find(({ protocol }) => protocol === "udp")?.port);
  }
  for (const port of ports) expect(ports.filter((one) => one === port)).toHaveLength(2);
});
