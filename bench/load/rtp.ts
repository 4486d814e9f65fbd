import { createSocket, type Socket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";

/** Somebody who speaks: Opus frames of 20 ms go to this port. */
export interface Talker {
  readonly port: number;
  readonly ssrc: number;
}

export interface Traffic {
  readonly sent: number;
  readonly received: number;
  /** From the generator's send to its receive, by way of the SFU; milliseconds. */
  readonly delaysMs: readonly number[];
}

const frameMs = 20;
const samplesPerFrame = 960;
const payloadType = 100;
/** 32 kbit/s. */
const payloadBytes = 80;
const headerBytes = 12;

function udp(): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 8 * 1024 * 1024 });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, "127.0.0.1", () => resolve(socket));
  });
}

/** Speaks for many, and hears for all: one socket that sends RTP, one that all forwarded RTP arrives at. */
export class RtpGenerator {
  readonly #source: Socket;
  readonly #sink: Socket;
  /** When each tick's packets were sent. All talkers of a tick have the same RTP timestamp, which SFUs leave as it is. */
  readonly #sentMs = new Map<number, number>();
  #delaysMs: number[] = [];
  #received = 0;
  #tick = 1;

  private constructor(source: Socket, sink: Socket) {
    this.#source = source;
    this.#sink = sink;
    sink.on("message", (packet) => this.#take(packet, performance.now()));
  }

  static async start(): Promise<RtpGenerator> {
    return new RtpGenerator(await udp(), await udp());
  }

  get sourcePort(): number {
    return this.#source.address().port;
  }

  get sinkPort(): number {
    return this.#sink.address().port;
  }

  #take(packet: Buffer, nowMs: number): void {
    // What else comes here is RTCP.
    if (packet.length < headerBytes || ((packet[1] ?? 0) & 0x7f) !== payloadType) return;
    const sentMs = this.#sentMs.get(packet.readUInt32BE(4));
    if (sentMs === undefined) return;
    this.#received += 1;
    this.#delaysMs.push(nowMs - sentMs);
  }

  /** Sends for so long, waits until what is under way has arrived, and says what became of it. */
  async run(talkers: readonly Talker[], durationMs: number): Promise<Traffic> {
    this.#received = 0;
    this.#delaysMs = [];
    this.#sentMs.clear();
    const beganMs = performance.now();
    const frames = Math.round(durationMs / frameMs);
    for (let frame = 0; frame < frames; frame += 1) {
      await sleep(Math.max(0, beganMs + frame * frameMs - performance.now()));
      const timestamp = (this.#tick * samplesPerFrame) >>> 0;
      this.#sentMs.set(timestamp, performance.now());
      for (const talker of talkers) this.#source.send(this.#packet(talker, timestamp), talker.port, "127.0.0.1");
      this.#tick += 1;
    }
    await sleep(500);
    return { sent: frames * talkers.length, received: this.#received, delaysMs: this.#delaysMs };
  }

  #packet({ ssrc }: Talker, timestamp: number): Buffer {
    const packet = Buffer.alloc(headerBytes + payloadBytes, this.#tick & 0xff);
    packet[0] = 0x80;
    packet[1] = payloadType;
    packet.writeUInt16BE(this.#tick & 0xff_ff, 2);
    packet.writeUInt32BE(timestamp, 4);
    packet.writeUInt32BE(ssrc, 8);
    return packet;
  }

  stop(): void {
    this.#source.close();
    this.#sink.close();
  }
}
