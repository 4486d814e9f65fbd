import type { ChannelId, ServerId } from "@lescopains/protocol/ids";
import type { Actor } from "./actor.ts";
import type { Channel } from "../actors/channel/actor.ts";
import type { Gateway } from "../actors/gateway/actor.ts";
import type { Limiter } from "../actors/limiter/actor.ts";
import type { PgGate } from "../actors/pg-gate/actor.ts";
import type { Server } from "../actors/server/actor.ts";
import type { SfuRegistry } from "../actors/sfu-registry/actor.ts";
import { type Env, settings } from "./env.ts";
import { currentTrace } from "./trace.ts";

/**
 * An actor as others call it: its asynchronous methods, arguments and answers copied by structured clone.
 * (The platform's own stub type turns every answer with an `unknown` in it, such as JSON metadata, into `never`.)
 */
type Remote<A> = { [M in keyof A as A[M] extends (...args: never[]) => Promise<unknown> ? M : never]: A[M] };

/** What says where actors are placed. */
type Where = Pick<Env, "ACTOR_LOCATION">;

/** Its calls take along which request they are made for (`Actor.traced`). */
function remote<A extends Rpc.DurableObjectBranded>(
  env: Where,
  namespace: DurableObjectNamespace<A>,
  name: string,
): Remote<A> {
  const actor = stub(env, namespace, name) as unknown as Pick<Actor, "traced">;
  return new Proxy({} as Remote<A>, {
    get:
      (_, method: string) =>
      (...args: unknown[]) =>
        actor.traced(currentTrace(), method, args),
  });
}

/** An actor for requests. The hint is heeded where an actor is made, which is at its first call ever. */
export function stub<A extends Rpc.DurableObjectBranded | undefined>(
  env: Where,
  namespace: DurableObjectNamespace<A>,
  name: string,
): DurableObjectStub<A> {
  const locationHint = settings(env).ACTOR_LOCATION;
  return namespace.get(namespace.idFromName(name), locationHint === "" ? {} : { locationHint });
}

export type RemoteGateway = Remote<Gateway>;

export function channelActor(env: Env, id: ChannelId): Remote<Channel> {
  return remote(env, env.CHANNEL, id);
}

export function serverActor(env: Env, id: ServerId): Remote<Server> {
  return remote(env, env.SERVER, id);
}

/** The one actor that knows the SFU nodes. */
export function sfuRegistry(env: Pick<Env, "SFU_REGISTRY" | "ACTOR_LOCATION">): Remote<SfuRegistry> {
  return remote(env, env.SFU_REGISTRY, "sfu");
}

/** Every gateway of the instance, by shard. */
export function gatewayActors(env: Env): RemoteGateway[] {
  return Array.from({ length: settings(env).GATEWAY_SHARDS }, (_, shard) => remote(env, env.GATEWAY, String(shard)));
}

/** The one actor that counts requests. */
export function limiter(env: Pick<Env, "LIMITER" | "ACTOR_LOCATION">): Remote<Limiter> {
  return remote(env, env.LIMITER, "requests");
}

/** The one actor that owns the PostgreSQL connections. */
export function pgGate(env: Pick<Env, "PG_GATE" | "ACTOR_LOCATION">): Remote<PgGate> {
  return remote(env, env.PG_GATE, "pg");
}
