type Level = "debug" | "info" | "warn" | "error";
type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

function write(level: Level, msg: string, fields: Fields): void {
  const line = JSON.stringify({ level, time: new Date().toISOString(), msg, ...fields });
  if (level === "error") console.error(line);
  else console.log(line);
}

/**
 * Structured logs: one JSON line each. `info` for steps of a lifecycle, `error` for bugs and losses only.
 * Fields hold ids, counts and latencies; never content, keys, tokens, names or addresses of people.
 */
export const log = {
  info: (msg: string, fields: Fields = {}) => write("info", msg, fields),
  warn: (msg: string, fields: Fields = {}) => write("warn", msg, fields),
  error: (msg: string, error: unknown, fields: Fields = {}) =>
    write("error", msg, { ...fields, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
};
