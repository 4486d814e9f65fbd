/** Runs in the audio thread: lets a voice pass, and tells how loud it is. A hidden tab does not slow it down, as it does timers. */
import { Gate, levelDb, SILENT_DB } from "./level.ts";
import { GATE_NAME, type GateReport, type ToGate } from "./gate-link.ts";

/** What an audio thread has and TypeScript's libraries do not describe. */
declare const sampleRate: number;
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

const REPORT_MS = 50;

class GateProcessor extends AudioWorkletProcessor {
  readonly #gate = new Gate();
  #loudestDb = SILENT_DB;
  #sinceReportMs = 0;
  #ended = false;

  constructor() {
    super();
    this.port.addEventListener("message", ({ data }: MessageEvent<ToGate>) => {
      if (data === "end") this.#ended = true;
      else this.#gate.rule = data;
    });
    this.port.start();
  }

  process([input]: Float32Array[][], [output]: Float32Array[][]): boolean {
    const from = input?.[0];
    const to = output?.[0];
    if (from === undefined || to === undefined) return !this.#ended;
    const blockMs = (from.length / sampleRate) * 1_000;
    const db = levelDb(from);
    const gain = this.#gate.step(db, blockMs);
    for (let index = 0; index < from.length; index += 1) {
      to[index] = (from[index] ?? 0) * (gain.from + ((gain.to - gain.from) * index) / from.length);
    }
    this.#loudestDb = Math.max(this.#loudestDb, db);
    this.#sinceReportMs += blockMs;
    if (this.#sinceReportMs >= REPORT_MS) {
      const report: GateReport = { db: this.#loudestDb, open: this.#gate.isOpen };
      this.port.postMessage(report, {});
      this.#sinceReportMs = 0;
      this.#loudestDb = SILENT_DB;
    }
    return !this.#ended;
  }
}

registerProcessor(GATE_NAME, GateProcessor);
