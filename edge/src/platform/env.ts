import * as v from "valibot";
import type { Channel } from "../actors/channel/actor.ts";
import type { Gateway } from "../actors/gateway/actor.ts";
import type { Limiter } from "../actors/limiter/actor.ts";
import type { PgGate } from "../actors/pg-gate/actor.ts";
import type { Server } from "../actors/server/actor.ts";
import type { SfuRegistry } from "../actors/sfu-registry/actor.ts";

/** What the platform binds to the worker and its actors (wrangler.toml; tools/stack for self-hosting). */
export interface Env {
  readonly GATEWAY: DurableObjectNamespace<Gateway>;
  readonly CHANNEL: DurableObjectNamespace<Channel>;
  readonly SERVER: DurableObjectNamespace<Server>;
  readonly PG_GATE: DurableObjectNamespace<PgGate>;
  readonly LIMITER: DurableObjectNamespace<Limiter>;
  readonly SFU_REGISTRY: DurableObjectNamespace<SfuRegistry>;
  /** The built web client. */
  readonly ASSETS: Fetcher;
  /** Hashes and compares passwords in a place where 300 ms of computing disturb nobody (auth/passwords.ts). */
  readonly PASSWORDS: Fetcher;
  /** The signalling of an SFU node on the same machine; elsewhere nodes have addresses of their own. */
  readonly SFU?: Fetcher;
  readonly DATABASE_URL?: string;
  /** Cloudflare's connection pool near the database; where it is bound it wins over DATABASE_URL. */
  readonly HYPERDRIVE?: Pick<Hyperdrive, "connectionString">;
  /** `pg` (the default): PostgreSQL over TCP; `neon`: over WebSockets, by Neon's driver. */
  readonly DATABASE_DRIVER?: string;
  /** For Neon's driver and a database that is not Neon's: `wss://…`, what translates WebSockets to TCP for it (Neon's wsproxy). */
  readonly NEON_PROXY?: string;
  /** 32 random bytes, base64: signs access and refresh tokens. */
  readonly JWT_SECRET: string;
  /** 32 random bytes, base64: encrypts second-factor secrets at rest. */
  readonly TOTP_KEY: string;
  /** An Ed25519 JWK with its private part and `kid`: signs room tokens. */
  readonly SFU_SIGNING_KEY?: string;
  /** Shared with SFU nodes, which prove by it who they are; two while it is changed (voice/node-secrets.ts). */
  readonly SFU_SECRET?: string;
  /** `stun:` and `turn:` addresses for clients, separated by commas, and the secret that a TURN server shares with the edge. */
  readonly STUN_URLS?: string;
  readonly TURN_URLS?: string;
  readonly TURN_SECRET?: string;
  /** `relay`: clients use TURN servers only, so that nobody learns another's address. */
  readonly ICE_TRANSPORT_POLICY?: string;
  /** Origins of voice nodes that stand elsewhere, separated by commas: pages may connect to those. */
  readonly VOICE_ORIGINS?: string;
  readonly GATEWAY_SHARDS?: string;
  readonly ACTOR_LOCATION?: string;
  readonly PG_POOL_SIZE?: string;
  readonly REGISTRATION?: string;
  readonly REST_LIMIT?: string;
  readonly CORS_ORIGINS?: string;
  readonly REGISTER_LIMIT?: string;
  readonly LOGIN_LIMIT?: string;
  readonly METRICS_TOKEN?: string;
  readonly TRUSTED_PROXY?: string;
  readonly LOG_LEVEL?: string;
}

function setting(fallback: number, min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return v.pipe(
    v.optional(v.string(), ""),
    v.transform((text) => (text === "" ? fallback : Number(text))),
    v.integer(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
}

/** One of a few words, the first when unset. */
function oneOf<const W extends string>(first: W, ...others: readonly W[]) {
  return v.pipe(
    v.optional(v.string(), ""),
    v.transform((text) => (text === "" ? first : text)),
    v.picklist([first, ...others], `must be one of ${[first, ...others].join(" ").trim()}`),
  );
}

/** What the environment may tune. */
export const Settings = v.object({
  /** Gateway actors that share the sockets. One process gains nothing from more than one; on Cloudflare each is a thread. */
  GATEWAY_SHARDS: setting(1, 1, 64),
  /** PostgreSQL connections in all. */
  PG_POOL_SIZE: setting(10, 1, 20),
  /** Who may make an account, until an operator chooses. */
  REGISTRATION: oneOf("open", "invite", "closed"),
  /** REST requests of a person in a minute, and of an address without one; 0: any number (http/budgets.ts). */
  REST_LIMIT: setting(100, 0, 1_000_000),
  /** Registrations from one address in an hour. */
  REGISTER_LIMIT: setting(60, 1, 1_000_000),
  /** Sign-in attempts from one address in a minute. */
  LOGIN_LIMIT: setting(30, 1, 1_000_000),
  DATABASE_DRIVER: oneOf("pg", "neon"),
  /** Where Cloudflare is asked to place the actors: near the database that they all speak to. */
  ACTOR_LOCATION: oneOf("", "wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"),
});

export type InstanceSettings = v.InferOutput<typeof Settings>;

/** The part of the environment they stand in. */
type Tunable = Partial<Pick<Env, keyof InstanceSettings>>;

const parsed = new WeakMap<Tunable, InstanceSettings>();

/** The tunable settings of this instance. Throws a ValiError that names the variable when one is out of range. */
export function settings(env: Tunable): InstanceSettings {
  let known = parsed.get(env);
  if (known === undefined) {
    known = v.parse(Settings, env);
    parsed.set(env, known);
  }
  return known;
}
