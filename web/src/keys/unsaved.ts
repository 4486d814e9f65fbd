import { bucketOf } from "./history.ts";
import type { Kit } from "./kit.ts";
import { codecs, KEY } from "./records.ts";
import type { Unit } from "./store/store.ts";

/** Everything is to be saved: the vault is new, or does not have any more what was saved last. */
export async function markAll(kit: Kit, unit: Unit): Promise<void> {
  const buckets = (await kit.store.places()).map(([channelId, seq]) => `row/${bucketOf(channelId, seq)}`);
  for (const name of new Set(["identity", "peers", ...buckets])) unit.put(KEY.dirty(name), codecs.count, kit.mark());
}
