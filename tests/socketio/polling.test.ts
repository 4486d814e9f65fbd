import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Echo, startEcho } from "./echo.ts";
import { modes } from "./modes.ts";
import { type Probe, startProbe } from "./probe.ts";
import { PollingWire, until } from "./wire.ts";

describe.each(modes)("polling, $mode", ({ hibernate }) => {
  let probe: Probe;
  beforeAll(async () => {
    probe = await startProbe({ settings: { hibernate, maxPayloadBytes: 10_000 } });
  });
  afterAll(() => probe.stop());

  test("[IO10] packets of one POST are handled in order, and answers to them leave in one response", async () => {
    const wire = await PollingWire.open(probe.url);
    await wire.connect();
    const posted = await wire.post(['421["echo",1]', '422["echo",2]', '423["echo",3]'].join("\u001E"));
    expect(posted.status).toBe(200);
    expect(await posted.text()).toBe("ok");
    expect(await wire.packets()).toEqual(["431[1]", "432[2]", "433[3]"]);
  });

  test("[IO10] a GET waits until there is something to say", async () => {
    const wire = await PollingWire.open(probe.url);
    await wire.connect();
    const held = wire.packets();
    await wire.post('421["echo","late"]');
    expect(await held).toEqual(['431["late"]']);
  });

  test("[IO10] binary travels as base64 in both directions", async () => {
    const wire = await PollingWire.open(probe.url);
    await wire.connect();
    const bytes = Buffer.from([0, 1, 2, 253, 254, 255]).toString("base64");
    await wire.post(`451-["echo",{"_placeholder":true,"num":0}]\u001Eb${bytes}`);
    expect(await wire.packets()).toEqual(['451-["echoed",{"_placeholder":true,"num":0}]', `b${bytes}`]);
  });

  test("[IO11] a second GET at a time ends the session: the first is told, the second refused", async () => {
    const wire = await PollingWire.open(probe.url);
    await wire.connect();
    const both = await Promise.all([wire.get(), wire.get()]);
    expect(both.map(({ status }) => `${status}`).toSorted()).toEqual(["200", "400"]);
    const told = both.find(({ status }) => status === 200);
    expect(await told?.text()).toBe("1");
    expect((await wire.get()).status).toBe(400);
  });

  test("[IO11] a client that says goodbye has its held GET ended by a noop", async () => {
    const wire = await PollingWire.open(probe.url);
    await wire.connect({ name: "leaving by poll" });
    const held = wire.get();
    expect((await wire.post("1")).status).toBe(200);
    expect(await (await held).text()).toBe("6");
    expect((await wire.get()).status).toBe(400);
    const { disconnects } = await probe.state();
    expect(disconnects).toContainEqual({ name: "leaving by poll", reason: "transport close" });
  });

  test("[IO12] a body above the limit is answered 413 and does not end the session", async () => {
    const wire = await PollingWire.open(probe.url);
    await wire.connect();
    expect((await wire.post(`4${"x".repeat(10_000)}`)).status).toBe(413);
    await wire.post('421["echo",1]');
    expect(await wire.packets()).toEqual(["431[1]"]);
  });

  test.each(["abc", "", "\u001E", "9", "4x\u001E", "bnotbase64"])(
    "[IO13] the body %j ends the session",
    async (body) => {
      const wire = await PollingWire.open(probe.url);
      await wire.connect();
      expect((await wire.post(body)).status).toBe(400);
      expect((await wire.get()).status).toBe(400);
    },
  );

  test("[IO13] binary bodies, which Engine.IO v4 does not have, end the session", async () => {
    const wire = await PollingWire.open(probe.url);
    await wire.connect();
    expect((await wire.post("4x", { "content-type": "application/octet-stream" })).status).toBe(400);
    expect((await wire.get()).status).toBe(400);
  });

  test("[IO14] what waits for a client that does not poll is bounded", async () => {
    const wire = await PollingWire.open(probe.url);
    await wire.connect({ name: "sleepy" });
    await until(async () => {
      await probe.broadcast("x".repeat(9_000));
      const { disconnects } = await probe.state();
      return disconnects.some(({ name, reason }) => name === "sleepy" && reason === "too much unread");
    });
    expect((await wire.get()).status).toBe(400);
  });

  test("[IO15] a disconnect by the server lets a client that is not polling fetch the last words", async () => {
    const wire = await PollingWire.open(probe.url);
    await wire.connect();
    expect((await wire.post('42["disconnect me",{"close":true}]')).status).toBe(200);
    expect(await wire.packets()).toEqual(["41"]);
    expect(await wire.packets()).toEqual(["1"]);
    expect((await wire.get()).status).toBe(400);
  });
});

describe.each(modes)("polling heartbeat, $mode", ({ hibernate }) => {
  let echo: Echo;
  beforeAll(async () => {
    echo = await startEcho({ settings: { hibernate }, sweepEveryMs: 20 });
  });
  afterAll(() => echo.stop());

  test("[IO30] a polling client is pinged, and stays while it answers", async () => {
    const wire = await PollingWire.open(echo.url);
    for (let beat = 0; beat < 3; beat++) {
      expect(await wire.packets()).toEqual(["2"]);
      expect((await wire.post("3")).status).toBe(200);
    }
  });

  test("[IO31] a polling client that leaves a ping unanswered is told that it is over", async () => {
    const wire = await PollingWire.open(echo.url);
    expect(await wire.packets()).toEqual(["2"]);
    expect(await wire.packets()).toEqual(["1"]);
    expect((await wire.get()).status).toBe(400);
  });
});
