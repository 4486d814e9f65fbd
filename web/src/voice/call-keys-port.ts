/**
 * What the encryption of a call needs of the device's sessions: bytes from device to device that no server reads. Behind it stand the keys
 * worker (`keys/`), or `fake-call-keys.ts` in tests.
 */
import type { UserId } from "@lescopains/protocol/ids";
import type { CallDevice, KeysPort } from "../keys/port.ts";

export interface CallKeysPort {
  /**
   * Encrypts `body` in the pairwise session with each device and sends it; `anew`: in new sessions. Answers when that is kept and will be
   * sent; who may not have it gets nothing. May reject, and then it is as if it was lost.
   */
  readonly send: (to: readonly CallDevice[], body: Uint8Array, anew: boolean) => Promise<void>;
  /** What devices on their account's list wrote to this one. The answer stops it. */
  readonly onMessage: (listener: (from: CallDevice, body: Uint8Array) => void) => () => void;
  /** The identity keys that this device knows, 33 bytes each; its own account's included. */
  readonly identities: (userIds: readonly UserId[]) => Promise<ReadonlyMap<UserId, Uint8Array>>;
}

/** By the device's own keys. */
export function callKeysOf(keys: KeysPort): CallKeysPort {
  return {
    async send(to, body, anew) {
      await keys.ask("call:send", { to, body, anew });
    },
    onMessage: (listener) => keys.on("call:message", ({ from, body }) => listener(from, body)),
    identities: async (userIds) => await keys.ask("call:identities", { userIds }),
  };
}
