import type { ChannelId, ServerId } from "@lescopains/protocol/ids";
import { channelActor, gatewayActors } from "../../platform/actors.ts";
import type { Env } from "../../platform/env.ts";
import type { ServerChange } from "../gateway/messages.ts";
import type { Effects } from "./core.ts";

/**
 * Tells channel actors and gateways what changed. It is done when all have applied it: then no channel admits anything
 * under the old rights, and no gateway delivers under them. Throws when one could not be told, after a second try.
 * @param recheck the channels whose actors may hold permissions
 */
export async function tell(
  env: Env,
  serverId: ServerId,
  effects: Effects,
  recheck: Iterable<ChannelId>,
): Promise<void> {
  const { version, access, events } = effects;
  const calls: Promise<void>[] = [];
  const reload = new Set(effects.reload);
  for (const channelId of effects.removed ?? []) calls.push(twice(() => channelActor(env, channelId).removed()));
  for (const channelId of reload) {
    const channel = channelActor(env, channelId);
    calls.push(
      twice(() => (effects.sealed?.includes(channelId) === true ? channel.madeEncrypted() : channel.changed())),
    );
  }
  for (const channelId of recheck) {
    if (!reload.has(channelId)) calls.push(twice(() => channelActor(env, channelId).accessChanged(version)));
  }
  if (access.length > 0 || events.length > 0) calls.push(tellGateways(env, serverId, { version, access, events }));
  await Promise.all(calls);
}

export async function tellGateways(env: Env, serverId: ServerId, change: ServerChange): Promise<void> {
  await Promise.all(gatewayActors(env).map((gateway) => twice(() => gateway.serverChanged(serverId, change))));
}

/** An actor that was being evicted or moved refuses one call and takes the next. */
async function twice(call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch {
    await call();
  }
}
