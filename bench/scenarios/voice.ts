import type { Tools } from "./bench.ts";
import { calls } from "./calls.ts";
import { forwarding } from "./forwarding.ts";

/** Voice: what a node bears, and what two people notice. */
export async function voice(tools: Tools): Promise<void> {
  await forwarding(tools);
  await calls(tools);
}
