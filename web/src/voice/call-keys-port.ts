/**
 * What the encryption of a call needs of the device's sessions: bytes from device to device that no server reads. Behind it stand the keys
 * worker (`keys/`), or `fake-call-keys.ts` in tests.
 */
import type { DeviceId } from "@lescopains/protocol/device-list";
import type { UserId } from "@lescopains/protocol/ids";

/** A device of a person's. */
export interface CallDevice {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

export interface CallKeysPort {
  /**
   * Encrypts `body` in the pairwise session with each device and sends it. Answers when that is kept and will be sent; who has no session that
   * may be used, or an identity that is not accepted, gets nothing. May reject, and then it is as if it was lost.
   */
  readonly send: (to: readonly CallDevice[], body: Uint8Array) => Promise<void>;
  /** What devices on their account's list wrote to this one. The answer stops it. */
  readonly onMessage: (listener: (from: CallDevice, body: Uint8Array) => void) => () => void;
  /** The identity keys that this device knows, 33 bytes each; its own account's included. */
  readonly identities: (userIds: readonly UserId[]) => Promise<ReadonlyMap<UserId, Uint8Array>>;
}
