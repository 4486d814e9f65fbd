import { currentTrace } from "./trace.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;
type Level = (typeof LEVELS)[number];
type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

let least: Level = "info";

/** LOG_LEVEL: what is less than it is not written. Anything else than a level is `info`. */
export function setLogLevel(name: string | undefined): void {
  least = LEVELS.find((level) => level === name) ?? "info";
}

function write(level: Level, msg: string, fields: Fields): void {
  if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
  const line = JSON.stringify({ level, time: new Date().toISOString(), msg, ...currentTrace(), ...fields });
  if (level === "error") console.error(line);
  else console.log(line);
}

/**
 * Structured logs: one JSON line each, with the request that it was written for. `info` for requests and steps of a lifecycle, `error` for bugs
 * and losses only. Fields hold ids, counts and latencies; never content, keys, tokens, names or addresses of people (docs/spec/operations.md).
 */
export const log = {
  info: (msg: string, fields: Fields = {}) => write("info", msg, fields),
  warn: (msg: string, fields: Fields = {}) => write("warn", msg, fields),
  error: (msg: string, error: unknown, fields: Fields = {}) =>
    write("error", msg, { ...fields, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
};
