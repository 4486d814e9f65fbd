import type { AnyDown } from "@lescopains/protocol/down";
import type { DeviceId } from "@lescopains/protocol/device-list";
import type { SessionId, UserId } from "@lescopains/protocol/ids";
import { gatewayActors, type RemoteGateway } from "./actors.ts";
import type { Env } from "./env.ts";
import { log } from "./logger.ts";

/** An event for all sockets of some people. */
export function tellUsers(env: Env, userIds: readonly UserId[], event: AnyDown): Promise<void> {
  return onEach(env, `${event.event} was not told`, (gateway) => gateway.tellUsers(userIds, event));
}

/** An event for the sockets that speak for a device. */
export function tellDevice(env: Env, userId: UserId, deviceId: DeviceId, event: AnyDown): Promise<void> {
  return onEach(env, `${event.event} was not told`, (gateway) => gateway.tellDevice(userId, deviceId, event));
}

/** There is something in the queues of these devices. */
export function envelopesQueued(env: Env, devices: readonly [UserId, DeviceId][]): Promise<void> {
  const each = [...new Map(devices.map((device) => [device.join(" "), device])).values()];
  return onEach(env, "envelopes wait for the next sign of life", (gateway) => gateway.envelopesQueued(each));
}

/** A device is another session's now, or is gone: sockets of other sessions no longer speak for it. */
export function unbindDevice(env: Env, userId: UserId, deviceId: DeviceId, to: SessionId): Promise<void> {
  return onEach(env, "sockets go on speaking for a device", (gateway) => gateway.unbindDevice(userId, deviceId, to));
}

/** Calls every gateway. What cannot be told after a second try is logged: the record is PostgreSQL's, and clients ask it when they come back. */
async function onEach(env: Env, failure: string, call: (gateway: RemoteGateway) => Promise<void>): Promise<void> {
  await Promise.all(
    gatewayActors(env).map(async (gateway, shard) => {
      try {
        await call(gateway);
      } catch {
        // An actor that was being evicted or moved refuses one call and takes the next.
        await call(gateway).catch((error: unknown) => log.error(failure, error, { shard }));
      }
    }),
  );
}
