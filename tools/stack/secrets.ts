import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "../operator-error.ts";

/** What only this installation knows: 32 random bytes each, base64. */
export interface Secrets {
  readonly jwtSecret: string;
  readonly totpKey: string;
  /** Of the embedded PostgreSQL; base64url, so that it can stand in a URL. */
  readonly postgresPassword: string;
}

function isSecrets(value: unknown): value is Secrets {
  return (
    typeof value === "object" &&
    value !== null &&
    (["jwtSecret", "totpKey", "postgresPassword"] as const).every((key) => {
      const secret: unknown = Reflect.get(value, key);
      return typeof secret === "string" && Buffer.from(secret, "base64").length === 32;
    })
  );
}

/**
 * The secrets of the installation in `dataDir`, made at its first start. They are never made a second time: without the first
 * ones nobody could sign in any more, so a damaged file is an OperatorError.
 */
export function loadSecrets(dataDir: string): Secrets {
  const path = join(dataDir, "secrets.json");
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    const secrets: Secrets = {
      jwtSecret: randomBytes(32).toString("base64"),
      totpKey: randomBytes(32).toString("base64"),
      postgresPassword: randomBytes(32).toString("base64url"),
    };
    writeFileSync(`${path}.new`, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
    return secrets;
  }
  try {
    const secrets: unknown = JSON.parse(text);
    if (isSecrets(secrets)) return secrets;
  } catch {
    // Told below, as every other damage.
  }
  throw new OperatorError(`${path} is damaged: restore it from a backup, for it holds the keys of this installation`);
}
