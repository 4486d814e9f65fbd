import { currentTrace } from "./trace.ts";

type Level = "debug" | "info" | "warn" | "error";
type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Logger {
  debug(msg: string, fields?: Fields): void;
  info(msg: string, fields?: Fields): void;
  warn(msg: string, fields?: Fields): void;
  error(msg: string, error: unknown, fields?: Fields): void;
}

const order: readonly Level[] = ["debug", "info", "warn", "error"];

/**
 * Structured logs: one JSON line each, with the request that it was written for. `info` for requests and steps of a lifecycle, `error` for bugs and losses only.
 * Fields hold ids, counts and latencies; never content, keys, tokens, names or addresses of people.
 */
export function makeLogger(least: Level, write: (line: string) => void): Logger {
  const line = (level: Level, msg: string, fields: Fields = {}): void => {
    if (order.indexOf(level) < order.indexOf(least)) return;
    write(JSON.stringify({ level, time: new Date().toISOString(), msg, ...currentTrace(), ...fields }));
  };
  return {
    debug: (msg, fields) => line("debug", msg, fields),
    info: (msg, fields) => line("info", msg, fields),
    warn: (msg, fields) => line("warn", msg, fields),
    error: (msg, error, fields = {}) =>
      line("error", msg, { ...fields, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  };
}
