import type { Client } from "pg";

/**
 * How far numbers go on after a restore: what was given out between the backup and its restoration is never given out again. Nobody gives out so
 * many in that time.
 */
export const numberGap = 1_000_000;

/**
 * What others saw of the database after the backup was taken is unknown to it now: makes sure that nothing which happens from here on is taken
 * for that. Runs in the restore's transaction, on the schema that the backup had (`tables`), whichever that is.
 */
export async function beginGeneration(client: Client, tables: readonly string[]): Promise<void> {
  const has = (table: string): boolean => tables.includes(table);
  // Browsers keep messages by number: a number that comes again would hide one message behind another.
  if (has("channels")) await client.query("update channels set last_seq = last_seq + $1", [numberGap]);
  if (has("read_marks") && (await hasColumn(client, "channels", "message_seq"))) {
    // Who had read everything has; else a million messages would count as new with the next one. Devices count direct messages themselves.
    await client.query(
      `update read_marks r set seq = c.last_seq from channels c
        where c.id = r.channel_id and c.server_id is not null and r.seq >= c.message_seq`,
    );
  }
  // Any of them may have been handed out since: their devices make others with their next connection.
  if (has("prekeys")) await client.query("update prekeys set used = true where not used");
  if (has("voice_sessions")) {
    await client.query("update channels set voice_epoch = voice_epoch + $1", [numberGap]);
    await client.query(
      `update voice_sessions set left_at = now(), reason = 'lost', due_at = null, call_id = null, ringing = null, ringing_until = null
        where left_at is null`,
    );
  }
  if (await hasColumn(client, "instance", "generation")) {
    await client.query("update instance set generation = gen_random_uuid()");
  }
}

async function hasColumn(client: Client, table: string, column: string): Promise<boolean> {
  const { rowCount } = await client.query(
    "select 1 from information_schema.columns where table_schema = 'public' and table_name = $1 and column_name = $2",
    [table, column],
  );
  return rowCount !== 0;
}
