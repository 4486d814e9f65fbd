import type { ChannelId, ServerId } from "@lescopains/protocol/ids";
import type { Actor } from "./actor.ts";
import type { Channel } from "../actors/channel/actor.ts";
import type { Gateway } from "../actors/gateway/actor.ts";
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

/** Its calls take along which request they are made for (`Actor.traced`). */
function remote<A extends Rpc.DurableObjectBranded>(namespace: DurableObjectNamespace<A>, name: string): Remote<A> {
  const stub = namespace.get(namespace.idFromName(name)) as unknown as Pick<Actor, "traced">;
  return new Proxy({} as Remote<A>, {
    get:
      (_, method: string) =>
      (...args: unknown[]) =>
        stub.traced(currentTrace(), method, args),
  });
}

export type RemoteGateway = Remote<Gateway>;

export function channelActor(env: Env, id: ChannelId): Remote<Channel> {
  return remote(env.CHANNEL, id);
}

export function serverActor(env: Env, id: ServerId): Remote<Server> {
  return remote(env.SERVER, id);
}

/** The one actor that knows the SFU nodes. */
export function sfuRegistry(env: Pick<Env, "SFU_REGISTRY">): Remote<SfuRegistry> {
  return remote(env.SFU_REGISTRY, "sfu");
}

/** Every gateway of the instance, by shard. */
export function gatewayActors(env: Env): RemoteGateway[] {
  return Array.from({ length: settings(env).GATEWAY_SHARDS }, (_, shard) => remote(env.GATEWAY, String(shard)));
}

/** The one actor that owns the PostgreSQL connections. */
export function pgGate(env: Pick<Env, "PG_GATE">): Remote<PgGate> {
  return remote(env.PG_GATE, "pg");
}
