import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { noted } from "./callers.ts";
import type { Turn } from "./probes.ts";

export interface Delays {
  /** From the microphone's track to the track that is played, each change of pitch. */
  readonly soundMs: readonly number[];
  /** From the camera's drawing to the picture on the page, each picture of 720 lines. */
  readonly pictureMs: readonly number[];
  /** Pictures a second that were shown. */
  readonly fps: number;
}

/** Both are seen by the same ear: what it adds itself falls away. */
function soundDelays(spoken: readonly Turn[], heard: readonly Turn[]): number[] {
  return spoken.flatMap(({ atMs, pitch }, index) => {
    const endMs = spoken[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
    const heardMs = heard.find((turn) => turn.pitch === pitch && turn.atMs >= atMs && turn.atMs < endMs)?.atMs;
    return heardMs === undefined ? [] : [heardMs - atMs];
  });
}

/** Listens and looks for so long. */
export async function measureDelays(from: Page, to: Page, durationMs: number): Promise<Delays> {
  const beganMs = Date.now();
  await sleep(durationMs);
  const endMs = Date.now();
  const within = ({ atMs }: { readonly atMs: number }): boolean => atMs >= beganMs && atMs <= endMs;
  const { spoken } = await noted(from);
  const { heard, seen } = await noted(to);
  const pictures = seen.filter((picture) => within(picture) && picture.height === 720);
  return {
    soundMs: soundDelays(spoken.filter(within), heard.filter(within)),
    pictureMs: pictures.map(({ atMs, drawnMs }) => atMs - drawnMs),
    fps: (pictures.length / durationMs) * 1_000,
  };
}

export interface Counted {
  /** Latest round trips of the pairs of candidates in use. */
  readonly rttsMs: readonly number[];
  /** Time that all samples of received sound have waited in the jitter buffer, and how many those were. */
  readonly waitedS: number;
  readonly samples: number;
}

/** What the browser counts of a page's open connections. */
export async function count(page: Page): Promise<Counted> {
  return page.evaluate(async () => {
    const rttsMs: number[] = [];
    let waitedS = 0;
    let samples = 0;
    for (const connection of globalThis.callProbe.connections) {
      if (connection.connectionState !== "connected") continue;
      for (const stat of (await connection.getStats()).values()) {
        if (stat.type === "candidate-pair" && stat.nominated === true && stat.currentRoundTripTime !== undefined) {
          rttsMs.push(stat.currentRoundTripTime * 1_000);
        }
        if (stat.type === "inbound-rtp" && stat.kind === "audio") {
          waitedS += stat.jitterBufferDelay ?? 0;
          samples += stat.jitterBufferEmittedCount ?? 0;
        }
      }
    }
    return { rttsMs, waitedS, samples };
  });
}
