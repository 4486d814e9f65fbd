import * as v from "valibot";

/** `manifest.json`, the first entry of an archive: what the rest is made of. */
export const Manifest = v.object({
  format: v.literal("lescopains backup 1"),
  /** ISO 8601: everything that was acknowledged before it is in the backup. */
  takenAt: v.string(),
  /** The history of the schema: it is made again by the same files. */
  migrations: v.array(v.object({ version: v.number(), name: v.string(), checksum: v.string() })),
  tables: v.array(v.object({ name: v.string(), columns: v.array(v.string()) })),
});
export type Manifest = v.InferOutput<typeof Manifest>;

/** `end.json`, the last entry: what must have come before it. */
export const End = v.object({
  /** Rows of each table. */
  rows: v.record(v.string(), v.number()),
  /** The last number that each sequence has given out, as text (it may be beyond 2^53). */
  sequences: v.record(v.string(), v.string()),
});
export type End = v.InferOutput<typeof End>;

export const entryNames = { manifest: "manifest.json", secrets: "secrets.json", end: "end.json" } as const;

/** A part of a table, in the text format of PostgreSQL's COPY. Parts of a table follow one another. */
export function partName(table: string, part: number): string {
  return `tables/${table}/${String(part).padStart(6, "0")}.copy`;
}

/** The table that an entry is a part of. */
export function tableOf(entryName: string): string | undefined {
  return /^tables\/([a-z_0-9]+)\/\d+\.copy$/.exec(entryName)?.[1];
}
