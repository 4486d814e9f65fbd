import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { ChannelId, Seq } from "@lescopains/protocol/ids";
import type { RowPlace } from "./store.ts";

/**
 * One database for each account. What stands beside a sealed value (channel, number, message id) is what the server knows as well.
 *
 * ```
 * own      "wrap" → CryptoKey, not extractable · "generation" → number, goes up with each commit
 * records  "session/<user>/<device>", "peer/<user>", … → sealed
 * rows     (channelId, seq) → what the channel's event was, sealed; `shown` is its seq when it is a message that people see
 * ```
 */
export interface KeysSchema extends DBSchema {
  readonly own: { readonly key: string; readonly value: CryptoKey | number };
  readonly records: { readonly key: string; readonly value: Uint8Array };
  readonly rows: {
    readonly key: [ChannelId, Seq];
    readonly value: StoredRow;
    readonly indexes: { readonly byId: string; readonly byShown: [string, number] };
  };
}

export interface StoredRow extends RowPlace {
  readonly sealed: Uint8Array;
}

export type KeysDatabase = IDBPDatabase<KeysSchema>;

export function databaseName(userId: string): string {
  return `lescopains-keys-${userId}`;
}

/** Opens the database, making it when there is none. `onEnded`: another tab deletes it, or the browser closed it. */
export async function openKeysDatabase(name: string, onEnded: () => void): Promise<KeysDatabase> {
  const database: KeysDatabase = await openDB<KeysSchema>(name, 1, {
    upgrade(db) {
      db.createObjectStore("own");
      db.createObjectStore("records");
      const rows = db.createObjectStore("rows", { keyPath: ["channelId", "seq"] });
      rows.createIndex("byId", "id");
      rows.createIndex("byShown", ["channelId", "shown"]);
    },
    blocking() {
      database.close();
      onEnded();
    },
    terminated: onEnded,
  });
  return database;
}
