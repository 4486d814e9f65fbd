import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Echo, startEcho } from "./echo.ts";
import { modes } from "./modes.ts";
import { type Probe, startProbe } from "./probe.ts";
import { openWire, until } from "./wire.ts";

describe.each(modes)("packets, $mode", ({ hibernate }) => {
  let probe: Probe;
  beforeAll(async () => {
    probe = await startProbe({ settings: { hibernate } });
  });
  afterAll(() => probe.stop());

  test("[IO40] CONNECT is answered with the id of a new socket, in each namespace its own", async () => {
    const wire = await openWire(probe.url);
    const first = await wire.connect();
    const second = await wire.connect("/other");
    expect(first).toMatch(/^[\w-]{20}$/);
    expect(second).toMatch(/^[\w-]{20}$/);
    expect(second).not.toBe(first);
    wire.close();
  });

  test("[IO40] the connect handler sees auth, headers and URL of the connection", async () => {
    const wire = await openWire(probe.url);
    await wire.connect("/", { name: "Ada" });
    wire.send('421["data"]');
    expect(await wire.next()).toContain('"name":"Ada"');
    wire.close();
  });

  test("[IO41] a refused CONNECT is answered with message and data, and can be tried again", async () => {
    const wire = await openWire(probe.url);
    wire.send('40{"refuse":"not today"}');
    expect(await wire.next()).toBe('44{"message":"not today","data":{"code":"refused"}}');
    await wire.connect();
    wire.close();
  });

  test("[IO41] a connect handler that crashes refuses without telling why", async () => {
    const wire = await openWire(probe.url);
    wire.send('40{"crash":true}');
    expect(await wire.next()).toBe('44{"message":"Internal error"}');
    const { errors } = await probe.state();
    expect(errors).toContain("Error: the connect handler crashed");
    wire.close();
  });

  test("[IO41] a socket that is disconnected by its connect handler never was", async () => {
    const wire = await openWire(probe.url);
    wire.send('40{"leave":true,"name":"never was"}');
    expect(await wire.next()).toBe("41");
    await wire.connect("/", { name: "is" });
    const { sockets, disconnects, errors } = await probe.state();
    expect(sockets.map(({ name }) => name)).not.toContain("never was");
    expect(disconnects.map(({ name }) => name)).not.toContain("never was");
    expect(errors.filter((error) => !error.includes("crashed"))).toEqual([]);
    wire.close();
  });

  test.each(["/nowhere", "/__proto__", "/constructor", "/toString", `/${"n".repeat(5_000)}`])(
    "[IO41] the unknown namespace %.20s is refused, and the connection stays",
    async (namespace) => {
      const wire = await openWire(probe.url);
      wire.send(`40${namespace},`);
      expect(await wire.next()).toBe(`44${namespace},{"message":"Invalid namespace"}`);
      await wire.connect();
      wire.close();
    },
  );

  test("[IO42] leaving a namespace leaves the connection and its other namespaces alone", async () => {
    const wire = await openWire(probe.url);
    await wire.connect("/", { name: "stays" });
    await wire.connect("/other", { name: "leaves" });
    wire.send("41/other,", '421["echo",1]');
    expect(await wire.next()).toBe("431[1]");
    const { disconnects, sockets } = await probe.state();
    expect(disconnects).toContainEqual({ name: "leaves", reason: "client namespace disconnect" });
    expect(sockets.map(({ name }) => name)).toContain("stays");
    wire.send("41");
    await wire.connect("/", { name: "again" });
    wire.close();
  });

  test("[IO42] the server can disconnect a namespace, or close with a code of its own", async () => {
    const gentle = await openWire(probe.url);
    await gentle.connect();
    await gentle.connect("/other");
    gentle.send('42/other,["disconnect me"]', '421["echo",1]');
    expect([await gentle.next(), await gentle.next()]).toEqual(["41/other,", "431[1]"]);
    const final = await openWire(probe.url);
    await final.connect();
    final.send('42["disconnect me",{"close":true}]');
    expect(await final.next()).toBe("41");
    expect(await final.ended()).toEqual({ code: 1000, reason: "server disconnect" });
    const coded = await openWire(probe.url);
    await coded.connect();
    coded.send('42["disconnect me",{"close":true,"code":4001,"reason":"token expired"}]');
    expect(await coded.ended()).toEqual({ code: 4001, reason: "token expired" });
    gentle.close();
  });

  test("[IO43] an event is answered by its acknowledgement, once", async () => {
    const wire = await openWire(probe.url);
    await wire.connect();
    wire.send('427["ack twice"]', '428["echo","é","\\u0000",null,{"a":[1]}]');
    expect([await wire.next(), await wire.next()]).toEqual(["437[1]", '438["é","\\u0000",null,{"a":[1]}]']);
    wire.close();
  });

  test("[IO43] events are handled side by side: a slow one holds up nobody", async () => {
    const wire = await openWire(probe.url);
    await wire.connect();
    wire.send('421["wait for release"]', '422["echo",2]', '42["release"]');
    expect([await wire.next(), await wire.next()]).toEqual(["432[2]", '431["released"]']);
    wire.close();
  });

  test("[IO43] an event handler that crashes is reported and the connection stays", async () => {
    const wire = await openWire(probe.url);
    await wire.connect();
    wire.send('42["crash"]', '421["echo",1]');
    expect(await wire.next()).toBe("431[1]");
    const { errors } = await probe.state();
    expect(errors).toContain("Error: the event handler crashed");
    wire.close();
  });

  test("[IO43] reserved event names cannot be emitted", async () => {
    const wire = await openWire(probe.url);
    await wire.connect();
    wire.send('421["emit reserved"]');
    expect(await wire.next()).toBe('431["TypeError: \\"disconnect\\" is a reserved event name"]');
    wire.close();
  });

  test("[IO44] the server's events are acknowledged by the client, in time or not", async () => {
    const wire = await openWire(probe.url);
    await wire.connect();
    wire.send('421["ask me","why"]');
    expect(await wire.next()).toBe('420["question","why"]');
    wire.send('439999999["nobody asked"]', '430["because"]', '430["twice"]');
    expect(await wire.next()).toBe('431[["because"]]');
    wire.send('422["ask me in vain"]');
    expect(await wire.next()).toBe('421["question"]');
    expect(await wire.next()).toBe('432["no acknowledgement: timeout"]');
    wire.close();
  });

  test("[IO45] binary attachments arrive whole and in place, and leave the same way", async () => {
    const wire = await openWire(probe.url);
    await wire.connect();
    wire.send('452-9["echo",{"b":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]');
    wire.send(Uint8Array.of(1, 2), Uint8Array.of(3));
    expect(await wire.next()).toBe('462-9[{"b":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]');
    expect(await wire.next()).toEqual(Uint8Array.of(3).buffer);
    expect(await wire.next()).toEqual(Uint8Array.of(1, 2).buffer);
    wire.close();
  });
});

describe.each(modes)("heartbeat, $mode", ({ hibernate }) => {
  let echo: Echo;
  beforeAll(async () => {
    echo = await startEcho({ settings: { hibernate }, sweepEveryMs: 20 });
  });
  afterAll(() => echo.stop());

  test("[IO30] a WebSocket is pinged, and stays while it answers", async () => {
    const wire = await openWire(echo.url);
    for (let beat = 0; beat < 3; beat++) {
      expect(await wire.next()).toBe("2");
      wire.send("3");
    }
    expect(wire.isEnding).toBe(false);
    wire.close();
  });

  test("[IO31] a WebSocket that leaves a ping unanswered is closed", async () => {
    const wire = await openWire(echo.url);
    expect(await wire.next()).toBe("2");
    await until(() => wire.isEnding);
  });

  test("[IO32] a ping from the client is against the protocol", async () => {
    const wire = await openWire(echo.url);
    wire.send("2");
    expect(await wire.ended()).toEqual({ code: 1002, reason: "invalid heartbeat direction" });
  });

  test("[IO32] a client that says goodbye is closed", async () => {
    const wire = await openWire(echo.url);
    wire.send("1");
    expect(await wire.ended()).toEqual({ code: 1000, reason: "transport close" });
  });
});
