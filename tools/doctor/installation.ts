import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { OperatorError } from "../operator-error.ts";
import { readStackRecord } from "../stack/data-folder.ts";
import { rootFolder } from "../stack/root.ts";

/** What the doctor looks at, and from where. What is undefined cannot be looked at from here. */
export interface Installation {
  /** As people open it, without a slash at the end. */
  readonly url: string;
  readonly databaseUrl: string | undefined;
  /** The folder with its secrets: the doctor stands on the machine itself. */
  readonly dataDir: string | undefined;
}

/** What a hop found, in words. `note`: nothing is wrong, yet something should be known. A failing one throws an OperatorError that says what to do. */
export type Finding = string | { readonly note: string };
export type Hop = (installation: Installation) => Promise<Finding>;

/** How long anything may take to answer, ms. */
export const timeoutMs = 10_000;

/**
 * The installation to look at: the address that was given, or LESCOPAINS_URL and DATABASE_URL, or what runs on DATA_DIR. An address alone is another
 * machine's: then only what anyone can see is looked at. `elsewhere`: how one says where to look.
 */
export function findInstallation(
  address: string | undefined,
  elsewhere = "npm run doctor -- https://example.org",
): Installation {
  const dataDir = resolve(process.env["DATA_DIR"] || join(rootFolder, ".data"));
  const isHere = address === undefined && existsSync(join(dataDir, "secrets.json"));
  const record = isHere ? readStackRecord(dataDir) : undefined;
  const url = address ?? (process.env["LESCOPAINS_URL"] || record?.url);
  if (url === undefined) {
    throw new OperatorError(
      `Nothing was ever started on ${dataDir}: run \`npm start\`, or say where to look: ${elsewhere}`,
    );
  }
  if (!/^https?:\/\/[^/]/.test(url)) throw new OperatorError(`${url} is no address: write it as https://example.org`);
  const databaseUrl = address === undefined ? process.env["DATABASE_URL"] || record?.databaseUrl : undefined;
  return { url: url.replace(/\/+$/, ""), databaseUrl, dataDir: isHere ? dataDir : undefined };
}

/** What went wrong, at the bottom of it. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}

/** An OperatorError says that nobody answers. */
export async function fetchFrom(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  try {
    return await fetch(url, { headers: { ...headers }, signal: AbortSignal.timeout(timeoutMs) });
  } catch (cause) {
    const advice = "is LesCopains running there? `npm start`, or `docker compose up -d`; then look into its log";
    throw new OperatorError(`${url} does not answer (${reasonOf(cause)}): ${advice}`, { cause });
  }
}
