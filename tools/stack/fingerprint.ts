import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { rootFolder } from "./root.ts";

const ignoredFolders = new Set(["node_modules", "dist", ".wrangler"]);

function* filesBelow(path: string): Generator<string> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (stat.isFile()) yield path;
  if (!stat.isDirectory()) return;
  for (const name of readdirSync(path).toSorted()) {
    if (!ignoredFolders.has(name) && !/\.test\.tsx?$/.test(name)) yield* filesBelow(join(path, name));
  }
}

/** A hash of the names and contents of files and folders (relative to the repository). Tests and build results don't count. */
export function fingerprint(paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) {
    for (const file of filesBelow(join(rootFolder, path))) {
      hash.update(relative(rootFolder, file)).update("\0").update(readFileSync(file)).update("\0");
    }
  }
  return hash.digest("hex");
}
