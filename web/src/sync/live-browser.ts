/** All that loads after sign-in, as one chunk: `browser.ts` imports it dynamically. */
import { workerBeats } from "../net/beats.ts";
import { openSocketIo } from "../net/socket-io.ts";
import type { LiveInputs } from "./client.ts";
import { createLive } from "./live.ts";
import type { Live } from "./live-types.ts";

export function createLiveInBrowser(inputs: LiveInputs): Live {
  return createLive({ ...inputs, openWire: openSocketIo, beats: workerBeats() });
}
