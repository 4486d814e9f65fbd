/**
 * What the images of ops/images/Dockerfile hold of ours, in one folder: `node tools/images/assemble.ts <folder>`, a step of their build.
 *
 *   workerd the edge's program: a layer that hardly ever changes
 *   edge/   its two configurations and bundles, the web client
 *   sfu/    the voice node as one file (its mediasoup worker comes from worker.ts)
 *   tools/  one file for each command, and the migrations
 */
import { chmodSync, copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { buildEdge, buildWeb, edgeFolder, passwordsFolder, webFolder } from "../stack/build.ts";
import { rootFolder } from "../stack/root.ts";
import { workerdBinary } from "../stack/workerd-binary.ts";
import { mainConfig, passwordsConfig } from "../stack/workerd-config.ts";

/** Commands of the image `tools`, and what each runs. */
const commands = {
  secrets: "tools/images/secrets.ts",
  migrate: "tools/images/migrate.ts",
  doctor: "tools/doctor.ts",
  backup: "tools/backup.ts",
  restore: "tools/restore.ts",
  "password-link": "tools/password-link.ts",
};

/** Packages that bundle CommonJS expect these names in an ES module. */
const banner = [
  'import { createRequire as lescopainsRequire } from "node:module";',
  "const require = lescopainsRequire(import.meta.url);",
].join("\n");

async function bundle(entryPoints: Readonly<Record<string, string>>, outdir: string): Promise<void> {
  await build({
    absWorkingDir: rootFolder,
    entryPoints: { ...entryPoints },
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    banner: { js: banner },
    // Native parts that pg and ws use if they are there.
    external: ["pg-native", "bufferutil", "utf-8-validate"],
    // Names in stack traces stay readable; white space is a third of the size.
    minifyWhitespace: true,
    legalComments: "none",
  });
}

function edge(folder: string): void {
  const bundleFolder = join(folder, "bundle");
  cpSync(edgeFolder, bundleFolder, { recursive: true, filter: (path) => !/\.(map|md)$/.test(path) });
  const hasherFolder = join(folder, "passwords");
  cpSync(passwordsFolder, hasherFolder, { recursive: true });
  cpSync(webFolder, join(folder, "web"), { recursive: true });
  const passwordsAddress = "unix:/run/passwords/socket";
  const places = { address: "*:8787", actorsFolder: "/data/actors", webFolder: "/app/web", sfuPort: undefined };
  writeFileSync(
    join(folder, "edge.capnp"),
    mainConfig({ bundleFolder, bundleName: "bundle", passwordsAddress, ...places }),
  );
  writeFileSync(
    join(folder, "passwords.capnp"),
    passwordsConfig({ bundleFolder: hasherFolder, bundleName: "passwords", passwordsAddress }),
  );
}

/** Builds what is not built and fills `folder`, which is emptied first. Throws an OperatorError with a build tool's words. */
export async function assemble(folder: string, log: (line: string) => void): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  for (const name of ["edge", "sfu", "tools"]) mkdirSync(join(folder, name), { recursive: true });
  await buildEdge(log);
  await buildWeb(log);
  copyFileSync(workerdBinary(), join(folder, "workerd"));
  chmodSync(join(folder, "workerd"), 0o755);
  edge(join(folder, "edge"));
  await bundle({ sfu: "sfu-node/src/index.ts" }, join(folder, "sfu"));
  await bundle(commands, join(folder, "tools"));
  cpSync(join(rootFolder, "migrations"), join(folder, "tools", "migrations"), { recursive: true });
}

const [, script = "", folder] = process.argv;
if (import.meta.url === pathToFileURL(script).href) {
  if (folder === undefined) throw new Error("usage: assemble.ts <folder>");
  await assemble(folder, console.log);
}
