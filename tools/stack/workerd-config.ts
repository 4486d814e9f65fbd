import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { rootFolder } from "./root.ts";

/** What the worker reads from its environment; all are strings, empty when unset. */
export const environmentBindings = [
  "DATABASE_URL",
  "DATABASE_DRIVER",
  "NEON_PROXY",
  "JWT_SECRET",
  "TOTP_KEY",
  "STUN_URLS",
  "TURN_URLS",
  "TURN_SECRET",
  "ICE_TRANSPORT_POLICY",
  "VOICE_ORIGINS",
  "GATEWAY_SHARDS",
  "PG_POOL_SIZE",
  "REGISTRATION",
  "REST_LIMIT",
  "CORS_ORIGINS",
  "REGISTER_LIMIT",
  "LOGIN_LIMIT",
  "METRICS_TOKEN",
  "SFU_SIGNING_KEY",
  "SFU_SECRET",
  "TRUSTED_PROXY",
  "LOG_LEVEL",
] as const;

/** The actors. A unique key names their storage: it may never change. */
const actors = [
  { binding: "GATEWAY", className: "Gateway", uniqueKey: "lescopains-gateway" },
  { binding: "CHANNEL", className: "Channel", uniqueKey: "lescopains-channel" },
  { binding: "SERVER", className: "Server", uniqueKey: "lescopains-server" },
  { binding: "PG_GATE", className: "PgGate", uniqueKey: "lescopains-pg-gate" },
  { binding: "LIMITER", className: "Limiter", uniqueKey: "lescopains-limiter" },
  { binding: "SFU_REGISTRY", className: "SfuRegistry", uniqueKey: "lescopains-sfu-registry" },
] as const;

const moduleKinds: Readonly<Record<string, string>> = {
  ".js": "esModule",
  ".mjs": "esModule",
  ".wasm": "wasm",
  ".txt": "text",
  ".html": "text",
  ".bin": "data",
};

/** A Cap'n Proto text literal. */
function quote(text: string): string {
  return JSON.stringify(text);
}

/** Names the modules of the bundle in the folder beside the configuration; the entry comes first. */
function modules(bundleFolder: string, folderName: string): string {
  const files = readdirSync(bundleFolder)
    .filter((file) => extname(file) in moduleKinds)
    .toSorted((a, b) => Number(b === "index.js") - Number(a === "index.js"));
  return files
    .map((file) => `(name = ${quote(file)}, ${moduleKinds[extname(file)]} = embed ${quote(`${folderName}/${file}`)})`)
    .join(", ");
}

/** The compatibility date and flags stand in wrangler.toml, for every place the bundle runs in. */
export function compatibility(): string {
  const toml = readFileSync(join(rootFolder, "wrangler.toml"), "utf8");
  const date = /^compatibility_date = "([^"]+)"/m.exec(toml)?.[1];
  const flags = /^compatibility_flags = \[([^\]]*)\]/m.exec(toml)?.[1];
  if (date === undefined || flags === undefined)
    throw new Error("wrangler.toml lacks compatibility_date or compatibility_flags");
  const names = [...flags.replaceAll(/#.*$/gm, "").matchAll(/"([^"]+)"/g)].map((match) => quote(match[1] ?? ""));
  return `compatibilityDate = ${quote(date)}, compatibilityFlags = [${names.join(", ")}]`;
}

export interface ConfigOptions {
  /** The folder with the bundle, inside the folder that the configuration is written to. */
  readonly bundleFolder: string;
  readonly bundleName: string;
  /** Where the password hasher listens: `unix:/path` or `127.0.0.1:port`. */
  readonly passwordsAddress: string;
}

export interface MainConfigOptions extends ConfigOptions {
  readonly address: string;
  readonly actorsFolder: string;
  readonly webFolder: string;
  /** Where the SFU node's signalling listens; undefined: there is none. */
  readonly sfuPort: number | undefined;
}

/**
 * V8 collects old garbage late by default: 1,000 people who connect leave 65 MB behind them that nobody needs. With these
 * limits (MB) a connection costs 124 instead of 184 kB, and 116 with code and heap kept small, for the same CPU time
 * (docs/adr/0005).
 */
const v8Flags = ["--initial-old-space-size=8", "--max-semi-space-size=2", "--optimize-for-size"];

/** The worker and its actors. */
export function mainConfig(options: MainConfigOptions): string {
  const { address, actorsFolder, webFolder, bundleFolder, bundleName, passwordsAddress, sfuPort } = options;
  const bindings = [
    ...actors.map(({ binding, className }) => `(name = "${binding}", durableObjectNamespace = "${className}")`),
    ...environmentBindings.map((name) => `(name = "${name}", fromEnvironment = "${name}")`),
    `(name = "ASSETS", service = "assets")`,
    `(name = "PASSWORDS", service = "passwords")`,
    ...(sfuPort === undefined ? [] : [`(name = "SFU", service = "sfu")`]),
  ];
  const namespaces = actors.map(
    ({ className, uniqueKey }) => `(className = "${className}", uniqueKey = "${uniqueKey}", enableSql = true)`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  v8Flags = [${v8Flags.map(quote).join(", ")}],
  services = [
    (name = "main", worker = (
      modules = [${modules(bundleFolder, bundleName)}],
      ${compatibility()},
      bindings = [
        ${bindings.join(",\n        ")}
      ],
      durableObjectNamespaces = [
        ${namespaces.join(",\n        ")}
      ],
      durableObjectStorage = (localDisk = "actors"),
      globalOutbound = "network",
    )),
    (name = "actors", disk = (path = ${quote(actorsFolder)}, writable = true)),
    (name = "assets", disk = (path = ${quote(webFolder)})),
    (name = "passwords", external = (address = ${quote(passwordsAddress)}, http = ())),
${sfuPort === undefined ? "" : `    (name = "sfu", external = (address = "127.0.0.1:${sfuPort}", http = ())),\n`}    (name = "network", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = ${quote(address)}, http = (), service = "main")],
);
`;
}

/**
 * The password hasher: the entrypoint `Passwords`, bundled alone, in a process of its own, because a bcrypt of 300 ms would
 * hold up every actor of the process it runs in. It is given no secret and no network.
 */
export function passwordsConfig({ bundleFolder, bundleName, passwordsAddress }: ConfigOptions): string {
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [${modules(bundleFolder, bundleName)}],
      ${compatibility()},
      bindings = [(name = "LOG_LEVEL", fromEnvironment = "LOG_LEVEL")],
      globalOutbound = "nowhere",
    )),
    (name = "nowhere", network = (allow = [])),
  ],
  sockets = [(name = "http", address = ${quote(passwordsAddress)}, http = (), service = (name = "main", entrypoint = "Passwords"))],
);
`;
}
