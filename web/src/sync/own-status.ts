import { StatusChoice } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import * as v from "valibot";
import type { KeyValueStore } from "./ports.ts";

export interface OwnStatus {
  readonly status: StatusChoice;
  readonly customStatus: string | null;
}

const KeptStatus = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ status: StatusChoice, customStatus: v.nullable(v.string()) }),
);

/** One's own status as last chosen on this machine; presence is never stored on the server. */
export function keptStatus(storage: KeyValueStore, userId: UserId): OwnStatus {
  const parsed = v.safeParse(KeptStatus, storage.get(`lescopains:status:${userId}`) ?? "");
  return parsed.success ? parsed.output : { status: "online", customStatus: null };
}

export function keepStatus(storage: KeyValueStore, userId: UserId, status: OwnStatus): void {
  storage.set(`lescopains:status:${userId}`, JSON.stringify(status));
}
