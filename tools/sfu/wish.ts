import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { findInstallation } from "../doctor/installation.ts";
import { OperatorError } from "../operator-error.ts";
import { rootFolder } from "../stack/root.ts";
import { loadSecrets } from "../stack/secrets.ts";
import { type Change, isChange } from "./secret.ts";

const usage =
  "npm run sfu -- list | drain <node> [--deadline 30m] | undrain <node> [--edge https://example.org], or, where secrets.json is, renew-secret | forget-secret";
const defaultDeadline = "60m";
const unitMinutes: Readonly<Record<string, number>> = { s: 1 / 60, m: 1, h: 60 };
const mostMinutes = 24 * 60;

export interface Wish {
  readonly verb: "list" | "drain" | "undrain" | Change;
  /** Empty unless it is about one. */
  readonly node: string;
  /** For `drain`: how long calls may go on. */
  readonly minutes: number;
  readonly edge: string | undefined;
}

/** Where an edge answers operators, and with what. */
export interface Edge {
  readonly url: string;
  readonly secret: string;
}

/** `90s`, `30m`, `2h` in minutes. */
function minutesOf(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  const minutes = Number(count) * (unitMinutes[unit] ?? Number.NaN);
  if (count === "" || !(minutes <= mostMinutes))
    throw new OperatorError(`--deadline ${text}: how long calls may go on, as 90s, 30m or 2h, at most 24h`);
  return minutes;
}

/** What was asked for; an OperatorError says how to ask. */
export function parseWish(args: readonly string[]): Wish {
  let parsed;
  try {
    const options = { deadline: { type: "string" }, edge: { type: "string" } } as const;
    parsed = parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (cause) {
    throw new OperatorError(`${cause instanceof Error ? cause.message : String(cause)}. ${usage}`, { cause });
  }
  const { values, positionals } = parsed;
  const [verb, node = "", ...more] = positionals;
  const hasNode = verb === "drain" || verb === "undrain";
  const isVerb = verb !== undefined && (hasNode || verb === "list" || isChange(verb));
  if (!isVerb || hasNode === (node === "") || more.length > 0) throw new OperatorError(usage);
  if (isChange(verb) && values.edge !== undefined) throw new OperatorError(usage);
  if (values.deadline !== undefined && verb !== "drain")
    throw new OperatorError(`--deadline belongs to drain. ${usage}`);
  return { verb, node, minutes: minutesOf(values.deadline ?? defaultDeadline), edge: values.edge };
}

/** The edge that was named, with SFU_SECRET; or the one of this machine (LESCOPAINS_URL, DATA_DIR), with its own secret. */
export function findEdge(address: string | undefined, env: NodeJS.ProcessEnv): Edge {
  const { url, dataDir } = findInstallation(address, "npm run sfu -- list --edge https://example.org");
  const given = env["SFU_SECRET"] ?? "";
  if (given !== "") return { url, secret: given };
  if (dataDir === undefined)
    throw new OperatorError(`${url} is another machine's: set SFU_SECRET to the secret that it shares with its nodes`);
  return { url, secret: loadSecrets(dataDirOf(env)).sfuSecret };
}

/** Where the secrets of this machine's installation are. */
export function dataDirOf(env: NodeJS.ProcessEnv): string {
  return resolve(env["DATA_DIR"] || join(rootFolder, ".data"));
}
