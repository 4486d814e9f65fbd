import { measureFrames } from "./frames.ts";

/** Runs in a worker of the browser and posts one message: the samples, or why there are none. */
try {
  postMessage({ samples: await measureFrames() });
} catch (error) {
  postMessage({ error: String(error) });
}
