import { edgeFolder, webFolder } from "../stack/build.ts";
import { acceptedSfuSecrets, type Secrets, signingKey } from "../stack/secrets.ts";
import { environmentBindings } from "../stack/workerd-config.ts";
import { configOf } from "../stack/wrangler-config.ts";

/** The environments of wrangler.toml. */
export const edgeEnvironments = ["production", "staging", "dev"] as const;
export type EdgeEnvironment = (typeof edgeEnvironments)[number];

/** What is secret, and so stands in no configuration that can be read back. */
const secretNames = new Set<string>(["DATABASE_URL", "TURN_SECRET", "METRICS_TOKEN"]);
/** Made by this installation, not set by a person. */
const ownSecrets = new Set<string>(["JWT_SECRET", "TOTP_KEY", "SFU_SIGNING_KEY", "SFU_SECRET"]);

/** What the operator sets: the process's environment over `.env.<environment>`. */
export type OperatorSettings = Readonly<Record<string, string | undefined>>;

function given(settings: OperatorSettings, name: string): string {
  return settings[name]?.trim() ?? "";
}

/** Everything that is missing or wrong, one line each: what it is and where to get it. */
export function missingSettings(settings: OperatorSettings): string[] {
  const missing: string[] = [];
  const need = (name: string, shape: RegExp, words: string): void => {
    const value = given(settings, name);
    if (value === "") missing.push(`${name} is missing: ${words}`);
    else if (!shape.test(value)) missing.push(`${name} looks wrong: ${words}`);
  };
  need(
    "CLOUDFLARE_ACCOUNT_ID",
    /^[0-9a-f]{32}$/,
    "the account's 32 hexadecimal digits, on the dashboard under Workers",
  );
  need(
    "CLOUDFLARE_API_TOKEN",
    /^[\w-]{20,}$/,
    'a token made from the template "Edit Cloudflare Workers" (dash.cloudflare.com/profile/api-tokens)',
  );
  need(
    "EDGE_DOMAIN",
    /^(?=.{4,253}$)[a-z0-9-]+(\.[a-z0-9-]+)+$/,
    "the address people open, such as chat.example.org, of a zone that is on Cloudflare",
  );
  need(
    "DATABASE_URL",
    /^postgres(ql)?:\/\/.+/,
    "postgres://user:password@host:5432/database, as reached from here: the migrations use it",
  );
  if (given(settings, "HYPERDRIVE_ID") !== "")
    need("HYPERDRIVE_ID", /^[0-9a-f]{32}$/, "the id that `npx wrangler hyperdrive create` answered");
  return missing;
}

export interface EdgeDeployment {
  /** A whole wrangler configuration: what is uploaded is what it names. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Uploaded encrypted; those of before are replaced. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** wrangler.toml of an environment, with the bundle that runs everywhere and the operator's own settings. */
export function planDeployment(
  environment: EdgeEnvironment,
  settings: OperatorSettings,
  secrets: Secrets,
): EdgeDeployment {
  const hyperdrive = given(settings, "HYPERDRIVE_ID");
  const vars: Record<string, string> = {};
  const uploaded: Record<string, string> = {
    JWT_SECRET: secrets.jwtSecret,
    TOTP_KEY: secrets.totpKey,
    SFU_SIGNING_KEY: JSON.stringify(signingKey(secrets)),
    SFU_SECRET: acceptedSfuSecrets(secrets),
  };
  for (const name of [...environmentBindings, "ACTOR_LOCATION"]) {
    const value = given(settings, name);
    if (value === "" || ownSecrets.has(name)) continue;
    // Hyperdrive has a copy of its own.
    if (name === "DATABASE_URL" && hyperdrive !== "") continue;
    (secretNames.has(name) ? uploaded : vars)[name] = value;
  }
  const config = {
    ...configOf(edgeFolder, webFolder, environment),
    routes: [{ pattern: given(settings, "EDGE_DOMAIN"), custom_domain: true }],
    vars,
    ...(hyperdrive === "" ? {} : { hyperdrive: [{ binding: "HYPERDRIVE", id: hyperdrive }] }),
  };
  return { config, secrets: uploaded };
}
