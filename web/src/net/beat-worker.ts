/** A beat for hidden tabs: Chromium slows a hidden page's timers to one a minute, but not those of its workers (checked 2026-11). */
import type { BeatRequest } from "./beats.ts";

const timers = new Map<number, ReturnType<typeof setInterval>>();

addEventListener("message", ({ data }: MessageEvent<BeatRequest>) => {
  clearInterval(timers.get(data.id));
  timers.delete(data.id);
  if (data.periodMs !== null)
    timers.set(
      data.id,
      setInterval(() => postMessage(data.id), data.periodMs),
    );
});
