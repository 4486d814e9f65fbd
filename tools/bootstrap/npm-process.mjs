import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { identifyProcess } from "./process-identity.mjs";

/**
 * @param {number} pid
 * @returns {{ parent: number, name: string }}
 */
function lookUp(pid) {
  if (process.platform === "linux") {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { parent: Number(parent), name: stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")")) };
  }
  const [parent = "", ...name] = execFileSync("ps", ["-o", "ppid=,comm=", "-p", String(pid)], { encoding: "utf8" })
    .trim()
    .split(/\s+/);
  return { parent: Number(parent), name: name.join(" ") };
}

/**
 * The npm that runs this script, if one does. It starts a shell, which on some systems stays between the two, and would hide
 * that npm was killed.
 */
export function npmProcess() {
  if (process.env["npm_lifecycle_event"] === undefined || process.platform === "win32") return undefined;
  try {
    const { parent, name } = lookUp(process.ppid);
    return identifyProcess(/(?:^|[/-])(?:a|ba|da|k|z)?sh$/.test(name) ? parent : process.ppid);
  } catch {
    return undefined; // No /proc and no ps: a killed npm is then not noticed.
  }
}
