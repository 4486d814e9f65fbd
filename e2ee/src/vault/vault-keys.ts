import { utf8, wipe } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { type GcmKey, type GcmSubtle, importGcmKey } from "../primitives/aes-gcm.ts";
import { hkdf } from "../primitives/kdf.ts";

const wrappingInfo = utf8("LesCopains vault 1 wrapping key");
const tokenInfo = utf8("LesCopains vault 1 authentication token");

/** What a recovery key opens. */
export interface VaultKeys {
  /** Seals and opens records. WebCrypto does not give it back: it may stay in IndexedDB. */
  readonly wrappingKey: GcmKey;
  /**
   * 32 bytes that prove to the server that its owner may read, write and delete the vault. The server keeps only their SHA-256. They tell
   * nothing of the wrapping key.
   */
  readonly authenticationToken: Uint8Array;
}

/**
 * HKDF (RFC 5869) of the recovery key (32 bytes), with the account's id (16 bytes) as salt: one key for two accounts would open two
 * unrelated vaults.
 *
 * @throws ProtocolError `invalid_key` for other lengths.
 */
export async function deriveVaultKeys(
  subtle: GcmSubtle,
  recoveryKey: Uint8Array,
  accountId: Uint8Array,
): Promise<VaultKeys> {
  if (recoveryKey.length !== 32 || accountId.length !== 16) {
    throw new ProtocolError("invalid_key", "The recovery key or the account id has a wrong length.");
  }
  const wrapping = hkdf(recoveryKey, accountId, wrappingInfo, 32);
  const wrappingKey = await importGcmKey(subtle, wrapping);
  wipe(wrapping);
  return { wrappingKey, authenticationToken: hkdf(recoveryKey, accountId, tokenInfo, 32) };
}
