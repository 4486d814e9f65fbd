import { availableParallelism, networkInterfaces } from "node:os";
import { isIP } from "node:net";
import { NodeId } from "@lescopains/protocol/sfu/token";
import type { JSONWebKeySet } from "jose";
import * as v from "valibot";
import type { ListenAddress } from "./media/mediasoup.ts";
import { addressBook } from "./platform/address.ts";

const text = v.optional(v.pipe(v.string(), v.trim()), "");

function number(fallback: number, min: number, max: number) {
  return v.pipe(
    text,
    v.transform((value) => (value === "" ? fallback : Number(value))),
    v.integer(),
    v.minValue(min),
    v.maxValue(max),
  );
}

const list = v.pipe(
  text,
  v.transform((value) =>
    value
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== ""),
  ),
);

const PublicKey = v.object({
  kty: v.literal("OKP"),
  crv: v.literal("Ed25519"),
  x: v.pipe(v.string(), v.length(43)),
  kid: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
});
/** `{"keys": […]}`: the edge's public keys, each with a `kid`. Two during a rotation. */
const Keys = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ keys: v.pipe(v.array(PublicKey), v.minLength(1), v.maxLength(4)) }),
);

const wildcards: Readonly<Record<string, "IPv4" | "IPv6">> = { "0.0.0.0": "IPv4", "::": "IPv6" };

/**
 * `ip` or `ip=announced`, separated by commas. Nobody can be told to send to 0.0.0.0 or `::`: without an announced address they stand for
 * every address of this machine.
 */
const Listen = v.pipe(
  text,
  v.transform((value) => (value === "" ? "127.0.0.1" : value)),
  v.check(
    (value) => value.split(",").every((one) => isIP(one.split("=", 1)[0]?.trim() ?? "") !== 0),
    "is no list of addresses to listen on, like 0.0.0.0=203.0.113.5",
  ),
  v.transform((value) => value.split(",").flatMap((one) => addresses(one.trim()))),
);

function addresses(entry: string): ListenAddress[] {
  const [ip = "", announced] = entry.split("=");
  if (announced !== undefined) return [{ ip, announced }];
  const family = wildcards[ip];
  if (family === undefined) return [{ ip }];
  const own = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter((one) => one.family === family && !one.address.startsWith("fe80:"));
  const outward = own.filter(({ internal }) => !internal);
  return (outward.length > 0 ? outward : own).map(({ address }) => ({ ip: address }));
}

const Environment = v.object({
  /** What the edge calls this node: the audience of its tokens. */
  SFU_NODE_ID: v.pipe(
    text,
    v.transform((value) => (value === "" ? "local" : value)),
    NodeId,
  ),
  SFU_REGION: v.pipe(text, v.maxLength(64)),
  /** Signalling, /health and /metrics: HTTP without TLS; the edge or a proxy stands in front. */
  SFU_HTTP_HOST: v.optional(v.string(), "127.0.0.1"),
  SFU_HTTP_PORT: number(8_790, 0, 65_535),
  /** Where clients reach the signalling, if it is not at the edge's own address. */
  SFU_PUBLIC_URL: text,
  /** Media: worker n has this port + n, UDP and TCP. */
  SFU_PORT: number(40_000, 0, 65_000),
  SFU_LISTEN: Listen,
  SFU_WORKERS: number(availableParallelism(), 1, 64),
  SFU_PEERS_PER_WORKER: number(40, 1, 1_000),
  SFU_EDGE_KEYS: Keys,
  /** Without both, the node works but no edge knows of it. */
  SFU_REGISTRY_URL: v.pipe(
    text,
    v.check(
      (value) => value === "" || (/^(?:ws|http)s?:\/\/[^/]/.test(value) && URL.canParse(value)),
      "is no address like wss://example.org/sfu-registry",
    ),
  ),
  SFU_SECRET: text,
  /** Pages of other origins that may use this node: the edge's own address. */
  SFU_ORIGINS: list,
  TRUSTED_PROXY: v.pipe(
    text,
    v.transform((value) => (value === "" ? "127.0.0.1" : value)),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        return addressBook(dataset.value);
      } catch {
        addIssue({ message: 'is no list of addresses, CIDR ranges and the word "cloudflare"' });
        return NEVER;
      }
    }),
  ),
  METRICS_TOKEN: text,
  /** After SIGTERM calls go on for this long at most. */
  SFU_DRAIN_MS: number(30_000, 0, 86_400_000),
  MEDIASOUP_WORKER_BIN: v.pipe(v.string(), v.minLength(1)),
  LOG_LEVEL: v.pipe(
    text,
    v.transform((value) => (value === "" ? "info" : value)),
    v.picklist(["debug", "info", "warn", "error"]),
  ),
});

type Parsed = v.InferOutput<typeof Environment>;
export type Config = Omit<Parsed, "SFU_EDGE_KEYS"> & { readonly SFU_EDGE_KEYS: JSONWebKeySet };

/** The node's settings from its environment. Throws an Error of one line that names the variable; values, which may be secret, stay out. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const parsed = v.safeParse(Environment, env);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const what = issue.message.replace(/ but received .*$/s, "");
    throw new Error(`${v.getDotPath(issue) ?? "the environment"}: ${what}`);
  }
  const { SFU_REGISTRY_URL: url, SFU_SECRET: secret } = parsed.output;
  if (url !== "" && Buffer.byteLength(secret) < 32)
    throw new Error("SFU_SECRET: at least 32 bytes, the same as the edge's");
  if (parsed.output.SFU_LISTEN.length === 0) throw new Error("SFU_LISTEN: this machine has no such address");
  return parsed.output;
}
