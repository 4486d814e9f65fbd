import { enginePair } from "./engine.ts";
import { measure } from "./measure.ts";

/** Runs in a worker of the browser and posts one message: the samples, or why there are none. */
try {
  postMessage({ samples: await measure(enginePair) });
} catch (error) {
  postMessage({ error: String(error) });
}
