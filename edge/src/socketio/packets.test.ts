import * as fc from "fast-check";
import { Decoder, type Packet, PacketType } from "socket.io-parser";
import { describe, expect, test } from "vitest";

import { beginsBinary, decodeText, encodeEvent, isDeeperThan, MalformedPacket, Reassembly } from "./packets.ts";

const seed = 20261122;

/** What the official decoder makes of Engine.IO frames. */
function officially(frames: ReturnType<typeof encodeEvent>): Packet | undefined {
  const decoder = new Decoder();
  let packet: Packet | undefined;
  decoder.on("decoded", (decoded: Packet) => (packet = decoded));
  for (const frame of frames) decoder.add(typeof frame === "string" ? frame.slice(1) : frame);
  return packet;
}

describe("packets", () => {
  test("[IO51] events are encoded so that the official decoder reads them", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 3 })), fc.option(fc.nat(), { nil: undefined }), (args, id) => {
        const frames = encodeEvent("/x", "news", args, id);
        const packet = officially(frames);
        expect(packet?.nsp).toBe("/x");
        expect(packet?.id).toBe(id);
        expect(JSON.stringify(packet?.data)).toBe(JSON.stringify(["news", ...args]));
      }),
      { seed },
    );
  });

  test("[IO45] binary parts leave as frames of their own and come together again", () => {
    const frames = encodeEvent("/", "news", [{ a: Uint8Array.of(1) }, Uint8Array.of(2).buffer]);
    expect(frames).toHaveLength(3);
    const [header, ...parts] = frames;
    if (typeof header !== "string") throw new Error("the first frame is text");
    expect(beginsBinary(header.slice(1))).toBe(true);
    const reassembly = new Reassembly(header.slice(1), 1_000, 0);
    expect(reassembly.add(Uint8Array.of(1).buffer)).toBeUndefined();
    expect(parts).toHaveLength(2);
    expect(reassembly.add(Uint8Array.of(2).buffer)?.data).toEqual([
      "news",
      { a: Uint8Array.of(1).buffer },
      Uint8Array.of(2).buffer,
    ]);
  });

  test("[IO51] what cannot travel is the caller's error", () => {
    expect(() => encodeEvent("/", "news", [new Blob(["x"])])).toThrow(TypeError);
    expect(() => encodeEvent("/", "connect", [])).toThrow(TypeError);
  });

  test("[IO70] any text is a packet or malformed, and leaves nothing behind", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.json().map((json) => `2${json}`),
        ),
        (text) => {
          fc.pre(!beginsBinary(text));
          try {
            decodeText(text);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedPacket);
          }
          expect(decodeText('2["next"]').data).toEqual(["next"]);
        },
      ),
      { seed, numRuns: 1_000 },
    );
  });

  test("[IO72] attachments are bounded in number and in bytes", () => {
    expect(() => new Reassembly('511-["x"]', 1_000, 0)).toThrow(MalformedPacket);
    const reassembly = new Reassembly('52-["x",{"_placeholder":true,"num":0}]', 100, 0);
    expect(() => reassembly.add(new ArrayBuffer(100))).toThrow(MalformedPacket);
  });

  test("[IO70] depth is measured without running out of stack", () => {
    expect(isDeeperThan([[[1]]], 3)).toBe(false);
    expect(isDeeperThan([[[[1]]]], 3)).toBe(true);
    expect(isDeeperThan({ a: { b: new ArrayBuffer(1) } }, 2)).toBe(false);
    expect(isDeeperThan(JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`), 64)).toBe(true);
    expect(decodeText('2["x"]').type).toBe(PacketType.EVENT);
  });
});
