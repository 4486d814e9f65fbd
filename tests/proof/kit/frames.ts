/** Opcodes of RFC 6455, section 5.2: above these are control frames. */
const LAST_DATA_OPCODE = 2;

/**
 * Takes apart what one side of an uncompressed WebSocket sends (RFC 6455, section 5.2): give it the bytes as they come, in pieces of any
 * size; each message is told once it is whole.
 */
export function readFrames(tell: (message: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let parts: Buffer[] = [];

  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const frame = firstFrame(rest);
      if (frame === undefined) return;
      rest = rest.subarray(frame.bytes);
      if (frame.opcode > LAST_DATA_OPCODE) continue;
      parts.push(frame.payload);
      if (!frame.last) continue;
      tell(Buffer.concat(parts));
      parts = [];
    }
  };
}

interface RawFrame {
  /** Of the message. */
  readonly last: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
  /** Of the whole frame. */
  readonly bytes: number;
}

function firstFrame(from: Buffer): RawFrame | undefined {
  if (from.length < 2) return undefined;
  const [first, second] = [from.readUInt8(0), from.readUInt8(1)];
  const short = second & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const masked = (second & 0x80) !== 0;
  const head = 2 + lengthBytes + (masked ? 4 : 0);
  if (from.length < head) return undefined;
  const length = lengthBytes === 0 ? short : lengthBytes === 2 ? from.readUInt16BE(2) : Number(from.readBigUInt64BE(2));
  if (from.length < head + length) return undefined;
  const payload = Buffer.from(from.subarray(head, head + length));
  const mask = from.subarray(head - 4, head);
  if (masked) for (const [at, byte] of payload.entries()) payload[at] = byte ^ (mask[at % 4] ?? 0);
  return { last: (first & 0x80) !== 0, opcode: first & 0x0f, payload, bytes: head + length };
}
