import type { ChannelId, MessageId, Seq } from "@lescopains/protocol/ids";
import type { Locks } from "../../sync/ports.ts";
import { KeysError } from "../port.ts";
import type { Codec } from "./codec.ts";
import type { KeysDatabase, StoredRow } from "./database.ts";
import { openSealing, type Sealing } from "./sealing.ts";

/** Where a row stands; readable without the key. `shown` is absent for what people don't see by itself. */
export interface RowPlace {
  readonly channelId: ChannelId;
  readonly seq: Seq;
  readonly id: MessageId;
  /** 1: the account's own. */
  readonly mine: 0 | 1;
  readonly shown?: Seq;
}

export interface Row<T> extends RowPlace {
  readonly value: T;
}

/** What is read and written at once, while the account's lock is held. Nothing is written before `commit`. */
export interface Unit {
  /** @throws KeysError `storage_failed`: what cannot be read is never taken for absent. */
  readonly get: <T>(key: string, codec: Codec<T>) => Promise<T | undefined>;
  readonly put: <T>(key: string, codec: Codec<T>, value: NoInfer<T>) => void;
  readonly drop: (key: string) => void;
  /** Keys that begin with `prefix`, in order. */
  readonly keys: (prefix: string) => Promise<readonly string[]>;
  readonly row: (channelId: ChannelId, seq: Seq) => Promise<Row<Uint8Array> | undefined>;
  /** Reads a stretch of rows at once, so that `row` waits for none of them until the next commit. */
  readonly ahead: (channelId: ChannelId, from: Seq, to: Seq) => Promise<void>;
  readonly rowById: (id: MessageId) => Promise<Row<Uint8Array> | undefined>;
  readonly putRow: (row: Row<Uint8Array>) => void;
  /** One transaction, flushed to the disk: all of it is kept or nothing. May be called again after further changes. */
  readonly commit: () => Promise<void>;
}

export interface RowRange {
  readonly channelId: ChannelId;
  /** Exclusive. */
  readonly before?: Seq | undefined;
  /** Exclusive. */
  readonly after?: Seq | undefined;
  readonly limit: number;
}

export interface Store {
  /** Runs `task` alone among all tabs of this account. What it wrote and did not commit is forgotten. */
  readonly exclusive: <T>(task: (unit: Unit) => Promise<T>) => Promise<T>;
  /** Rows that people see, oldest first: the last ones before `before`, the first after `after`, or the last of all. */
  readonly shown: (range: RowRange) => Promise<readonly Row<Uint8Array>[]>;
  /** Every row of a stretch, shown or not, oldest first. */
  readonly rows: (channelId: ChannelId, from: Seq, to: Seq) => Promise<readonly Row<Uint8Array>[]>;
  /** Messages of others that are shown after `seq`. */
  readonly countUnread: (channelId: ChannelId, seq: Seq) => Promise<number>;
  readonly countRows: () => Promise<number>;
  /** Where every row stands. */
  readonly places: () => Promise<readonly (readonly [ChannelId, Seq])[]>;
  readonly close: () => void;
}

/** Values kept in memory between units, while the database's generation says that they are the present ones. */
const CACHE_MAX = 400;

/** Everything secret of one account, sealed, in IndexedDB. */
export async function openStore(
  database: KeysDatabase,
  subtle: SubtleCrypto,
  locks: Locks,
  lockName: string,
): Promise<Store> {
  const sealing = await openSealing(database, subtle);
  let generation = -1;
  const cache = new Map<string, unknown>();

  async function openRow(stored: StoredRow): Promise<Row<Uint8Array>> {
    const { sealed, ...place } = stored;
    return { ...place, value: await sealing.open(placeOf(place), sealed) };
  }

  async function unit(): Promise<Unit> {
    const present = (await database.get("own", "generation")) ?? 0;
    if (typeof present !== "number") throw new Error("the generation is no number");
    if (present !== generation) cache.clear();
    generation = present;
    const records = new Map<string, { readonly codec: Codec<never>; readonly value: unknown } | undefined>();
    const rows = new Map<string, Row<Uint8Array>>();
    /** Stretches that were read ahead, which may be much longer than what is stored there. */
    let stretches: { readonly channelId: ChannelId; readonly from: Seq; readonly to: Seq }[] = [];
    const readAhead = new Map<string, StoredRow>();
    const isReadAhead = (channelId: ChannelId, seq: Seq): boolean =>
      stretches.some((one) => one.channelId === channelId && one.from <= seq && seq <= one.to);
    /** Values that later ones took the place of: their secrets are overwritten once those are stored. */
    const replaced = new Map<string, unknown[]>();

    function noteReplaced(key: string): void {
      const before = records.get(key)?.value ?? cache.get(key);
      if (before !== undefined) replaced.set(key, [...(replaced.get(key) ?? []), before]);
    }

    return {
      async get<T>(key: string, codec: Codec<T>) {
        if (records.has(key)) return records.get(key)?.value as T | undefined;
        if (cache.has(key)) return cache.get(key) as T;
        return await reading(async () => {
          const sealed = await database.get("records", key);
          if (sealed === undefined) return undefined;
          const value = codec.decode(await sealing.open(key, sealed));
          remember(key, value);
          return value;
        });
      },
      put(key, codec, value) {
        noteReplaced(key);
        records.set(key, { codec: codec as unknown as Codec<never>, value });
      },
      drop(key) {
        noteReplaced(key);
        records.set(key, undefined);
      },
      keys: async (prefix) =>
        await reading(async () => {
          const stored = await database.getAllKeys("records", IDBKeyRange.bound(prefix, `${prefix}\uffff`));
          const known = new Set(stored);
          for (const [key, written] of records) {
            if (!key.startsWith(prefix)) continue;
            if (written === undefined) known.delete(key);
            else known.add(key);
          }
          return [...known].toSorted();
        }),
      async row(channelId, seq) {
        const at = `${channelId} ${seq}`;
        const written = rows.get(at);
        if (written !== undefined) return written;
        return await reading(async () => {
          const stored = isReadAhead(channelId, seq) ? readAhead.get(at) : await database.get("rows", [channelId, seq]);
          return stored === undefined ? undefined : await openRow(stored);
        });
      },
      ahead: async (channelId, from, to) =>
        await reading(async () => {
          if (from > to) return;
          const stored = await database.getAll("rows", IDBKeyRange.bound([channelId, from], [channelId, to]));
          stretches.push({ channelId, from, to });
          for (const row of stored) readAhead.set(`${channelId} ${row.seq}`, row);
        }),
      async rowById(id) {
        const written = [...rows.values()].find((row) => row.id === id);
        if (written !== undefined) return written;
        return await reading(async () => {
          const stored = await database.getFromIndex("rows", "byId", id);
          return stored === undefined ? undefined : await openRow(stored);
        });
      },
      putRow: (row) => void rows.set(`${row.channelId} ${row.seq}`, row),
      async commit() {
        if (records.size === 0 && rows.size === 0) return;
        // Sealed before the transaction: IndexedDB ends one that waits for anything else.
        const [sealedRecords, sealedRows] = await Promise.all([sealRecords(sealing, records), sealRows(sealing, rows)]);
        await reading(async () => {
          const transaction = database.transaction(["own", "records", "rows"], "readwrite", { durability: "strict" });
          const own = transaction.objectStore("own");
          const writes: Promise<unknown>[] = [];
          try {
            if (((await own.get("generation")) ?? 0) !== generation) throw new Error("written without the lock");
            writes.push(own.put(generation + 1, "generation"));
            for (const [key, sealed] of sealedRecords) {
              const store = transaction.objectStore("records");
              writes.push(sealed === undefined ? store.delete(key) : store.put(sealed, key));
            }
            for (const row of sealedRows) writes.push(transaction.objectStore("rows").put(row));
            await Promise.all([...writes, transaction.done]);
          } catch (error) {
            await Promise.allSettled([...writes, transaction.done.catch(() => undefined)]);
            cache.clear();
            generation = -1;
            throw error;
          }
        });
        generation += 1;
        for (const [key, written] of records) {
          if (written === undefined) cache.delete(key);
          else remember(key, written.value);
          for (const before of replaced.get(key) ?? []) {
            if (before !== written?.value) written?.codec.retire?.(before as never, written.value as never);
          }
        }
        records.clear();
        rows.clear();
        stretches = [];
        readAhead.clear();
        replaced.clear();
      },
    };
  }

  function remember(key: string, value: unknown): void {
    cache.delete(key);
    cache.set(key, value);
    for (const oldest of cache.keys()) {
      if (cache.size <= CACHE_MAX) break;
      cache.delete(oldest);
    }
  }

  return {
    exclusive: async (task) => await locks.exclusive(lockName, async () => await task(await reading(unit))),
    shown: async ({ channelId, before, after, limit }) =>
      await reading(async () => {
        const range = IDBKeyRange.bound([channelId, after ?? -1], [channelId, before ?? Infinity], true, true);
        const found: StoredRow[] = [];
        const index = database.transaction("rows").store.index("byShown");
        const direction = after === undefined ? "prev" : "next";
        for (
          let cursor = await index.openCursor(range, direction);
          cursor !== null && found.length < limit;
          cursor = await cursor.continue()
        ) {
          found.push(cursor.value);
        }
        if (after === undefined) found.reverse();
        return await Promise.all(found.map(openRow));
      }),
    rows: async (channelId, from, to) =>
      await reading(async () => {
        const stored = await database.getAll("rows", IDBKeyRange.bound([channelId, from], [channelId, to]));
        return await Promise.all(stored.map(openRow));
      }),
    countUnread: async (channelId, seq) =>
      await reading(async () => {
        const range = IDBKeyRange.bound([channelId, seq], [channelId, Infinity], true, true);
        const stored = await database.getAllFromIndex("rows", "byShown", range);
        return stored.filter(({ mine }) => mine === 0).length;
      }),
    countRows: async () => await reading(() => database.count("rows")),
    places: async () => await reading(() => database.getAllKeys("rows")),
    close: () => database.close(),
  };
}

function placeOf({ channelId, seq, id, mine, shown }: RowPlace): string {
  return `row/${channelId}/${seq}/${id}/${mine}/${shown ?? ""}`;
}

function sealRecords(
  sealing: Sealing,
  records: ReadonlyMap<string, { readonly codec: Codec<never>; readonly value: unknown } | undefined>,
): Promise<(readonly [string, Uint8Array | undefined])[]> {
  return Promise.all(
    [...records].map(async ([key, written]) => {
      if (written === undefined) return [key, undefined] as const;
      return [key, await sealing.seal(key, written.codec.encode(written.value as never))] as const;
    }),
  );
}

function sealRows(sealing: Sealing, rows: ReadonlyMap<string, Row<Uint8Array>>): Promise<StoredRow[]> {
  return Promise.all(
    [...rows.values()].map(async ({ value, ...place }) => ({
      ...place,
      sealed: await sealing.seal(placeOf(place), value),
    })),
  );
}

/** Runs something that reads or writes the database; whatever goes wrong there is said as such. */
export async function reading<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof KeysError) throw error;
    const full = error instanceof DOMException && error.name === "QuotaExceededError";
    throw new KeysError(
      {
        code: full ? "storage_full" : "storage_failed",
        message: full ? "the browser's storage is full" : "the browser's storage could not be used",
      },
      { cause: error },
    );
  }
}
