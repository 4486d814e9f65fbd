import * as v from "valibot";
import { secretBytes } from "../auth/secrets.ts";
import { nodeSecrets } from "../voice/node-secrets.ts";
import { type Env, Settings } from "./env.ts";
import { originsIn } from "./origins.ts";

const known = new WeakMap<Env, readonly string[]>();

/**
 * What keeps this installation from working, a line for each setting: its name and what to do, never its value. Empty when all is there.
 */
export function misconfigurations(env: Env): readonly string[] {
  let found = known.get(env);
  if (found === undefined) known.set(env, (found = check(env)));
  return found;
}

function check(env: Env): string[] {
  const problems: string[] = [];
  const need = (holds: boolean, problem: string): unknown => holds || problems.push(problem);

  const database = env.HYPERDRIVE?.connectionString ?? env.DATABASE_URL ?? "";
  need(database !== "", "DATABASE_URL is missing, and there is no HYPERDRIVE binding");
  need(database === "" || /^postgres(ql)?:\/\//.test(database), "DATABASE_URL must begin with postgres://");
  for (const name of ["JWT_SECRET", "TOTP_KEY"] as const) {
    need(has32Bytes(env[name] ?? ""), `${name} must be 32 random bytes or more, base64: openssl rand -base64 32`);
  }
  const [signs, shared] = [env.SFU_SIGNING_KEY ?? "", nodeSecrets(env)];
  need((signs === "") === (shared.length === 0), "SFU_SIGNING_KEY and SFU_SECRET belong together: set both, or none");
  need(signs === "" || isSigningKey(signs), "SFU_SIGNING_KEY must be a private Ed25519 JWK with a kid");
  need(
    shared.length <= 2 && shared.every((secret) => new TextEncoder().encode(secret).length >= 32),
    "SFU_SECRET must be 32 characters or more (openssl rand -base64 32), or two such while it is changed, a comma between",
  );
  const turns = env.TURN_URLS ?? "";
  need(turns === "" || (env.TURN_SECRET ?? "") !== "", "TURN_URLS needs TURN_SECRET");
  for (const name of ["VOICE_ORIGINS", "CORS_ORIGINS"] as const) {
    need(areOrigins(name, env[name]), `${name} must be origins like https://voice.example.org, commas between`);
  }
  const proxy = env.NEON_PROXY ?? "";
  need(proxy === "" || (URL.canParse(proxy) && /^wss?:/.test(proxy)), "NEON_PROXY must be a ws:// or wss:// URL");

  for (const issue of v.safeParse(Settings, env, { abortPipeEarly: true }).issues ?? []) {
    problems.push(`${v.getDotPath(issue)} ${issue.message}`);
  }
  return problems;
}

function has32Bytes(base64: string): boolean {
  try {
    secretBytes("a secret", base64);
    return true;
  } catch {
    return false;
  }
}

function areOrigins(name: string, setting: string | undefined): boolean {
  try {
    originsIn(name, setting);
    return true;
  } catch {
    return false;
  }
}

const SigningKey = v.object({
  kty: v.literal("OKP"),
  crv: v.literal("Ed25519"),
  x: v.string(),
  d: v.string(),
  kid: v.pipe(v.string(), v.nonEmpty()),
});

function isSigningKey(json: string): boolean {
  try {
    return v.is(SigningKey, JSON.parse(json));
  } catch {
    return false;
  }
}
