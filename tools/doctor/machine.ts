/** The machine under an installation: its clocks, its disk, its backups. */
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { readBackupRecord } from "../backup/record.ts";
import { OperatorError } from "../operator-error.ts";
import { askDatabase } from "./database.ts";
import { fetchFrom, type Hop, reasonOf } from "./installation.ts";

/** Tokens and invites are compared across clocks; browsers show times by them. */
const largestClockDifferenceMs = 5_000;
/** PostgreSQL stops when it cannot write its log ahead; this is a few days of it for a small place. */
const leastFreeBytes = 1024 ** 3;
const oldestBackupMs = 8 * 24 * 60 * 60_000;

export const clocks: Hop = async ({ url, databaseUrl }) => {
  const differences: number[] = [];
  if (databaseUrl !== undefined) {
    const beforeMs = Date.now();
    const { nowMs } = await askDatabase(databaseUrl);
    differences.push(Math.abs(nowMs - (beforeMs + Date.now()) / 2));
  }
  // workerd itself sends no Date: a proxy or Cloudflare in front of it does, to the second.
  const response = await fetchFrom(`${url}/health`);
  const date = response.headers.get("date");
  await response.body?.cancel();
  if (date !== null) differences.push(Math.max(0, Math.abs(Date.parse(date) - Date.now()) - 1_000));
  if (differences.length === 0) return { note: "no clock to compare with" };
  const worstMs = Math.max(...differences);
  if (worstMs > largestClockDifferenceMs) {
    throw new OperatorError(
      `The clocks differ by ${Math.round(worstMs / 1000)} s: set them by NTP on every machine (timedatectl set-ntp true)`,
    );
  }
  return `they differ by ${Math.round(worstMs)} ms`;
};

export const disk: Hop = async ({ dataDir }) => {
  if (dataDir === undefined) return { note: "not looked at: that needs the machine itself" };
  const { bavail, bsize } = await statfs(dataDir).catch((cause: unknown) => {
    throw new OperatorError(`${dataDir} cannot be looked at (${reasonOf(cause)}): set DATA_DIR to the folder in use`, {
      cause,
    });
  });
  const free = bavail * bsize;
  const gigabytes = (free / 1024 ** 3).toFixed(1);
  if (free < leastFreeBytes)
    throw new OperatorError(`Only ${gigabytes} GB free below ${dataDir}: make room before PostgreSQL stops`);
  return `${gigabytes} GB free`;
};

export const backup: Hop = async ({ dataDir }) => {
  if (dataDir === undefined) return { note: "not looked at: that needs the machine itself" };
  const record = readBackupRecord(dataDir);
  if (record === undefined)
    return { note: "none was ever made: npm run backup -- <folder>, each day (docs/backup.md)" };
  const ageMs = Date.now() - Date.parse(record.at);
  const age =
    ageMs < 48 * 3_600_000 ? `${Math.round(ageMs / 3_600_000)} hours` : `${Math.round(ageMs / 86_400_000)} days`;
  if (ageMs > oldestBackupMs)
    throw new OperatorError(`The last one is ${age} old: look at the timer that should make one (docs/backup.md)`);
  const where = existsSync(record.path) ? record.path : `${record.path}, which is no longer there`;
  return `${age} old, ${(record.bytes / 1e6).toFixed(1)} MB (${where})`;
};
