/** All that loads after sign-in, as one chunk: `browser.ts` imports it dynamically. */
import { workerBeats } from "../net/beats.ts";
import { openKeysWorker } from "../keys/remote.ts";
import { openEdgeSocket } from "../net/socket-io.ts";
import type { LiveInputs } from "./client.ts";
import { createLive } from "./live.ts";
import type { Live } from "./live-types.ts";

export function createLiveInBrowser(inputs: LiveInputs): Live {
  return createLive({
    ...inputs,
    openWire: openEdgeSocket,
    beats: workerBeats(),
    openKeysWorker,
    deviceName: deviceName(),
  });
}

/** What this browser is called until its person names it: "Firefox · Linux". */
function deviceName(): string {
  const { userAgent } = navigator;
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(userAgent)?.[1] ?? "Browser";
  const system = /(Windows|Android|iPhone|iPad|Mac|CrOS|Linux)/.exec(userAgent)?.[1] ?? "";
  const names: Readonly<Record<string, string>> = { Edg: "Edge", OPR: "Opera", Mac: "macOS", CrOS: "ChromeOS" };
  return [names[browser] ?? browser, names[system] ?? system].filter((part) => part !== "").join(" · ");
}
