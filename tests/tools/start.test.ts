import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { isRunning } from "../../tools/bootstrap/process-identity.mjs";
import { dataFolder, processesOf, startProcess } from "./start-process.ts";

const everything = ["PostgreSQL", "The SFU node", "The password hasher", "workerd"];

function names(folder: string): string[] {
  return processesOf(folder)
    .map(({ name }) => name)
    .toSorted();
}

/** How many accounts the running edge lets sign in: proof that the data of an earlier start is there. */
async function register(url: string, username: string): Promise<number> {
  const response = await fetch(`${url}/api/auth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username, password: "correct horse battery staple" }),
  });
  return response.status;
}

/** The children of a process: none of the systems this runs on lacks /proc or pgrep. */
function childrenOf(pid: number): number[] {
  if (process.platform === "linux") {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
  }
  return execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map(Number);
}

test("[ST1] a start answers at the address it says, keeps its data, and SIGINT leaves no process", async () => {
  const folder = dataFolder();
  const first = startProcess({ DATA_DIR: folder });
  const url = await first.ready;
  expect(first.output().trim().split("\n").at(-1)).toMatch(/^LesCopains is ready at http:\/\/localhost:\d+$/);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect((await fetch(`${url}/`)).status).toBe(200);
  expect(await register(url, "keeper")).toBe(201);
  expect(names(folder)).toEqual(everything);
  const secrets = readFileSync(join(folder, "secrets.json"), "utf8");
  expect(statSync(join(folder, "secrets.json")).mode & 0o777).toBe(0o400);

  const started = processesOf(folder);
  first.kill("SIGINT");
  first.kill("SIGINT"); // npm and the terminal both send one
  expect(await first.exited).toEqual({ code: 0, signal: null });
  expect(started.filter((identity) => isRunning(identity))).toEqual([]);

  const beforeMs = performance.now();
  const second = startProcess({ DATA_DIR: folder });
  const again = await second.ready;
  console.log(`a second start is ready in ${((performance.now() - beforeMs) / 1_000).toFixed(1)} s`);
  expect(await register(again, "keeper")).toBe(409);
  expect(readFileSync(join(folder, "secrets.json"), "utf8")).toBe(secrets);

  // [OP1] Each start while nobody is operator makes another link, and nothing else of the installation has it.
  const links = [first, second].map(
    (start) => /open (http:\S+\/operator\/claim#\S{43})$/m.exec(start.output())?.[1] ?? "",
  );
  expect(links.map((link) => link.slice(0, link.indexOf("#")))).toEqual([
    `${url}/operator/claim`,
    `${again}/operator/claim`,
  ]);
  expect(new Set(links).size).toBe(2);
  for (const file of readdirSync(join(folder, "logs"))) {
    for (const link of links)
      expect(readFileSync(join(folder, "logs", file), "utf8")).not.toContain(link.split("#")[1]);
  }
  second.kill("SIGTERM");
  expect((await second.exited).code).toBe(0);
});

test("[ST2] a start that is killed takes its processes along, and nothing that was stored is lost", async () => {
  const folder = dataFolder();
  const first = startProcess({ DATA_DIR: folder });
  expect(await register(await first.ready, "keeper")).toBe(201);
  const started = processesOf(folder);
  first.kill("SIGKILL");
  await vi.waitUntil(() => !started.some((identity) => isRunning(identity)), { timeout: 20_000 });
  const second = startProcess({ DATA_DIR: folder });
  expect(await register(await second.ready, "keeper")).toBe(409);
});

test("[ST3] what outlives even the guardian is stopped by the next start", async () => {
  const folder = dataFolder();
  const first = startProcess({ DATA_DIR: folder });
  expect(await register(await first.ready, "keeper")).toBe(201);
  const started = processesOf(folder);
  const guardian = childrenOf(first.pid).find((pid) => !started.some((identity) => identity.pid === pid));
  expect(guardian).toBeDefined();
  process.kill(guardian ?? 0, "SIGKILL");
  first.kill("SIGKILL");
  await first.exited;
  expect(names(folder)).toEqual(everything);

  const second = startProcess({ DATA_DIR: folder });
  const url = await second.ready;
  expect(second.output()).toContain("left over from an earlier start");
  expect(started.filter((identity) => isRunning(identity))).toEqual([]);
  expect(await register(url, "keeper")).toBe(409);
});

test("[ST4] the death of a process of the stack stops the rest, with a line that names it", async () => {
  const folder = dataFolder();
  const start = startProcess({ DATA_DIR: folder });
  await start.ready;
  const started = processesOf(folder);
  const workerd = started.find(({ name }) => name === "workerd");
  process.kill(workerd?.pid ?? 0, "SIGKILL");
  expect((await start.exited).code).toBe(1);
  expect(start.output().trim().split("\n").at(-1)).toContain("workerd ended unexpectedly (signal SIGKILL)");
  expect(started.filter((identity) => isRunning(identity))).toEqual([]);
});

test("[ST5] run.mjs hands a signal on, waits, and passes the exit code", async () => {
  const folder = dataFolder();
  const start = startProcess({ DATA_DIR: folder }, "run.mjs");
  await start.ready;
  const started = processesOf(folder);
  start.kill("SIGTERM");
  expect(await start.exited).toEqual({ code: 0, signal: null });
  expect(started.filter((identity) => isRunning(identity))).toEqual([]);
});

test.for(["run.mjs", "npm"] as const)("[ST11] when %s is killed, everything stops", async (through) => {
  const folder = dataFolder();
  const start = startProcess({ DATA_DIR: folder }, through);
  await start.ready;
  const started = processesOf(folder);
  start.kill("SIGKILL");
  await vi.waitUntil(() => !started.some((identity) => isRunning(identity)), { timeout: 20_000 });
});

/** Starts, and answers what it printed after it ended with exit code 1. */
async function failure(env: Readonly<Record<string, string>>): Promise<string[]> {
  const start = startProcess(env);
  expect((await start.exited).code).toBe(1);
  const progress = /( …|Migrated the database.*)$/;
  return start
    .output()
    .trim()
    .split("\n")
    .filter((line) => !progress.test(line));
}

test("[ST6] a port in use is one line", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => {
    taken.close();
  });
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as AddressInfo;
  const lines = await failure({ DATA_DIR: dataFolder(), PORT: String(port) });
  expect(lines).toEqual([`Port ${port} is in use: stop the program that listens there, or choose another with PORT=…`]);
  expect(await failure({ DATA_DIR: dataFolder(), PORT: "soon" })).toEqual([
    "PORT=soon is not a port: use a number from 1 to 65535",
  ]);
});

test("[ST7] a wrong DATABASE_URL is one line, without the password", async () => {
  const lines = await failure({
    DATA_DIR: dataFolder(),
    DATABASE_URL: "postgres://someone:hidden@127.0.0.1:1/nowhere",
  });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("No database at postgres://someone@127.0.0.1:1/nowhere");
  expect(lines[0]).not.toContain("hidden");
  expect(await failure({ DATA_DIR: dataFolder(), DATABASE_URL: "mysql://x" })).toEqual([
    "DATABASE_URL is not a URL of the form postgres://user:password@host:5432/database",
  ]);
});

test("[ST8] a folder that cannot be written to is one line", async () => {
  const file = join(dataFolder(), "file");
  writeFileSync(file, "");
  const lines = await failure({ DATA_DIR: join(file, "below") });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^The folder .* cannot be written to \(ENOTDIR\)/);
});

test("[ST9] a second start on the same folder says that the first one runs", async () => {
  const folder = dataFolder();
  const first = startProcess({ DATA_DIR: folder });
  await first.ready;
  const lines = await failure({ DATA_DIR: folder });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(`LesCopains already runs on ${folder} (process ${first.pid}, http://127.0.0.1:`);
  expect(names(folder)).toEqual(everything);
});

test("[ST10] Ctrl-C while it starts stops what was started", async () => {
  const folder = dataFolder();
  const start = startProcess({ DATA_DIR: folder });
  await vi.waitUntil(() => names(folder).includes("PostgreSQL"), { timeout: 30_000 });
  const started = processesOf(folder);
  start.kill("SIGINT");
  expect((await start.exited).code).toBe(0);
  expect(started.filter((identity) => isRunning(identity))).toEqual([]);
});
