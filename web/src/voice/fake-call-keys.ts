import type { DeviceId } from "@lescopains/protocol/device-list";
import type { UserId } from "@lescopains/protocol/ids";
import type { CallDevice } from "../keys/port.ts";
import type { CallKeysPort } from "./call-keys-port.ts";

/** Sessions between devices in one place, for tests. */
export interface FakeSessions {
  readonly device: (userId: UserId, deviceId: DeviceId) => CallKeysPort;
  /** Holds back, while it answers true, what `from` sends to `to`. */
  loses: (from: CallDevice, to: CallDevice) => boolean;
}

export function createFakeSessions(): FakeSessions {
  const listeners = new Map<string, Set<(from: CallDevice, body: Uint8Array) => void>>();
  const sessions: FakeSessions = {
    loses: () => false,
    device(userId, deviceId) {
      const self = { userId, deviceId };
      return {
        async send(to, body) {
          // As over a network: nobody hears it in the same breath.
          await new Promise((resolve) => setTimeout(resolve, 0));
          for (const device of to) {
            if (sessions.loses(self, device)) continue;
            for (const listener of listeners.get(placeOf(device)) ?? []) listener(self, body.slice());
          }
        },
        onMessage(listener) {
          const of = listeners.get(placeOf(self)) ?? new Set();
          listeners.set(placeOf(self), of);
          of.add(listener);
          return () => void of.delete(listener);
        },
        // Stands for a key: the account's own bytes.
        identities: async (userIds) => new Map(userIds.map((id) => [id, identityOf(id)])),
      };
    },
  };
  return sessions;
}

function identityOf(userId: UserId): Uint8Array {
  return Uint8Array.from({ length: 33 }, (_, index) => userId.charCodeAt(index));
}

function placeOf({ userId, deviceId }: CallDevice): string {
  return `${userId} ${deviceId}`;
}
