import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { modes } from "./modes.ts";
import { type Probe, startProbe } from "./probe.ts";
import { openWire, PollingWire, until, Wire } from "./wire.ts";

describe.each(modes)("handshake, $mode", ({ hibernate }) => {
  let probe: Probe;
  beforeAll(async () => {
    const settings = { hibernate, pingIntervalMs: 25_000, maxPayloadBytes: 65_536, maxConnections: 6 };
    probe = await startProbe({ settings });
  });
  afterAll(() => probe.stop());

  const ask = (query: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${probe.url}/socket.io/?${query}`, init);

  test("[IO1] a polling handshake tells sid, upgrades, heartbeat and payload limit", async () => {
    const response = await ask("EIO=4&transport=polling");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=UTF-8");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const body = await response.text();
    expect(JSON.parse(body.slice(1))).toEqual({
      sid: expect.stringMatching(/^7\.[\w-]{20}$/),
      upgrades: ["websocket"],
      pingInterval: 25_000,
      pingTimeout: 20_000,
      maxPayload: 65_536,
    });
  });

  test("[IO1] a WebSocket handshake says the same and offers no upgrade", async () => {
    const wire = new Wire(probe.url, "socket.io/?EIO=4&transport=websocket");
    const opening = await wire.opening();
    expect(opening).toMatchObject({ upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 65_536 });
    expect(opening.sid).toMatch(/^7\.[\w-]{20}$/);
    wire.close();
  });

  test.each([
    ["EIO=4", 0],
    ["EIO=4&transport=carrier-pigeon", 0],
    ["EIO=4&transport=webtransport", 0],
    ["transport=polling", 5],
    ["EIO=3&transport=polling", 5],
    ["EIO=abc&transport=polling", 5],
    ["EIO=4&transport=websocket", 3],
    ["EIO=4&transport=polling&sid=7.unknown", 1],
    ["EIO=4&transport=polling&sid=__proto__", 1],
    [`EIO=4&transport=polling&sid=${"x".repeat(4_000)}`, 1],
  ])("[IO2] GET ?%s is refused with the reference server's code %i", async (query, code) => {
    const response = await ask(query);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code });
  });

  test.each([
    ["POST", 2],
    ["PUT", 2],
    ["OPTIONS", 2],
  ])("[IO2] a handshake by %s is refused", async (method, code) => {
    const response = await ask("EIO=4&transport=polling", { method });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code });
  });

  test("[IO2] a WebSocket with an unknown sid is refused", async () => {
    const wire = new Wire(probe.url, "socket.io/?EIO=4&transport=websocket&sid=7.unknown");
    expect(await wire.ended()).toMatchObject({ code: 1006 });
  });

  test("[IO2] a request for a session by another transport or method is refused, and the session stays", async () => {
    const wire = new Wire(probe.url, "socket.io/?EIO=4&transport=websocket");
    const { sid } = await wire.opening();
    const polled = await ask(`EIO=4&transport=polling&sid=${sid}`);
    expect(polled.status).toBe(400);
    const deleted = await ask(`EIO=4&transport=polling&sid=${sid}`, { method: "DELETE" });
    expect(deleted.status).toBe(400);
    await wire.connect();
    wire.close();
  });

  test("[IO2] other paths are not the server's", async () => {
    const response = await fetch(`${probe.url}/elsewhere/?EIO=4&transport=polling`);
    expect(response.status).toBe(404);
  });

  test("[IO3] a handshake with more headers than an attachment should carry is refused", async () => {
    const response = await ask("EIO=4&transport=polling", { headers: { "x-long": "x".repeat(9_000) } });
    expect(response.status).toBe(431);
  });

  test("[IO4] a full actor refuses, but untouched polling sessions make room first", async () => {
    const wires: Wire[] = [];
    let refused = 0;
    // Whatever the tests before left open is at most as much as fits.
    while (refused === 0 && wires.length < 10) {
      const wire = new Wire(probe.url, "socket.io/?EIO=4&transport=websocket");
      await wire.opened();
      if (wire.isEnding) refused++;
      else wires.push(wire);
    }
    expect(refused).toBe(1);
    const response = await ask("EIO=4&transport=polling");
    expect(response.status).toBe(503);

    wires.pop()?.close();
    const untouched = await openPolling(probe);
    wires.push(await openWire(probe.url));
    const answer = await untouched.get();
    expect(answer.status).toBe(400);
    for (const wire of wires) wire.close();
  });
});

/** The place that was just left may take a moment to be free. */
async function openPolling(probe: Probe): Promise<PollingWire> {
  let polling: PollingWire | undefined;
  await until(async () => {
    polling = await PollingWire.open(probe.url).catch(() => undefined);
    return polling !== undefined;
  });
  if (polling === undefined) throw new Error("no polling session");
  return polling;
}
