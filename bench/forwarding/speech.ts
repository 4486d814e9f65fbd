/** What the speakers of the benchmark send, as Chromium would: Opus in packets of 20 ms. */

export const packetMs = 20;
export const samplesPerPacket = 960;
export const payloadType = 111;
/** Of every speaker: each has a connection of their own. */
export const ssrc = 1_000;
/** 32 kbit/s. */
export const payloadBytes = 80;
const stampBytes = 6;

/** Of those that a browser offers for sound, the header extensions that both mediasoup and Janus take. */
export const extensions = [
  { id: 1, uri: "urn:ietf:params:rtp-hdrext:ssrc-audio-level" },
  { id: 4, uri: "urn:ietf:params:rtp-hdrext:sdes:mid" },
] as const;
/** Heard, at −20 dBov (RFC 6464); media line "0". */
export const extensionValues = [
  { id: 1, payload: Buffer.from([0x80 | 20]) },
  { id: 4, payload: Buffer.from("0") },
];

/** What is said in a room at a tick; no two are the same. */
export function words(room: number, tick: number): Buffer {
  const payload = Buffer.alloc(payloadBytes);
  payload.writeUInt16BE(room, 0);
  payload.writeUInt32BE(tick, 2);
  for (let n = stampBytes; n < payloadBytes; n += 1) payload[n] = (tick * 31 + room * 7 + n) & 0xff;
  return payload;
}

/** What reached one listener of the ticks from `firstTick` on. */
export class Hearing {
  heard = 0;
  doubled = 0;
  /** Not what was said in this room at any of these ticks. */
  damaged = 0;
  readonly #room: number;
  readonly #firstTick: number;
  readonly #seen: Uint8Array;

  constructor(room: number, firstTick: number, ticks: number) {
    this.#room = room;
    this.#firstTick = firstTick;
    this.#seen = new Uint8Array(ticks);
  }

  /** The tick whose words these are, if they came for the first time. */
  take(payload: Buffer): number | undefined {
    const tick = payload.length === payloadBytes ? payload.readUInt32BE(2) : -1;
    const index = tick - this.#firstTick;
    const seen = this.#seen[index];
    if (seen === undefined || !payload.equals(words(this.#room, tick))) {
      this.damaged += 1;
      return undefined;
    }
    if (seen === 1) {
      this.doubled += 1;
      return undefined;
    }
    this.#seen[index] = 1;
    this.heard += 1;
    return tick;
  }

  get lost(): number {
    return this.#seen.length - this.heard;
  }
}
