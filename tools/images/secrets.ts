/**
 * The one-shot `secrets` of docker-compose.yml. It makes the installation's secrets at the first start and gives each service, in a volume of
 * its own, those it needs and no others. Run again it changes nothing, but as it is told: `secrets renew-secret`, `secrets forget-secret`. It prints no secret.
 */
import { hkdfSync } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { runCommand } from "../command.ts";
import { OperatorError } from "../operator-error.ts";
import { changeSecret, isChange } from "../sfu/secret.ts";
import { acceptedSfuSecrets, loadSecrets, publicSigningKey, type Secrets, signingKey } from "../stack/secrets.ts";
import { publicUrl } from "./public-url.ts";

/** Where docker-compose.yml mounts the volumes. */
const folders = { data: "/data", sfu: "/secrets/sfu", postgres: "/secrets/postgres", metrics: "/secrets/metrics" };

interface SecretFile {
  readonly path: string;
  readonly text: string;
  /** Who may read it besides the owner. */
  readonly group?: number;
}

/** `postgres` in Debian's image of PostgreSQL. */
const postgresGroup = 999;

/** Lines that a shell reads: no value holds a single quote, for all are base64, JSON of base64, or a URL. */
function shellLines(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join("");
}

/** A secret for one purpose, derived so that an installation that is older than the purpose has it too. */
function derived({ jwtSecret }: Secrets, purpose: "metrics" | "grafana"): string {
  const key = hkdfSync("sha256", Buffer.from(jwtSecret, "base64"), "", `lescopains ${purpose} v1`, 32);
  return Buffer.from(key).toString("base64url");
}

/** What Prometheus asks from outside, as its list of targets: the page, if it has a name that means the same everywhere. */
function site(): string {
  const health = publicUrl("/health");
  return health.hostname === "localhost" ? "[]\n" : `- targets: ["${health.href}"]\n`;
}

function filesOf(secrets: Secrets): SecretFile[] {
  const shared = { METRICS_TOKEN: derived(secrets, "metrics") };
  const edge = {
    DATABASE_URL: `postgres://lescopains:${secrets.postgresPassword}@postgres:5432/lescopains`,
    JWT_SECRET: secrets.jwtSecret,
    TOTP_KEY: secrets.totpKey,
    SFU_SIGNING_KEY: JSON.stringify(signingKey(secrets)),
    SFU_SECRET: acceptedSfuSecrets(secrets),
    ...shared,
  };
  const sfu = {
    SFU_EDGE_KEYS: JSON.stringify({ keys: [publicSigningKey(secrets)] }),
    SFU_SECRET: secrets.sfuSecret,
    ...shared,
  };
  return [
    { path: join(folders.data, "edge.env"), text: shellLines(edge) },
    { path: join(folders.sfu, "sfu.env"), text: shellLines(sfu) },
    { path: join(folders.postgres, "password"), text: secrets.postgresPassword, group: postgresGroup },
    { path: join(folders.metrics, "token"), text: derived(secrets, "metrics") },
    { path: join(folders.metrics, "site.yml"), text: site() },
    { path: join(folders.metrics, "grafana"), text: derived(secrets, "grafana") },
  ];
}

/** In place by a rename: a reader finds all of it, or the file of before. */
function put({ path, text, group }: SecretFile): void {
  const mode = group === undefined ? 0o400 : 0o440;
  if (existsSync(path) && (statSync(path).mode & 0o777) === mode && readFileSync(path, "utf8") === text) return;
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { mode: 0o400, flush: true });
  if (group !== undefined) chownSync(draft, statSync(draft).uid, group);
  chmodSync(draft, mode);
  renameSync(draft, path);
}

await runCommand(async () => {
  const [change] = process.argv.slice(2);
  if (change !== undefined && !isChange(change)) throw new OperatorError("secrets [renew-secret | forget-secret]");
  if (change !== undefined) console.log(changeSecret(change, folders.data));
  const isFirst = !existsSync(join(folders.data, "secrets.json"));
  const secrets = loadSecrets(folders.data);
  for (const file of filesOf(secrets)) put(file);
  mkdirSync(join(folders.data, "actors"), { recursive: true, mode: 0o700 });
  console.log(isFirst ? "Made the secrets of this installation: back them up" : "The secrets are there");
  return 0;
});
