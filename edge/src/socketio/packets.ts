import { encodePacket } from "engine.io-parser";
import { Decoder, Encoder, type Packet, PacketType } from "socket.io-parser";

import type { Frame } from "./engine/settings.ts";

/** Incoming JSON nested deeper is refused: nothing that walks it later may run out of stack. */
const maxDepth = 64;

/** A binary packet may announce this many attachments. */
const maxAttachments = 10;

/** Event names with a meaning of their own in Socket.IO libraries. */
const reservedEvents = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

/** What a client sent breaks the protocol. */
export class MalformedPacket extends Error {
  override readonly name = "MalformedPacket";
}

const encoder = new Encoder();

/** The Engine.IO frames of a packet: the text, then its binary attachments. */
export function encode(packet: Packet): Frame[] {
  return encoder.encode(packet).map((data: unknown) => {
    if (typeof data !== "string" && !(data instanceof ArrayBuffer) && !ArrayBuffer.isView(data)) {
      throw new TypeError("binary arguments must be ArrayBuffers or views");
    }
    let frame: Frame = "";
    encodePacket({ type: "message", data }, true, (encoded: Frame) => {
      frame = encoded;
    });
    return frame;
  });
}

/** @throws {TypeError} for a reserved event name, and whatever JSON.stringify throws for arguments it cannot write. */
export function encodeEvent(namespace: string, event: string, args: readonly unknown[], id?: number): Frame[] {
  if (reservedEvents.has(event)) throw new TypeError(`"${event}" is a reserved event name`);
  const packet: Packet = { type: PacketType.EVENT, nsp: namespace, data: [event, ...args] };
  if (id !== undefined) packet.id = id;
  return encode(packet);
}

let decodedText: Packet | undefined;
const textDecoder = new Decoder();
textDecoder.on("decoded", (packet: Packet) => {
  decodedText = packet;
});

/** Whether a message begins a packet with binary attachments, which only a {@link Reassembly} can decode. */
export function beginsBinary(message: string): boolean {
  return message.startsWith("5") || message.startsWith("6");
}

/** A packet without attachments. The decoder is shared: such packets leave nothing behind in it. @throws {MalformedPacket} */
export function decodeText(message: string): Packet {
  decodedText = undefined;
  try {
    textDecoder.add(message);
  } catch (cause) {
    throw new MalformedPacket("not a packet", { cause });
  }
  if (decodedText === undefined) throw new MalformedPacket("not a packet");
  return checked(decodedText);
}

/** One binary packet while its attachments arrive. */
export class Reassembly {
  readonly startedMs: number;
  readonly #maxBytes: number;
  readonly #decoder = new Decoder({ maxAttachments });
  #bytes = 0;
  #packet: Packet | undefined;

  /** @param header - the text that announces the attachments. @throws {MalformedPacket} */
  constructor(header: string, maxBytes: number, nowMs: number) {
    this.#maxBytes = maxBytes;
    this.startedMs = nowMs;
    this.#decoder.on("decoded", (packet: Packet) => {
      this.#packet = packet;
    });
    this.add(header);
  }

  /** The next part; answers the packet when it was the last. @throws {MalformedPacket} */
  add(part: string | ArrayBuffer): Packet | undefined {
    this.#bytes += typeof part === "string" ? part.length : part.byteLength;
    if (this.#bytes > this.#maxBytes) throw new MalformedPacket("attachments too large");
    try {
      this.#decoder.add(part);
    } catch (cause) {
      throw new MalformedPacket("not a packet", { cause });
    }
    return this.#packet === undefined ? undefined : checked(this.#packet);
  }
}

/** What the parser lets through and the protocol does not: missing data, ids that are no numbers, bottomless JSON. */
function checked(packet: Packet): Packet {
  const { type, data, id } = packet;
  if (id !== undefined && !Number.isSafeInteger(id)) throw new MalformedPacket("packet id out of range");
  if ((type === PacketType.EVENT || type === PacketType.ACK) && !Array.isArray(data)) {
    throw new MalformedPacket("packet without data");
  }
  if (type === PacketType.ACK && id === undefined) throw new MalformedPacket("acknowledgement without id");
  if (isDeeperThan(data, maxDepth)) throw new MalformedPacket("nested too deep");
  return packet;
}

export function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null || value instanceof ArrayBuffer) return false;
  if (depth === 0) return true;
  return Object.values(value).some((inner) => isDeeperThan(inner, depth - 1));
}
