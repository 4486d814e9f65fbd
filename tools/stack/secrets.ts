import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "../operator-error.ts";

/** What only this installation knows: 32 random bytes each, base64. */
export interface Secrets {
  readonly jwtSecret: string;
  readonly totpKey: string;
  /** Of the embedded PostgreSQL; base64url, so that it can stand in a URL. */
  readonly postgresPassword: string;
  /** Known to the edge and its SFU nodes. */
  readonly sfuSecret: string;
  /** The one of before, which is accepted of nodes while it is changed. */
  readonly formerSfuSecret?: string;
  /** The seed of the Ed25519 key that signs room tokens. */
  readonly sfuSigningSeed: string;
}

/** Those of the first version; the others are made when they are first missing. */
const first = ["jwtSecret", "totpKey", "postgresPassword"] as const;
const later = ["sfuSecret", "sfuSigningSeed"] as const;

function secretOf(value: object, key: keyof Secrets): string | undefined {
  const secret: unknown = Reflect.get(value, key);
  return typeof secret === "string" && Buffer.from(secret, "base64").length === 32 ? secret : undefined;
}

function isSecrets(value: unknown): value is Secrets {
  return (
    typeof value === "object" &&
    value !== null &&
    [...first, ...later].every((key) => secretOf(value, key) !== undefined) &&
    (!("formerSfuSecret" in value) || secretOf(value, "formerSfuSecret") !== undefined)
  );
}

function write(path: string, secrets: Secrets): Secrets {
  rmSync(`${path}.new`, { force: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o400, flush: true });
  renameSync(`${path}.new`, path);
  return secrets;
}

/**
 * The secrets of the installation in `dataDir`, made at its first start. They are never made a second time: without the first
 * ones nobody could sign in any more, so a damaged file is an OperatorError.
 */
export function loadSecrets(dataDir: string): Secrets {
  const path = join(dataDir, "secrets.json");
  const made = (encoding: "base64" | "base64url"): string => randomBytes(32).toString(encoding);
  const makeLater = () => ({ sfuSecret: made("base64"), sfuSigningSeed: made("base64") });
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    const secrets = { jwtSecret: made("base64"), totpKey: made("base64"), postgresPassword: made("base64url") };
    return write(path, { ...secrets, ...makeLater() });
  }
  try {
    const secrets: unknown = JSON.parse(text);
    if (isSecrets(secrets)) return secrets;
    if (typeof secrets === "object" && secrets !== null && !later.some((key) => key in secrets)) {
      const whole: unknown = { ...secrets, ...makeLater() };
      if (isSecrets(whole)) return write(path, whole);
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Told below, as every other damage.
  }
  throw new OperatorError(`${path} is damaged: restore it from a backup, for it holds the keys of this installation`);
}

/** The secrets in the text of a `secrets.json`; undefined: it is none, or not whole. */
export function parseSecrets(text: string): Secrets | undefined {
  try {
    const secrets: unknown = JSON.parse(text);
    return isSecrets(secrets) ? secrets : undefined;
  } catch {
    return undefined;
  }
}

/** Gives an installation the secrets of a backup. The password of the PostgreSQL that runs here stays: the server was made with it. */
export function replaceSecrets(dataDir: string, secrets: Secrets): void {
  const { postgresPassword } = loadSecrets(dataDir);
  write(join(dataDir, "secrets.json"), { ...secrets, postgresPassword });
}

/** A new secret for voice nodes. Those that have the one of before stay, until `forgetSfuSecret`. */
export function renewSfuSecret(dataDir: string): void {
  const { sfuSecret, formerSfuSecret, ...others } = existingSecrets(dataDir);
  if (formerSfuSecret !== undefined)
    throw new OperatorError("The secret is being changed already: forget the one of before first");
  write(join(dataDir, "secrets.json"), {
    ...others,
    sfuSecret: randomBytes(32).toString("base64"),
    formerSfuSecret: sfuSecret,
  });
}

/** The secret of before is good for nothing any more, once the edge has started again. */
export function forgetSfuSecret(dataDir: string): void {
  const { formerSfuSecret, ...others } = existingSecrets(dataDir);
  if (formerSfuSecret === undefined) throw new OperatorError("There is no secret of before: nothing to forget");
  write(join(dataDir, "secrets.json"), others);
}

function existingSecrets(dataDir: string): Secrets {
  if (!existsSync(join(dataDir, "secrets.json")))
    throw new OperatorError(`${dataDir} holds no secrets.json: set DATA_DIR to the folder in use`);
  return loadSecrets(dataDir);
}

/** What the edge takes of voice nodes: its SFU_SECRET. */
export function acceptedSfuSecrets({ sfuSecret, formerSfuSecret }: Secrets): string {
  return formerSfuSecret === undefined ? sfuSecret : `${sfuSecret},${formerSfuSecret}`;
}

/** RFC 8410: what stands before the 32 bytes of an Ed25519 private key in PKCS #8. */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");
/** The one key of a self-hosted installation. */
const kid = "1";

interface SigningKey {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly kid: string;
}

function privateKey({ sfuSigningSeed }: Secrets) {
  const key = Buffer.concat([pkcs8Prefix, Buffer.from(sfuSigningSeed, "base64")]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

/** The key that signs room tokens, as a JWK with its private part: for the edge alone. */
export function signingKey(secrets: Secrets): SigningKey & { readonly d: string } {
  const jwk = privateKey(secrets).export({ format: "jwk" });
  return { ...publicSigningKey(secrets), d: jwk.d ?? "" };
}

/** The same key as nodes know it. */
export function publicSigningKey(secrets: Secrets): SigningKey {
  const { kty = "", crv = "", x = "" } = createPublicKey(privateKey(secrets)).export({ format: "jwk" });
  return { kty, crv, x, kid };
}
