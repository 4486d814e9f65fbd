import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { OperatorError } from "../operator-error.ts";
import { passwordsFolder } from "./build.ts";
import { lastLogLine } from "./logs.ts";
import { freePort } from "./ports.ts";
import { describeExit } from "./supervisor.ts";
import type { Child, Supervisor } from "./supervisor.ts";
import { workerdBinary } from "./workerd-binary.ts";
import { mainConfig, passwordsConfig } from "./workerd-config.ts";

/** sockaddr_un holds 108 bytes on Linux, 104 on macOS, the closing zero included. */
const longestSocketPathBytes = 103;
/** workerd waits for open sockets, which people keep open. What was acknowledged is stored: nothing is lost by not waiting longer. */
const stopGraceMs = 2_000;

export interface WorkerdOptions {
  /** Configurations, the bundle's copy and the socket are written here; owner's eyes only. */
  readonly runFolder: string;
  readonly logFolder: string;
  readonly actorsFolder: string;
  readonly edgeFolder: string;
  readonly webFolder: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** Of the SFU node's signalling, if there is one. */
  readonly sfuPort: number | undefined;
  readonly supervisor: Supervisor;
}

/** The two workerd processes: the worker with its actors, and the password hasher. */
export interface Workerd {
  readonly port: number;
  /** Of the process with the actors. */
  readonly pid: () => number;
  readonly kill9: () => Promise<void>;
  /** Starts the process with the actors (after stopping it, if it runs) on the same port. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

interface Launch {
  readonly name: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
  readonly supervisor: Supervisor;
}

/** Starts a workerd; resolves once it listens, with the port. */
async function launch({ name, configFile, logFile, env, supervisor }: Launch): Promise<{ child: Child; port: number }> {
  const child = await supervisor.spawn({
    name,
    command: workerdBinary(),
    args: ["serve", configFile, "--control-fd=3"],
    env,
    logFile,
    stopSignal: "SIGTERM",
    stopGraceMs,
  });
  const listening = new Promise<number>((resolve) => {
    createInterface({ input: child.control }).on("line", (line) => {
      // {"event":"listen","socket":"http","port":8787}
      const port = /"event":"listen".*"port":(\d+)/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
  const port = await Promise.race([
    listening,
    child.exited.then((exit) => {
      const reason = lastLogLine(logFile) ?? describeExit(exit);
      throw new OperatorError(`${name} does not start (${reason}): see ${logFile}`);
    }),
  ]);
  child.markReady();
  return { child, port };
}

/** Where the password hasher listens: a socket that only this user can reach (its folder is closed to others). */
async function passwordsAddressIn(runFolder: string): Promise<string> {
  if (process.platform === "win32") return `127.0.0.1:${await freePort()}`;
  const path = join(runFolder, "passwords.sock");
  if (Buffer.byteLength(path) > longestSocketPathBytes) {
    return `unix:${join(mkdtempSync(join(tmpdir(), "lescopains-")), "passwords.sock")}`;
  }
  rmSync(path, { force: true });
  return `unix:${path}`;
}

export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const { runFolder, logFolder, actorsFolder, webFolder, host, env, sfuPort, supervisor } = options;
  // The bundle is copied, so that a restart runs the code of the start even if a build came between.
  const bundleName = "bundle";
  const bundleFolder = join(runFolder, bundleName);
  rmSync(bundleFolder, { recursive: true, force: true });
  cpSync(options.edgeFolder, bundleFolder, { recursive: true });
  const hasherFolder = join(runFolder, "passwords");
  rmSync(hasherFolder, { recursive: true, force: true });
  cpSync(passwordsFolder, hasherFolder, { recursive: true });

  const passwordsAddress = await passwordsAddressIn(runFolder);
  const launchPasswords = (): Promise<{ child: Child }> => {
    const configFile = join(runFolder, "passwords.capnp");
    const config = passwordsConfig({ bundleFolder: hasherFolder, bundleName: "passwords", passwordsAddress });
    writeFileSync(configFile, config, { mode: 0o600 });
    const logFile = join(logFolder, "passwords.log");
    return launch({
      name: "The password hasher",
      configFile,
      logFile,
      env: { LOG_LEVEL: env["LOG_LEVEL"] ?? "" },
      supervisor,
    });
  };
  const launchMain = (port: number): Promise<{ child: Child; port: number }> => {
    const configFile = join(runFolder, "workerd.capnp");
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    writeFileSync(
      configFile,
      mainConfig({ bundleFolder, bundleName, passwordsAddress, address, actorsFolder, webFolder, sfuPort }),
      { mode: 0o600 },
    );
    return launch({ name: "workerd", configFile, logFile: join(logFolder, "workerd.log"), env, supervisor });
  };

  const [{ child: passwords }, first] = await Promise.all([launchPasswords(), launchMain(options.port)]);
  let main = first.child;
  const { port } = first;
  return {
    port,
    pid: () => main.pid,
    kill9: () => main.kill9(),
    restart: async () => {
      await main.stop();
      main = (await launchMain(port)).child;
    },
    stop: async () => {
      await main.stop();
      await passwords.stop();
    },
  };
}
