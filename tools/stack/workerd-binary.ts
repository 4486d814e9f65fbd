import { createRequire } from "node:module";
import { OperatorError } from "../operator-error.ts";

const packages: Readonly<Record<string, string>> = {
  "darwin-arm64": "@cloudflare/workerd-darwin-arm64/bin/workerd",
  "darwin-x64": "@cloudflare/workerd-darwin-64/bin/workerd",
  "linux-arm64": "@cloudflare/workerd-linux-arm64/bin/workerd",
  "linux-x64": "@cloudflare/workerd-linux-64/bin/workerd",
  "win32-x64": "@cloudflare/workerd-windows-64/bin/workerd.exe",
};

/** The path of the workerd that npm installed for this platform: the binary itself, not its starter script. */
export function workerdBinary(): string {
  const platform = `${process.platform}-${process.arch}`;
  const name = packages[platform];
  if (name === undefined)
    throw new OperatorError(`There is no workerd for ${platform}: use Linux, macOS or Windows on x64 or arm64`);
  try {
    return createRequire(createRequire(import.meta.url).resolve("workerd")).resolve(name);
  } catch (cause) {
    throw new OperatorError("workerd is not installed: run `npm ci`", { cause });
  }
}
