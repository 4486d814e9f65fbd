import { LIMITS } from "@lescopains/protocol/limits";

/**
 * The text of a benchmark message: `@bench <run> <index> <sent µs> ` with numbers of fixed width, then dots up to 200 bytes.
 * Receivers find it in the raw frame, so that nothing has to be parsed.
 */
export interface Stamp {
  readonly run: number;
  readonly index: number;
  readonly sentUs: number;
}

const marker = Buffer.from("@bench ");
const widths = { run: 4, index: 8, sentUs: 16 };
const runAt = marker.length;
const indexAt = runAt + widths.run + 1;
const sentAt = indexAt + widths.index + 1;
const bytes = 200;

/** Microseconds of the monotonic clock, the same in every process of this machine. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

export function stampText({ run, index, sentUs }: Stamp): string {
  const number = (value: number, width: number): string => String(value).padStart(width, "0");
  const head = `@bench ${number(run, widths.run)} ${number(index, widths.index)} ${number(sentUs, widths.sentUs)} `;
  return head.padEnd(Math.min(bytes, LIMITS.contentLength), ".");
}

function digits(frame: Buffer, at: number, width: number): number {
  let value = 0;
  for (let offset = at; offset < at + width; offset += 1) value = value * 10 + (frame[offset] ?? 0) - 48;
  return value;
}

/** Reads stamps out of frames. Frames of one server have the stamp at the same place nearly always: that is tried first. */
export class StampReader {
  #at = 0;

  read(frame: Buffer): Stamp | undefined {
    if (frame.compare(marker, 0, marker.length, this.#at, this.#at + marker.length) !== 0) {
      const at = frame.indexOf(marker);
      if (at === -1) return undefined;
      this.#at = at;
    }
    const at = this.#at;
    return {
      run: digits(frame, at + runAt, widths.run),
      index: digits(frame, at + indexAt, widths.index),
      sentUs: digits(frame, at + sentAt, widths.sentUs),
    };
  }
}
