import { concat, wipe } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { encryptGcm, type GcmSubtle } from "../primitives/aes-gcm.ts";
import {
  additionalDataOf,
  clearLengthOf,
  encodeTrailer,
  type FrameCodec,
  maxCounter,
  nonceOf,
  type TrackRole,
} from "./format.ts";
import type { Member } from "./member.ts";
import { type FrameKey, importRoleKey, keyContext, type RoleKey } from "./schedule.ts";

interface Current extends FrameKey {
  readonly context: Uint8Array;
  readonly roleKeys: Map<TrackRole, Promise<RoleKey>>;
}

/**
 * Encrypts all that one device sends in one stay in a call. There is one of these for a stay: its counter runs across tracks and
 * keys and never goes back, which is why no nonce comes twice.
 */
export class FrameSender {
  readonly #subtle: GcmSubtle;
  readonly #callId: string;
  readonly #self: Member;
  #current: Current | undefined;
  #counter = 0;

  constructor(subtle: GcmSubtle, callId: string, self: Member) {
    this.#subtle = subtle;
    this.#callId = callId;
    this.#self = self;
  }

  /**
   * The key from the next frame on.
   *
   * @throws RangeError for a key that is not newer than the present one.
   */
  install(key: FrameKey): void {
    const before = this.#current;
    if (before !== undefined && (key.epoch < before.epoch || (key.epoch === before.epoch && key.step <= before.step))) {
      throw new RangeError("A frame key gives way to a newer one only.");
    }
    this.#current = {
      ...key,
      secret: key.secret.slice(),
      context: keyContext(this.#callId, this.#self, key.epoch),
      roleKeys: new Map(),
    };
    wipe(before?.secret);
  }

  /** Overwrites what is left; nothing can be sent until another key comes. */
  close(): void {
    wipe(this.#current?.secret);
    this.#current = undefined;
  }

  /**
   * The frame as it leaves; `undefined` while there is no key, and then nothing may leave.
   *
   * @throws ProtocolError `chain_exhausted` after 2^32 frames: 124 days of 400 a second.
   */
  async seal(role: TrackRole, codec: FrameCodec, frame: Uint8Array): Promise<Uint8Array | undefined> {
    const current = this.#current;
    if (current === undefined) return undefined;
    if (this.#counter > maxCounter) throw new ProtocolError("chain_exhausted", "This stay has sent all its frames.");
    const counter = this.#counter++;
    let roleKey = current.roleKeys.get(role);
    if (roleKey === undefined) {
      roleKey = importRoleKey(this.#subtle, current.context, current, role);
      current.roleKeys.set(role, roleKey);
    }
    const { key, salt } = await roleKey;
    const clearLength = clearLengthOf(codec, frame);
    const clear = frame.subarray(0, clearLength);
    const trailer = encodeTrailer({ epochByte: current.epoch & 0xff, step: current.step }, counter, clearLength);
    const additionalData = additionalDataOf(clear, trailer, role);
    const ciphertext = await encryptGcm(key, nonceOf(salt, counter), frame.subarray(clearLength), additionalData);
    return concat(clear, ciphertext, trailer);
  }
}
