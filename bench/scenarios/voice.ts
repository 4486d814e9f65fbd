import type { Tools } from "./bench.ts";
import { besideJanus } from "./beside-janus.ts";
import { calls } from "./calls.ts";
import { forwarding } from "./forwarding.ts";

/** Voice: what a node bears, what it takes beside another, and what two people notice. */
export async function voice(tools: Tools): Promise<void> {
  await forwarding(tools);
  await besideJanus(tools);
  await calls(tools);
}
