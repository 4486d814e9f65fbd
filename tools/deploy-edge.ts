/**
 * `npm run deploy:edge [-- --env staging] [--dry-run]`: puts the edge onto Cloudflare. docs/operating-edge.md tells the whole story.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, parseEnv } from "node:util";
import { runCommand } from "./command.ts";
import { type EdgeEnvironment, edgeEnvironments, missingSettings, planDeployment } from "./edge/deployment.ts";
import { OperatorError } from "./operator-error.ts";
import { buildEdge, buildWeb, runTool } from "./stack/build.ts";
import { checkDatabaseUrl } from "./stack/database-url.ts";
import { migrate } from "./stack/migrate.ts";
import { operatorLink } from "./stack/operator-link.ts";
import { rootFolder } from "./stack/root.ts";
import { loadSecrets, publicSigningKey } from "./stack/secrets.ts";

const healthTimeoutMs = 120_000;
const log = (line: string): void => console.log(line);

function environmentOf(args: readonly string[]): { environment: EdgeEnvironment; dryRun: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: { env: { type: "string", default: "production" }, "dry-run": { type: "boolean", default: false } },
  });
  const environment = edgeEnvironments.find((name) => name === values.env);
  if (environment === undefined)
    throw new OperatorError(`There is no environment ${values.env}: use one of ${edgeEnvironments.join(", ")}`);
  return { environment, dryRun: values["dry-run"] };
}

/** `.env.<environment>` of the repository's folder, which the process's own environment wins over. */
function settingsOf(environment: EdgeEnvironment): Record<string, string | undefined> {
  let text = "";
  try {
    text = readFileSync(join(rootFolder, `.env.${environment}`), "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  return { ...parseEnv(text), ...process.env };
}

/** Cloudflare gives a new address its certificate in a minute or so. */
async function waitForHealth(url: string, stop: AbortSignal): Promise<void> {
  let last = "it does not answer";
  for (const deadline = Date.now() + healthTimeoutMs; Date.now() < deadline; await sleep(2_000)) {
    stop.throwIfAborted();
    try {
      const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(10_000) });
      if (response.ok) return;
      last = `/health answers ${response.status} ${await response.text()}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
  }
  throw new OperatorError(
    `It is deployed, but not healthy (${last}): go back with \`npx wrangler rollback\`, see docs/operating-edge.md`,
  );
}

await runCommand(async (stop) => {
  const { environment, dryRun } = environmentOf(process.argv.slice(2));
  const settings = settingsOf(environment);
  const missing = missingSettings(settings);
  if (missing.length > 0) {
    throw new OperatorError(
      [`${environment} cannot be deployed yet. Put these into .env.${environment}:`, ...missing].join("\n  "),
    );
  }
  await buildWeb(log);
  await buildEdge(log);
  stop.throwIfAborted();

  const home = settings["DATA_DIR"] ?? join(rootFolder, ".data", `edge-${environment}`);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const secrets = loadSecrets(home);
  const plan = planDeployment(environment, settings, secrets);
  const folder = join(home, "deploy");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const configFile = join(folder, "wrangler.json");
  const secretsFile = join(folder, "secrets.json");
  writeFileSync(configFile, JSON.stringify(plan.config, undefined, 2));
  if (!dryRun) {
    const connectionString = settings["DATABASE_URL"] ?? "";
    await checkDatabaseUrl(connectionString);
    const { applied, version } = await migrate({ connectionString, directory: join(rootFolder, "migrations") });
    log(`The database is at migration ${version}${applied.length === 0 ? "" : `: applied ${applied.join(", ")}`}`);
  }
  stop.throwIfAborted();
  writeFileSync(secretsFile, JSON.stringify(plan.secrets), { mode: 0o600 });
  try {
    const output = await runTool(`The edge cannot be deployed`, {
      command: "wrangler",
      args: [
        "deploy",
        `--config=${configFile}`,
        `--secrets-file=${secretsFile}`,
        "--autoconfig=false",
        // The worker and its actors speak to each other: for no minute may they be of two versions.
        "--durable-objects-code-update-mode=immediate",
        ...(dryRun ? ["--dry-run", `--outdir=${join(folder, "upload")}`] : []),
      ],
      cwd: folder,
      env: {
        CLOUDFLARE_ACCOUNT_ID: settings["CLOUDFLARE_ACCOUNT_ID"] ?? "",
        CLOUDFLARE_API_TOKEN: settings["CLOUDFLARE_API_TOKEN"] ?? "",
      },
    });
    log(output);
  } finally {
    rmSync(secretsFile, { force: true });
  }
  if (dryRun) return 0;
  const url = `https://${settings["EDGE_DOMAIN"]}`;
  await waitForHealth(url, stop);
  const link = await operatorLink(settings["DATABASE_URL"] ?? "");
  if (link !== undefined) log(`Nobody runs this place yet. To be its operator, open ${url}${link}`);
  log(`LesCopains is ready at ${url}`);
  log(`Its secrets are in ${join(home, "secrets.json")}: keep a copy, for nobody can read them back from Cloudflare.`);
  log(`Voice nodes need SFU_REGISTRY_URL=wss://${settings["EDGE_DOMAIN"]}/sfu-registry, SFU_SECRET from there, and`);
  log(`SFU_EDGE_KEYS='${JSON.stringify({ keys: [publicSigningKey(secrets)] })}'`);
  return 0;
});
