import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setDefaultCACertificates } from "node:tls";
import { promisify } from "node:util";
import * as v from "valibot";
import { rootFolder } from "../../../tools/stack/root.ts";
import { freePort } from "../../../tools/stack/ports.ts";

const run = promisify(execFile);

export const upgradeScript: string = join(rootFolder, "ops", "upgrade.sh");

const Inspected = v.object({
  Id: v.string(),
  Image: v.string(),
  State: v.object({
    Pid: v.number(),
    Status: v.string(),
    Health: v.optional(v.object({ Status: v.string() })),
  }),
  Config: v.object({ User: v.string(), Env: v.array(v.string()) }),
});
export type Inspected = v.InferOutput<typeof Inspected>;

/** An installation of docker-compose.yml of a test's own, beside whatever else runs on this machine. */
export class Installation {
  /** `https://localhost:<port>` */
  readonly url: string;
  readonly project: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(project: string, env: Readonly<Record<string, string>>) {
    this.project = project;
    this.url = `https://localhost:${env["HTTPS_PORT"]}`;
    this.#env = env;
  }

  /** Nothing is started yet. `files`: others than docker-compose.yml. */
  static async make(
    files: readonly string[] = ["docker-compose.yml"],
    more: Readonly<Record<string, string>> = {},
  ): Promise<Installation> {
    // Media ports keep away from those that the system gives out.
    const media = 20_000 + randomInt(2_000) * 4;
    return new Installation(`lescopains-test-${randomInt(1e9).toString(36)}`, {
      DOMAIN: "localhost",
      VERSION: "test",
      PULL_POLICY: "never",
      IMAGES: "lescopains",
      HTTP_PORT: String(await freePort()),
      HTTPS_PORT: String(await freePort()),
      SFU_PORTS: `${media}-${media + 1}`,
      SFU2_PORTS: `${media + 2}-${media + 3}`,
      INNER_NET: `172.30.${randomInt(256)}`,
      REGISTER_LIMIT: "100000",
      LOGIN_LIMIT: "100000",
      COMPOSE_FILE: files.join(":"),
      ...more,
    });
  }

  environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    return { ...process.env, ...this.#env, COMPOSE_PROJECT_NAME: this.project, ...more };
  }

  /** `docker compose …`: what it prints; rejects with that when it fails. */
  async compose(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> {
    const options = { cwd: rootFolder, env: this.environment(more), maxBuffer: 64 * 1024 * 1024 };
    const { stdout } = await run("docker", ["compose", ...args], options);
    return stdout;
  }

  /** `ops/upgrade.sh --here` to the images of a version: whether it went through, and what it said. */
  async upgrade(version: string): Promise<{ readonly ok: boolean; readonly output: string }> {
    const env = this.environment({ VERSION: version });
    try {
      const { stdout, stderr } = await run(upgradeScript, ["--here"], { cwd: rootFolder, env });
      return { ok: true, output: stdout + stderr };
    } catch (error) {
      if (!(error instanceof Error && "stdout" in error && "stderr" in error)) throw error;
      return { ok: false, output: `${String(error.stdout)}${String(error.stderr)}` };
    }
  }

  /** Starts it cold; resolves when all are healthy, with how long it took in ms. This process trusts its authority from then on. */
  async up(): Promise<number> {
    const beganMs = performance.now();
    await this.compose(["up", "-d", "--wait"]);
    const tookMs = performance.now() - beganMs;
    setDefaultCACertificates([
      await this.compose(["exec", "-T", "caddy", "cat", "/data/caddy/pki/authorities/local/root.crt"]),
    ]);
    return tookMs;
  }

  async inspect(service: string): Promise<Inspected> {
    const id = (await this.compose(["ps", "-aq", service])).trim();
    return v.parse(Inspected, (JSON.parse((await run("docker", ["inspect", id])).stdout) as unknown[])[0]);
  }

  /**
   * SIGKILL from outside, as a crash: `docker kill` would count as an operator's wish, after which Docker starts nothing again. Answers when that was
   * (performance.now).
   */
  async crash(service: string): Promise<number> {
    const { Pid } = (await this.inspect(service)).State;
    process.kill(Pid, "SIGKILL");
    return performance.now();
  }

  /** One statement as PostgreSQL's superuser; the rows as psql prints them. */
  async sql(statement: string): Promise<string> {
    const psql = [
      "psql",
      "-X",
      "-q",
      "-v",
      "ON_ERROR_STOP=1",
      "-U",
      "lescopains",
      "-d",
      "lescopains",
      "-tA",
      "-c",
      statement,
    ];
    return (await this.compose(["exec", "-T", "postgres", ...psql])).trim();
  }

  /** The secrets in a folder of this machine's, as tools that sign with them expect it. The caller removes it. */
  async dataFolder(): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), "lescopains-containers-"));
    writeFileSync(
      join(folder, "secrets.json"),
      await this.compose(["exec", "-T", "edge", "cat", "/data/secrets.json"]),
      { mode: 0o600 },
    );
    return folder;
  }

  /** Removes it with all it has stored. */
  async remove(): Promise<void> {
    await this.compose(["--profile", "*", "down", "-v", "--remove-orphans", "-t", "1"]);
  }
}

/** A throw-away image on another one: `lines` of a Dockerfile. */
export async function derive(
  image: string,
  base: string,
  lines: string,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lescopains-image-"));
  try {
    for (const [name, text] of Object.entries({ ...files, Dockerfile: `FROM ${base}\n${lines}\n` }))
      writeFileSync(join(folder, name), text);
    await run("docker", ["build", "-q", "-t", image, folder]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function docker(...args: readonly string[]): Promise<string> {
  return (await run("docker", [...args], { maxBuffer: 64 * 1024 * 1024 })).stdout;
}
