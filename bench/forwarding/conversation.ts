import { setTimeout as sleep } from "node:timers/promises";
import { RtcpReceiverInfo, RtcpRrPacket, RtcpSenderInfo, RtcpSrPacket } from "werift";
import type { OpenRoom, TalkingEnd } from "./sfu.ts";
import {
  extensionValues,
  ssrc,
  Hearing,
  packetMs,
  payloadBytes,
  payloadType,
  samplesPerPacket,
  words,
} from "./speech.ts";

export interface Heard {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly doubled: number;
  readonly damaged: number;
  /** From a speaker's send to a listener's having decrypted it; milliseconds. */
  readonly delaysMs: readonly number[];
}

/** Chromium reports on sound about this often. */
const reportTicks = 5_000 / packetMs;
/** What an end that sends no media calls itself in its reports, as Chromium does. */
const listenerSsrc = 1;
/** Nothing more comes when nothing came for so long. */
const silenceMs = 500;
const pollMs = 10;

interface Listener {
  readonly end: TalkingEnd;
  readonly room: number;
  hearing: Hearing;
  /** Of the packets that come; undefined before the first. */
  source: number | undefined;
  highestSequence: number;
}

/** 32 bits of seconds since 1900, 32 of their fraction (RFC 3550 §4). */
function ntpTime(nowMs: number): bigint {
  const seconds = nowMs / 1_000 + 2_208_988_800;
  return BigInt(Math.round(seconds * 2 ** 20)) << 12n;
}

/** The people of several rooms of one SFU: one in each speaks, the others listen, and both report by RTCP. */
export class Conversation {
  readonly #speakers: readonly TalkingEnd[];
  readonly #listeners: readonly Listener[];
  /** When each packet was sent, by its tick and room. */
  readonly #sentMs = new Map<number, number>();
  #delaysMs: number[] = [];
  #tick = 0;

  constructor(rooms: readonly OpenRoom[]) {
    this.#speakers = rooms.map(({ speaker }) => speaker);
    this.#listeners = rooms.flatMap(({ listeners }, room) =>
      listeners.map((end) => ({
        end,
        room,
        hearing: new Hearing(room, 0, 0),
        source: undefined,
        highestSequence: 0,
      })),
    );
    for (const listener of this.#listeners) {
      const { room } = listener;
      listener.end.onRtp(({ header, payload }) => {
        const nowMs = performance.now();
        listener.source = header.ssrc;
        listener.highestSequence = header.sequenceNumber;
        const tick = listener.hearing.take(payload);
        const sentMs = tick === undefined ? undefined : this.#sentMs.get(tick * this.#speakers.length + room);
        if (sentMs !== undefined) this.#delaysMs.push(nowMs - sentMs);
      });
    }
  }

  /** Speakers speak for so long; resolves when nothing more arrives, and rejects when somebody is no longer connected. */
  async run(durationMs: number): Promise<Heard> {
    const ticks = Math.round(durationMs / packetMs);
    this.#sentMs.clear();
    this.#delaysMs = [];
    for (const listener of this.#listeners) listener.hearing = new Hearing(listener.room, this.#tick, ticks);
    const stepMs = packetMs / this.#speakers.length;
    const beganMs = performance.now();
    for (let n = 0; n < ticks; n += 1) {
      // Speakers know nothing of each other: their packets do not come at the same moment.
      for (const [room, speaker] of this.#speakers.entries()) {
        await sleep(Math.max(0, beganMs + n * packetMs + room * stepMs - performance.now()));
        this.#speak(speaker, room);
      }
      this.#report();
      this.#tick += 1;
    }
    await this.#settle(ticks);
    const gone = this.#ends().filter(({ isConnected }) => !isConnected).length;
    if (gone > 0) throw new Error(`${gone} of ${this.#ends().length} people have lost their connection`);
    const sum = (of: (hearing: Hearing) => number): number =>
      this.#listeners.reduce((total, { hearing }) => total + of(hearing), 0);
    return {
      sent: ticks * this.#speakers.length,
      received: sum(({ heard }) => heard),
      lost: sum(({ lost }) => lost),
      doubled: sum(({ doubled }) => doubled),
      damaged: sum(({ damaged }) => damaged),
      delaysMs: this.#delaysMs,
    };
  }

  #speak(speaker: TalkingEnd, room: number): void {
    const tick = this.#tick;
    const header = { payloadType, sequenceNumber: tick & 0xff_ff, timestamp: (tick * samplesPerPacket) >>> 0, ssrc };
    this.#sentMs.set(tick * this.#speakers.length + room, performance.now());
    speaker.sendRtp({ ...header, extension: true, extensions: [...extensionValues] }, words(room, tick));
  }

  /** Each end in its turn, so that reports do not come all at once. */
  #report(): void {
    const tick = this.#tick;
    const isDue = (index: number): boolean => index % reportTicks === tick % reportTicks;
    for (const [room, speaker] of this.#speakers.entries()) {
      if (!isDue(room)) continue;
      const senderInfo = new RtcpSenderInfo({
        ntpTimestamp: ntpTime(Date.now()),
        rtpTimestamp: (tick * samplesPerPacket) >>> 0,
        packetCount: tick,
        octetCount: tick * payloadBytes,
      });
      speaker.sendRtcp([new RtcpSrPacket({ ssrc, senderInfo })]);
    }
    for (const [index, { end, source, highestSequence }] of this.#listeners.entries()) {
      if (!isDue(index) || source === undefined) continue;
      const report = { ssrc: source, fractionLost: 0, packetsLost: 0, highestSequence, jitter: 0, lsr: 0, dlsr: 0 };
      end.sendRtcp([new RtcpRrPacket({ ssrc: listenerSsrc, reports: [new RtcpReceiverInfo(report)] })]);
    }
  }

  async #settle(ticks: number): Promise<void> {
    const received = (): number => this.#listeners.reduce((total, { hearing }) => total + hearing.heard, 0);
    let before = received();
    let quietSinceMs = performance.now();
    while (before < ticks * this.#listeners.length && performance.now() - quietSinceMs < silenceMs) {
      await sleep(pollMs);
      const now = received();
      if (now !== before) quietSinceMs = performance.now();
      before = now;
    }
  }
  /** Everybody hangs up. */
  async close(): Promise<void> {
    await Promise.all(this.#ends().map((end) => end.close()));
  }

  #ends(): TalkingEnd[] {
    return [...this.#speakers, ...this.#listeners.map(({ end }) => end)];
  }
}
