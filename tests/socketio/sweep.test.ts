import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Probe, startProbe } from "./probe.ts";
import { openWire, PollingWire, until, upgradeWire } from "./wire.ts";

const rules = { pingAfterMs: 30_000, closeAfterMs: 60_000 };

describe("sweep", () => {
  let probe: Probe;
  beforeAll(async () => {
    probe = await startProbe({
      settings: { hibernate: true, autoAnswer: { event: "presence", answer: "noted" }, connectTimeoutMs: 45_000 },
    });
  });
  afterAll(() => probe.stop());

  test("[IO33] silence is first met with one ping, then with a close", async () => {
    const wire = await openWire(probe.url);
    await wire.connect("/", { name: "silent" });
    await probe.sweep(29_000, rules);
    await probe.sweep(31_000, rules);
    await probe.sweep(32_000, rules);
    expect(await wire.next()).toBe("2");
    await probe.sweep(62_000, rules);
    await until(() => wire.isEnding);
    expect(wire.frames).toEqual([]);
    const { disconnects } = await probe.state();
    expect(disconnects).toContainEqual({ name: "silent", reason: "ping timeout" });
  });

  test("[IO33] silence that is already too long closes without a ping", async () => {
    const wire = await openWire(probe.url);
    await wire.connect("/", { name: "long gone" });
    await probe.sweep(61_000, rules);
    await until(() => wire.isEnding);
    expect(wire.frames).toEqual([]);
  });

  test("[IO33] any packet and any automatic answer breaks the silence", async () => {
    const [pong, auto] = [await openWire(probe.url), await openWire(probe.url)];
    await pong.connect("/", { name: "pong" });
    await auto.connect("/", { name: "auto" });
    await probe.sweep(31_000, rules);
    expect([await pong.next(), await auto.next()]).toEqual(["2", "2"]);
    pong.send("3", '421["echo",1]');
    expect(await pong.next()).toBe("431[1]");
    auto.send('42["presence"]');
    expect(await auto.next()).toBe('42["noted"]');
    await probe.sweep(59_000, rules);
    const { sockets } = await probe.state();
    expect(sockets.map(({ name }) => name)).toEqual(expect.arrayContaining(["pong", "auto"]));
    pong.close();
    auto.close();
  });

  test("[IO33] a polling session is pinged and closed by the same rules", async () => {
    const wire = await PollingWire.open(probe.url);
    await wire.connect({ name: "silent poller" });
    const held = wire.packets();
    await until(async () => {
      await probe.sweep(31_000, rules);
      return (await Promise.race([held, Promise.resolve(undefined)])) !== undefined;
    });
    expect(await held).toEqual(["2"]);
    await probe.sweep(61_000, rules);
    expect((await wire.get()).status).toBe(400);
    const { disconnects } = await probe.state();
    expect(disconnects).toContainEqual({ name: "silent poller", reason: "ping timeout" });
  });

  test("[IO34] what is left half done is ended: no namespace, half a packet, half an upgrade", async () => {
    const idle = await openWire(probe.url);
    const half = await openWire(probe.url);
    await half.connect("/", { name: "half" });
    half.send('451-["echo",{"_placeholder":true,"num":0}]');
    const polling = await PollingWire.open(probe.url);
    await polling.connect({ name: "patient" });
    const candidate = upgradeWire(probe.url, polling.opening.sid);
    await candidate.opened();
    candidate.send("2probe");
    expect(await candidate.next()).toBe("3probe");
    const untouched = await PollingWire.open(probe.url);

    await probe.sweep(46_000, { pingAfterMs: 100_000, closeAfterMs: 200_000 });
    await until(() => idle.isEnding && half.isEnding && candidate.isEnding);
    expect((await untouched.get()).status).toBe(400);
    const { disconnects, sockets } = await probe.state();
    expect(disconnects).toContainEqual({ name: "half", reason: "incomplete packet" });
    expect(sockets.map(({ name }) => name)).toContain("patient");
  });

  test("[IO34] a client that left its last namespace has the connect timeout again", async () => {
    const wire = await openWire(probe.url);
    await wire.connect();
    wire.send("41", "40/nowhere,");
    expect(await wire.next()).toBe('44/nowhere,{"message":"Invalid namespace"}');
    await probe.sweep(46_000, { pingAfterMs: 100_000, closeAfterMs: 200_000 });
    await until(() => wire.isEnding);
  });

  test("[IO33] a sweep tells how many connections remain, so that an empty actor can sleep", async () => {
    const wire = await openWire(probe.url);
    expect(await probe.sweep(0, rules)).toBeGreaterThan(0);
    wire.close();
    await until(async () => (await probe.sweep(100_000, rules)) === 0);
  });
});

describe("timers, for sessions that do not hibernate", () => {
  let probe: Probe;
  beforeAll(async () => {
    probe = await startProbe({ settings: { hibernate: false, connectTimeoutMs: 100 } });
  });
  afterAll(() => probe.stop());

  test("[IO34] what is left half done is ended: no namespace, half a packet, half an upgrade", async () => {
    const [busy, idle, half] = [await openWire(probe.url), await openWire(probe.url), await openWire(probe.url)];
    await busy.connect("/", { name: "busy" });
    await half.connect("/", { name: "half" });
    half.send('451-["echo",{"_placeholder":true,"num":0}]');
    const polling = await PollingWire.open(probe.url);
    await polling.connect({ name: "patient" });
    const candidate = upgradeWire(probe.url, polling.opening.sid);
    expect(await idle.ended()).toEqual({ code: 1008, reason: "connect timeout" });
    expect(await half.ended()).toEqual({ code: 1008, reason: "incomplete packet" });
    expect(await candidate.ended()).toEqual({ code: 1008, reason: "upgrade timeout" });
    busy.send('421["echo",1]');
    expect(await busy.next()).toBe("431[1]");
    await polling.post('421["echo",1]');
    expect(await polling.packets()).toEqual(["431[1]"]);
    busy.send("41");
    expect(await busy.ended()).toEqual({ code: 1008, reason: "connect timeout" });
  });
});
