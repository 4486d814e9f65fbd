import { concat } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { checkPublicKey } from "../primitives/curve.ts";
import type { Sha512 } from "./sha512.ts";

/** Hashes in all: what makes searching for a key with the same digits expensive. */
const rounds = 5_200;
const hashVersion = Uint8Array.of(0, 0);

/** One side of a conversation. */
export interface Party {
  /** The account's UUID, 16 bytes. */
  readonly accountId: Uint8Array;
  /** 33 bytes. */
  readonly identityKey: Uint8Array;
}

/**
 * The fingerprint of an account and its identity key: 64 bytes, of which 30 are shown as digits and 32 scanned.
 *
 * @throws ProtocolError `invalid_key` for an identity key or an account id that is none.
 */
export async function fingerprint(party: Party, sha512: Sha512): Promise<Uint8Array> {
  const { accountId } = party;
  const identityKey = checkPublicKey(party.identityKey);
  if (accountId.length !== 16) throw new ProtocolError("invalid_key", "An account id has 16 bytes.");
  let hash = await sha512(concat(hashVersion, identityKey, accountId, identityKey));
  const input = new Uint8Array(hash.length + identityKey.length);
  input.set(identityKey, hash.length);
  for (let round = 1; round < rounds; round++) {
    input.set(hash);
    hash = await sha512(input);
  }
  return hash;
}
