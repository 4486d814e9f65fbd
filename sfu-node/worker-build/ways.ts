import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { mediasoupFolder, recipeFolder } from "./cache.ts";
import { run } from "./run.ts";

/** One way to get a worker: writes it to `binary`, or says in half a sentence why this way is not open. */
export interface Way {
  (attempt: Attempt): Promise<{ readonly closed: string } | undefined>;
}

export interface Attempt {
  /** An empty folder of this attempt's own. */
  readonly folder: string;
  readonly binary: string;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Connecting and 5 MB. Upstream's own script has no limit and waits for more than a minute where its host is out of reach. */
const downloadTimeoutMs = 30_000;

/** Upstream's prebuilt worker, fetched by the package's own script. */
export const prebuilt: Way = async ({ binary, log, signal }) => {
  log("Looking for a prebuilt mediasoup worker …");
  const timeout = AbortSignal.timeout(downloadTimeoutMs);
  const { MEDIASOUP_WORKER_BIN: _given, ...env } = process.env;
  try {
    const { ok } = await run({
      command: process.execPath,
      args: ["npm-scripts.mjs", "postinstall"],
      cwd: mediasoupFolder(),
      // The script would fall back to a build with pip, whose packages come from yet another host: `false` ends that at once.
      env: { ...env, PYTHON: "false" },
      signal: AbortSignal.any([signal, timeout]),
    });
    if (!ok) return { closed: "there is no prebuilt one to be downloaded" };
  } catch (error) {
    if (signal.aborted || !timeout.aborted) throw error;
    return { closed: "the prebuilt one did not arrive in time" };
  }
  const name = process.platform === "win32" ? "mediasoup-worker.exe" : "mediasoup-worker";
  copyFileSync(join(mediasoupFolder(), "worker", "out", "Release", name), binary);
  return undefined;
};

const debianPackages = [
  "g++",
  "pkg-config",
  "meson",
  "ninja-build",
  "libssl-dev",
  "libuv1-dev",
  "libsrtp2-dev",
  "libabsl-dev",
  "libflatbuffers-dev",
  "flatbuffers-compiler",
];

async function missingPackages(attempt: Attempt): Promise<string[]> {
  const missing: string[] = [];
  for (const name of debianPackages) {
    const { ok, tail } = await run({
      command: "dpkg-query",
      args: ["-W", "-f=${Status}", name],
      cwd: attempt.folder,
      signal: attempt.signal,
    });
    if (!ok || !tail.endsWith("ok installed")) missing.push(name);
  }
  return missing;
}

async function aptGet({ folder, log, signal }: Attempt, args: readonly string[]): Promise<boolean> {
  log(`apt-get ${args[0]} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return (await run({ command: "apt-get", args: ["-q", ...args], cwd: folder, env, signal })).ok;
}

/** Installs what the build needs, as root; otherwise says the line to run. */
async function installPackages(attempt: Attempt): Promise<string | undefined> {
  const missing = await missingPackages(attempt);
  if (missing.length === 0) return undefined;
  const line = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0) return `a build needs \`sudo ${line}\``;
  const install = ["install", "-y", "--no-install-recommends", ...missing];
  // The lists of a fresh machine are empty, those of an old one name packages that are gone.
  if ((await aptGet(attempt, ["update"])) && (await aptGet(attempt, install))) return undefined;
  return `a build needs \`${line}\`, which failed`;
}

const progressMs = 10_000;

/** A build from the source in the npm package, with Debian's packages: some minutes. */
export const fromSource: Way = async (attempt) => {
  if (process.platform !== "linux" || !existsSync("/usr/bin/dpkg-query")) {
    return { closed: "building one is prepared for Debian and its relatives only" };
  }
  const closed = await installPackages(attempt);
  if (closed !== undefined) return { closed };
  const { folder, binary, log, signal } = attempt;
  log("Building the mediasoup worker from source (some minutes, this once) …");
  let shownMs = Date.now();
  const { ok, tail } = await run({
    command: "sh",
    args: [join(recipeFolder, "build.sh"), join(mediasoupFolder(), "worker"), join(folder, "build"), binary],
    cwd: folder,
    onLine: (line) => {
      const step = /^\[(\d+)\/(\d+)\]/.exec(line);
      if (step === null || Date.now() - shownMs < progressMs) return;
      shownMs = Date.now();
      log(`… building the mediasoup worker (${step[1]} of ${step[2]} files)`);
    },
    signal,
  });
  return ok ? undefined : { closed: `its build failed:\n${tail}` };
};
