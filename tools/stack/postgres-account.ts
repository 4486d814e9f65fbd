/**
 * PostgreSQL refuses to run as root. A root user's stack runs it as the user `postgres`, who must be able to reach the
 * binaries and the data: where it cannot (a clone below /root, for one), they live in /var/lib/lescopains instead, and no
 * folder of the person's is opened to others for it.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { OperatorError } from "../operator-error.ts";

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const sharedHome = "/var/lib/lescopains";

function lookUp(): Account | undefined {
  try {
    const id = (flag: string): number =>
      Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8", stdio: "pipe" }));
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return undefined;
  }
}

function create(): void {
  const attempts: readonly (readonly [string, readonly string[]])[] = [
    ["useradd", ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "postgres"]],
    ["adduser", ["-S", "-D", "-H", "postgres"]],
  ];
  for (const [command, args] of attempts) {
    if (spawnSync(command, args, { stdio: "ignore" }).status === 0) return;
  }
}

/** The account that PostgreSQL must run as: undefined is this process's own. Makes the user `postgres` if root has none. */
export function postgresAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const found = lookUp();
  if (found !== undefined) return found;
  create();
  const made = lookUp();
  if (made !== undefined) return made;
  throw new OperatorError(
    "PostgreSQL does not run as root and the user postgres could not be made: run `useradd --system postgres`, start as another user, or set DATABASE_URL",
  );
}

function canEnter(account: Account, folder: string): boolean {
  return spawnSync("/bin/sh", ["-c", 'cd "$0"', folder], { ...account, cwd: "/", stdio: "ignore" }).status === 0;
}

function canRun(account: Account, program: string): boolean {
  return spawnSync(program, ["--version"], { ...account, cwd: "/", stdio: "ignore" }).status === 0;
}

function makeSharedHome(): void {
  try {
    mkdirSync(sharedHome, { recursive: true, mode: 0o755 });
  } catch (cause) {
    throw new OperatorError(
      `The user postgres cannot enter this folder and ${sharedHome} cannot be made: clone elsewhere, or set DATABASE_URL`,
      { cause },
    );
  }
}

/** The binaries where `account` can run them: `home` itself, or a copy made once per version. */
export function reachableHome(home: string, account: Account): string {
  if (canRun(account, join(home, "bin", "postgres"))) return home;
  makeSharedHome();
  const version = execFileSync(join(home, "bin", "postgres"), ["--version"], { encoding: "utf8" });
  const copy = join(sharedHome, `binaries-${version.replaceAll(/[^\w.]+/g, "-").replace(/-$/, "")}`);
  if (existsSync(copy)) return copy;
  const draft = `${copy}.${randomBytes(4).toString("hex")}`;
  cpSync(home, draft, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(draft, copy);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

function linkTarget(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined;
}

/**
 * Where `account` can have its data, for the wished-for `folder`: there, once its parent (which is LesCopains' own) lets
 * others through; or, when a folder further up does not, in /var/lib/lescopains, with a link left at `folder`.
 */
export function reachableFolder(folder: string, account: Account): string {
  const linked = linkTarget(folder);
  if (linked !== undefined) return linked;
  const parent = dirname(folder);
  chmodSync(parent, 0o711);
  if (canEnter(account, parent)) return folder;
  if (existsSync(folder)) {
    throw new OperatorError(
      `The user postgres can no longer enter ${parent}: allow it with chmod o+x on the folders above`,
    );
  }
  makeSharedHome();
  const elsewhere = join(sharedHome, `${basename(folder)}-${randomBytes(4).toString("hex")}`);
  symlinkSync(elsewhere, folder);
  return elsewhere;
}
