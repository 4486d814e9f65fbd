import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { modes } from "./modes.ts";
import { type Probe, startProbe } from "./probe.ts";
import { openWire, PollingWire, until, type Wire } from "./wire.ts";

/** Every run breaks the same things; another seed is another search, by hand. */
const search = { seed: 20261122, numRuns: 150, endOnFailure: true };

describe.each(modes)("faults, $mode", ({ hibernate }) => {
  let probe: Probe;
  /** Somebody else, whom nothing of this may reach. */
  let bystander: Wire;
  beforeAll(async () => {
    const flood = { framesPerSecond: 1_000, burst: 50 };
    probe = await startProbe({ settings: { hibernate, maxPayloadBytes: 65_536, flood, maxConnections: 2_000 } });
  });
  afterAll(() => probe.stop());
  beforeEach(async () => {
    bystander = await openWire(probe.url);
    await bystander.connect("/", { name: "bystander" });
  });
  afterEach(async () => {
    bystander.send('421["echo","unharmed"]');
    expect(await bystander.next()).toBe('431["unharmed"]');
    expect(bystander.frames).toEqual([]);
    bystander.close();
    // Only what the tests themselves throw has ever left a handler.
    const { errors } = await probe.state();
    expect(errors.filter((error) => !error.includes("crashed"))).toEqual([]);
  });

  async function joined(): Promise<Wire> {
    const wire = await openWire(probe.url);
    await wire.connect();
    return wire;
  }

  test.each([
    ["an unknown Engine.IO type", ["x"]],
    ["an empty frame", [""]],
    ["an empty message", ["4"]],
    ["an unknown Socket.IO type", ["47"]],
    ["a type that is no number", ["4abc"]],
    ["an event without data", ["42"]],
    ["an event whose data is no array", ['42{"a":1}']],
    ["an event without a name", ["42[]"]],
    ["an event named by an object", ["42[{}]"]],
    ["a reserved event", ['42["connect"]']],
    ["an event cut short", ['42["echo",']],
    ["an ack id that is no number", ['42abc["echo"]']],
    ["an ack id beyond all numbers", [`42${"9".repeat(400)}["echo"]`]],
    ["an ack id beyond safe numbers", ['4290071992547409910["echo"]']],
    ["an acknowledgement without id", ["43[]"]],
    ["an acknowledgement without data", ["431"]],
    ["a CONNECT whose payload is an array", ["40/other,[]"]],
    ["a second CONNECT", ["40"]],
    ["a CONNECT_ERROR, which is the server's to send", ['44{"message":"no"}']],
    ["an event for a namespace not joined", ['42/other,["echo"]']],
    ["an event for a namespace that does not exist", ['42/__proto__,["echo"]']],
    ["a DISCONNECT with a payload", ["41[]"]],
    ["a binary event without attachments", ['450-["echo"]']],
    ["a binary event with attachments beyond the limit", ['4511-["echo"]']],
    ["a binary event that announces a fraction", ['451.5-["echo"]']],
    ["text while attachments are awaited", ['451-["echo",{"_placeholder":true,"num":0}]', '42["echo"]']],
    ["a placeholder that points nowhere", ['451-["echo",{"_placeholder":true,"num":7}]', Uint8Array.of(1)]],
    [
      "a placeholder that points to a property",
      ['451-["echo",{"_placeholder":true,"num":"length"}]', Uint8Array.of(1)],
    ],
    ["binary data out of the blue", [Uint8Array.of(1, 2, 3)]],
    ["bottomless arrays", [`42["echo",${"[".repeat(5_000)}${"]".repeat(5_000)}]`]],
    ["bottomless objects", [`42["echo",${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}]`]],
    [
      "bottomless binary events",
      [`451-["echo",${"[".repeat(20_000)}{"_placeholder":true,"num":0}${"]".repeat(20_000)}]`, Uint8Array.of(1)],
    ],
  ])("[IO70] %s closes the connection with a reason", async (_, frames) => {
    const wire = await joined();
    wire.send(...frames);
    const { code, reason } = await wire.ended();
    expect(code).toBe(1002);
    expect(["parse error", "invalid state"]).toContain(reason);
  });

  test("[IO70] an event before CONNECT closes the connection", async () => {
    const wire = await openWire(probe.url);
    wire.send('42["echo",1]');
    expect(await wire.ended()).toEqual({ code: 1002, reason: "invalid state" });
  });

  test("[IO70] two CONNECTs at once close the connection", async () => {
    const wire = await openWire(probe.url);
    wire.send("40", "40");
    expect((await wire.ended()).code).toBe(1002);
  });

  test("[IO71] names of prototypes are names like any other", async () => {
    const wire = await joined();
    wire.send('421["echo",{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}]');
    expect(await wire.text()).toContain("polluted");
    wire.send('422["join","__proto__","constructor","toString"]');
    expect(await wire.next()).toBe('432[["__proto__","constructor","toString"]]');
    wire.send('42["__proto__",1]', '42["constructor"]', '42["toString"]');
    wire.send('451-3["echo",{"__proto__":{"_placeholder":true,"num":0}}]', Uint8Array.of(1));
    wire.send('424["echo",{}]');
    await until(() => wire.frames.some((frame) => frame === "434[{}]"));
    expect(await probe.broadcast("x", "valueOf")).toBe(0);
    wire.close();
  });

  test("[IO72] a frame above the limit closes with 1009, at whatever size", async () => {
    for (const frame of ["4".repeat(65_537), `42["echo","${"é".repeat(33_000)}"]`, "4".repeat(900_000)]) {
      const wire = await joined();
      wire.send(frame);
      expect(await wire.ended()).toEqual({ code: 1009, reason: "message too big" });
    }
    const binary = await joined();
    binary.send('451-["echo",{"_placeholder":true,"num":0}]', new Uint8Array(65_537));
    expect(await binary.ended()).toEqual({ code: 1009, reason: "message too big" });
  });

  test("[IO72] a frame of ten megabytes ends its connection", async () => {
    const wire = await joined();
    wire.send("4".repeat(10_000_000));
    await wire.ended();
  });

  test("[IO72] a frame at the limit is welcome", async () => {
    const wire = await joined();
    const filler = "x".repeat(65_536 - '421["echo",""]'.length);
    wire.send(`421["echo","${filler}"]`);
    expect(await wire.next()).toBe(`431["${filler}"]`);
    wire.close();
  });

  test("[IO72] attachments are bounded together, not only each", async () => {
    const wire = await joined();
    const holes = Array.from({ length: 3 }, (_, num) => `{"_placeholder":true,"num":${num}}`).join(",");
    wire.send(`453-["echo",${holes}]`, ...Array.from({ length: 3 }, () => new Uint8Array(30_000)));
    expect(await wire.ended()).toEqual({ code: 1002, reason: "parse error" });
  });

  test("[IO73] a flood closes with 1008, by WebSocket or by polling", async () => {
    const wire = await joined();
    for (let n = 0; n < 1_000; n++) wire.send('42["nothing"]');
    expect(await wire.ended()).toEqual({ code: 1008, reason: "flood" });

    const polling = await PollingWire.open(probe.url);
    await polling.connect({ name: "flooder" });
    expect((await polling.post(Array.from({ length: 5_000 }, () => "3").join("\u001E"))).status).toBe(400);
    expect((await polling.get()).status).toBe(400);
    const { disconnects } = await probe.state();
    expect(disconnects).toContainEqual({ name: "flooder", reason: "flood" });
  });

  test("[IO73] thousands of namespaces, acknowledgement ids and rooms leave nothing behind", async () => {
    const wire = await joined();
    let sent = 0;
    while (sent < 1_000) {
      for (let n = 0; n < 20; n++, sent++) wire.send(`40/n${sent},`, `43${sent}["nobody asked"]`);
      wire.send(`42${sent}["echo"]`);
      await until(() => wire.frames.some((frame) => frame === `43${sent}[]`) || wire.isEnding);
      if (wire.isEnding) break;
    }
    expect(wire.isEnding ? await wire.ended() : { reason: "flood" }).toMatchObject({ reason: "flood" });
    wire.close();
  });

  test("[IO73] a thousand polling sessions without traffic cost the others nothing", async () => {
    for (let batch = 0; batch < 20; batch++) {
      await Promise.all(Array.from({ length: 50 }, () => PollingWire.open(probe.url)));
    }
    const wire = await joined();
    wire.close();
  });

  test("[IO74] whatever text and bytes arrive, the answer is an answer or a close with a reason", async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc
        .tuple(
          fc.constantFrom("4", "40", "41", "42", "43", "44", "451-", "461-", "452-", "2", "3", "b", "5", "6"),
          fc.constantFrom("", "/other,", "/", "/x,", ",", "?a=b,"),
          fc.constantFrom("", "0", "1", "-1", "1e3", "00", " "),
          fc.oneof(
            fc.json({ maxDepth: 3 }),
            fc.json({ maxDepth: 2 }).map((json) => `["echo",${json}]`),
            fc.string(),
          ),
        )
        .map((parts) => parts.join("")),
    );
    const frame = fc.oneof(
      { weight: 4, arbitrary: text },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => new Uint8Array(bytes)) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 6 }), async (frames) => {
        const wire = await joined();
        for (const each of frames) if (!wire.isEnding) wire.send(each);
        wire.send('42424242["echo","end"]');
        await until(() => wire.closed !== undefined || wire.frames.includes('43424242["end"]'));
        if (wire.closed !== undefined) expect(wire.closed.reason).not.toBe("");
        wire.close();
      }),
      search,
    );
  });

  test("[IO74] whatever a polling body says, the answer is 200 or 400", async () => {
    const packet = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.json({ maxDepth: 2 }).map((json) => `42${json}`),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(packet, { minLength: 1, maxLength: 5 }), async (packets) => {
        const wire = await PollingWire.open(probe.url);
        await wire.connect();
        const { status } = await wire.post(packets.join("\u001E"));
        expect([200, 400]).toContain(status);
      }),
      { ...search, numRuns: 60 },
    );
  });

  test("[IO75] state that does not fit an attachment is a typed error, and nothing has changed", async () => {
    const wire = await joined();
    wire.send('421["fill data",20000]', '422["fill rooms",5000]', '423["data"]');
    expect(await wire.next()).toBe('431["AttachmentTooLarge true"]');
    expect(await wire.next()).toBe('432["AttachmentTooLarge true"]');
    const kept = await wire.text();
    expect(kept).toContain('"rooms":[]');
    expect(kept.length).toBeLessThan(200);
    wire.send('424["fill data",6000]', '425["echo"]');
    expect([await wire.next(), await wire.next()]).toEqual(['434["ok"]', "435[]"]);
    wire.close();
  });

  test("[IO76] a socket that has died disturbs no broadcast", async () => {
    const wires = await Promise.all(Array.from({ length: 20 }, () => joined()));
    for (const wire of wires.slice(0, 10)) wire.close();
    await until(() => wires.slice(0, 10).every((wire) => wire.isEnding));
    expect(await probe.broadcast("to the living")).toBeGreaterThanOrEqual(10);
    for (const wire of wires.slice(10)) {
      expect(await wire.next()).toBe('42["news","to the living"]');
      wire.close();
    }
    expect(await bystander.next()).toBe('42["news","to the living"]');
  });
});

describe.each(modes)("connect data, $mode", ({ hibernate }) => {
  test("[IO75] a connect handler whose data does not fit is refused and reported", async () => {
    const probe = await startProbe({ settings: { hibernate } });
    try {
      const wire = await openWire(probe.url);
      wire.send('40{"dataBytes":20000}');
      expect(await wire.next()).toBe('44{"message":"Internal error"}');
      const { errors, sockets } = await probe.state();
      expect(errors[0]).toContain("AttachmentTooLarge");
      expect(sockets).toEqual([]);
      await wire.connect();
      wire.close();
    } finally {
      await probe.stop();
    }
  });
});
