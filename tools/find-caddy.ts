import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { findProgram, type Log, type ProgramSource, runInstaller } from "./find-program.ts";

/** Outside node_modules, which every `npm ci` empties. */
function copyPath(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "lescopains", "caddy");
}

/** The program out of Debian's package, which is not installed: it would start a server on port 80. */
async function takeFromDebian(log: Log): Promise<void> {
  if (process.platform !== "linux") return;
  log("Downloading Caddy with apt-get …");
  const parent = dirname(copyPath());
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "caddy-"));
  try {
    if (process.getuid?.() === 0) await runInstaller("apt-get", ["update"]);
    // As root apt would download as another user, who may not write here.
    const asOneself = ["-o", "APT::Sandbox::User=root"];
    if (!(await runInstaller("apt-get", [...asOneself, "download", "caddy"], { cwd: folder }))) return;
    const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
    if (file === undefined) return;
    if (!(await runInstaller("dpkg-deb", ["--extract", join(folder, file), folder]))) return;
    renameSync(join(folder, "usr", "bin", "caddy"), copyPath());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const source: ProgramSource = {
  name: "Caddy",
  neededBy: "The tests of the front",
  variable: "CADDY_BIN",
  programs: ["caddy"],
  copy: { path: copyPath, fetch: takeFromDebian },
};

/** The path of a Caddy, which is downloaded if need be. */
export async function findCaddy(log: Log = () => undefined): Promise<string> {
  return await findProgram(source, log);
}
