import { readdirSync, readFileSync } from "node:fs";
import { Client } from "pg";

/** Linux counts CPU time of processes in hundredths of a second, whatever the kernel's own clock (proc(5)). */
const tickUs = 10_000;
const pageFields = { ppid: 1, utime: 11, stime: 12, cutime: 13, cstime: 14 } as const;

/** Fields of /proc/<pid>/stat, or of a thread in <pid>/task, behind the command's name, which may hold blanks. */
function statFields(path: number | string): string[] {
  const text = readFileSync(`/proc/${path}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function ticks(fields: readonly string[], names: readonly (keyof typeof pageFields)[]): number {
  return names.reduce((sum, name) => sum + Number(fields[pageFields[name]]), 0);
}

/** User and system time that a process has used, in µs. */
export function cpuUs(pid: number): number {
  return ticks(statFields(pid), ["utime", "stime"]) * tickUs;
}

interface Thread {
  readonly tid: number;
  /** At most 15 characters. */
  readonly name: string;
  readonly usedUs: number;
}

/** The threads of a process, with the user and system time that each has used. */
export function threads(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((tid) => {
    try {
      return {
        tid: Number(tid),
        name: readFileSync(`/proc/${pid}/task/${tid}/comm`, "utf8").trimEnd(),
        usedUs: ticks(statFields(`${pid}/task/${tid}`), ["utime", "stime"]) * tickUs,
      };
    } catch {
      // It ended between the calls.
      return [];
    }
  });
}

/** Resident memory of a process in kB. */
export function residentKb(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (line === undefined) throw new Error(`process ${pid} has no resident memory`);
  return Number(line);
}

/** CPU time of a process, its children, and the children that it has outlived, in µs. */
export function familyCpuUs(parent: number): number {
  let sum = ticks(statFields(parent), ["utime", "stime", "cutime", "cstime"]);
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = statFields(Number(name));
      if (Number(fields[pageFields.ppid]) === parent) sum += ticks(fields, ["utime", "stime"]);
    } catch {
      // It ended between the two calls; its time is in its parent's.
    }
  }
  return sum * tickUs;
}

/** The process that started the server's other processes. */
export async function postmasterPid(databaseUrl: string): Promise<number> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    return Number(statFields(rows[0]?.pid ?? 0)[pageFields.ppid]);
  } finally {
    await client.end();
  }
}
