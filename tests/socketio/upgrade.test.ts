import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { modes } from "./modes.ts";
import { type Probe, startProbe } from "./probe.ts";
import { openWire, PollingWire, until, upgradeWire } from "./wire.ts";

describe.each(modes)("upgrade, $mode", ({ hibernate }) => {
  let probe: Probe;
  beforeAll(async () => {
    probe = await startProbe({ settings: { hibernate } });
  });
  afterAll(() => probe.stop());

  test("[IO20] a polling session moves to a WebSocket, and what waited for it comes along in order", async () => {
    const polling = await PollingWire.open(probe.url);
    await polling.connect({ name: "mover" });
    const wire = upgradeWire(probe.url, polling.opening.sid);
    await wire.opened();
    wire.send("2probe");
    expect(await wire.next()).toBe("3probe");
    await polling.post('42["join","a"]\u001E421["echo",1]\u001E451-2["echo",{"_placeholder":true,"num":0}]\u001EbAQID');
    wire.send("5", '423["data"]');
    expect(await wire.next()).toBe("431[1]");
    expect(await wire.next()).toBe('461-2[{"_placeholder":true,"num":0}]');
    expect(await wire.next()).toEqual(Uint8Array.of(1, 2, 3).buffer);
    expect(await wire.next()).toMatch(/^433\[\{"name":"mover".*"rooms":\["a"\]/);
    const { sockets } = await probe.state();
    expect(sockets.find(({ name }) => name === "mover")).toMatchObject({ transport: "websocket", rooms: ["a"] });
    wire.close();
  });

  test("[IO20] during the upgrade a held GET and a new one are ended by a noop", async () => {
    const polling = await PollingWire.open(probe.url);
    await polling.connect();
    const held = polling.packets();
    const wire = upgradeWire(probe.url, polling.opening.sid);
    await wire.opened();
    wire.send("2probe");
    expect(await wire.next()).toBe("3probe");
    expect(await held).toEqual(["6"]);
    expect(await polling.packets()).toEqual(["6"]);
    wire.close();
  });

  test("[IO21] after the upgrade polling requests are refused and a second WebSocket is closed", async () => {
    const polling = await PollingWire.open(probe.url);
    await polling.connect();
    const wire = upgradeWire(probe.url, polling.opening.sid);
    await wire.opened();
    wire.send("2probe", "5", '421["echo",1]');
    expect([await wire.next(), await wire.next()]).toEqual(["3probe", "431[1]"]);
    expect((await polling.get()).status).toBe(400);
    expect((await polling.post("4x")).status).toBe(400);
    const thief = upgradeWire(probe.url, polling.opening.sid);
    expect(await thief.ended()).toEqual({ code: 1008, reason: "already upgraded" });
    wire.send('422["echo",2]');
    expect(await wire.next()).toBe("432[2]");
    wire.close();
  });

  test("[IO21] a WebSocket with the sid of another WebSocket's session is closed, and that session stays", async () => {
    const victim = await openWire(probe.url);
    await victim.connect();
    const { sockets } = await probe.state();
    expect(sockets.length).toBeGreaterThan(0);
    const second = await PollingWire.open(probe.url);
    await second.connect();
    const candidate = upgradeWire(probe.url, second.opening.sid);
    await candidate.opened();
    const rival = upgradeWire(probe.url, second.opening.sid);
    expect(await rival.ended()).toEqual({ code: 1008, reason: "already upgraded" });
    candidate.close();
    victim.close();
  });

  test.each(["4hello", "2", "3probe", "abc", ""])(
    "[IO22] a candidate that sends %j is closed, and the polling session stays",
    async (frame) => {
      const polling = await PollingWire.open(probe.url);
      await polling.connect();
      const wire = upgradeWire(probe.url, polling.opening.sid);
      await wire.opened();
      wire.send(frame);
      expect(await wire.ended()).toEqual({ code: 1008, reason: "invalid upgrade" });
      await polling.post('421["echo",1]');
      expect(await polling.packets()).toEqual(["431[1]"]);
    },
  );

  test("[IO22] a candidate that leaves makes way for the next", async () => {
    const polling = await PollingWire.open(probe.url);
    await polling.connect();
    const first = upgradeWire(probe.url, polling.opening.sid);
    await first.opened();
    first.close();
    await first.ended();
    await until(async () => {
      const next = upgradeWire(probe.url, polling.opening.sid);
      await next.opened();
      next.send("2probe");
      const frame = await next.next().catch(() => undefined);
      next.close();
      return frame === "3probe";
    });
  });

  test("[IO22] a candidate of a session that has ended is closed", async () => {
    const polling = await PollingWire.open(probe.url);
    const wire = upgradeWire(probe.url, polling.opening.sid);
    await wire.opened();
    await polling.post("1");
    wire.send("5");
    expect(await wire.ended()).toEqual({ code: 1008, reason: "session closed" });
  });
});
