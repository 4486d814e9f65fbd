import { be64, concat, utf8, wipe } from "../bytes.ts";
import { type GcmKey, type GcmSubtle, importGcmKey, nonceLength } from "../primitives/aes-gcm.ts";
import { hkdf } from "../primitives/kdf.ts";
import { roles, type TrackRole } from "./format.ts";
import { encodeMember, type Member, uuidBytes } from "./member.ts";

/*
 * secret of an epoch, step 0 ─HKDF "step" 1─▶ step 1 ─HKDF "step" 2─▶ …      each time somebody joins
 *        │ HKDF "commitment"                        └─HKDF "role" step, role─▶ key 32 ‖ salt 12
 *        └──▶ what members compare
 * info: "LesCopains frames 1\0" ‖ call 16 ‖ account 16 ‖ device 1 ‖ join 16 ‖ epoch 8 ‖ label ‖ numbers        no salt
 */
const domain = utf8("LesCopains frames 1\0");
const stepLabel = utf8("step");
const roleLabel = utf8("role");
const commitmentLabel = utf8("commitment");
const noSalt = new Uint8Array(0);

export const secretLength = 32;

/** What one member encrypts with, as it goes from device to device. Never reused: each stay begins with random bytes. */
export interface FrameKey {
  /** The epoch of the membership that it was made in. */
  readonly epoch: number;
  /** How often it went one way forward since, because somebody joined. */
  readonly step: number;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

/** Binds a key to the call, its owner and the epoch it was made in. */
export function keyContext(callId: string, owner: Member, epoch: number): Uint8Array {
  return concat(domain, uuidBytes(callId), encodeMember(owner), be64(epoch));
}

/** The secret of the next step. Nothing leads back. */
export function nextSecret(context: Uint8Array, secret: Uint8Array, nextStep: number): Uint8Array {
  return hkdf(secret, noSalt, concat(context, stepLabel, Uint8Array.of(nextStep)), secretLength);
}

/** Tells nothing of the secret, and no other secret has it: made from step 0, carried with every step. */
export function commitmentOf(context: Uint8Array, secret: Uint8Array): Uint8Array {
  return hkdf(secret, noSalt, concat(context, commitmentLabel), 32);
}

/** The key and the salt for the frames of one track role. */
export function deriveRoleKey(
  context: Uint8Array,
  { step, secret }: Pick<FrameKey, "step" | "secret">,
  role: TrackRole,
): { key: Uint8Array; salt: Uint8Array } {
  const info = concat(context, roleLabel, Uint8Array.of(step, roles[role]));
  const derived = hkdf(secret, noSalt, info, 32 + nonceLength);
  const result = { key: derived.slice(0, 32), salt: derived.slice(32) };
  wipe(derived);
  return result;
}

/** What encrypts and decrypts frames of one role at one step. */
export interface RoleKey {
  readonly key: GcmKey;
  readonly salt: Uint8Array;
}

/** The secret is read before this returns. */
export async function importRoleKey(
  subtle: GcmSubtle,
  context: Uint8Array,
  from: Pick<FrameKey, "step" | "secret">,
  role: TrackRole,
): Promise<RoleKey> {
  const { key, salt } = deriveRoleKey(context, from, role);
  try {
    return { key: await importGcmKey(subtle, key), salt };
  } finally {
    wipe(key);
  }
}
