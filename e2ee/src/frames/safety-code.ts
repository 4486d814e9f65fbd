import { be64, concat, utf8 } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { thirtyDigits } from "../safety-number/digits.ts";
import type { Sha512 } from "../safety-number/sha512.ts";
import type { KeyedMember } from "./call-keys.ts";
import { encodeMember, uuidBytes } from "./member.ts";

const domain = utf8("LesCopains call safety code 1\0");
/** As for safety numbers: what makes it expensive to search for keys that give the same digits. */
const rounds = 5_200;

/** A member and the identity key of its account, 33 bytes, as this device knows and has checked it. */
export interface IdentifiedMember extends KeyedMember {
  readonly identityKey: Uint8Array;
}

/**
 * 30 digits that all members of a call see alike, if nobody stands between any two of them: over who they are and the key that each sends
 * with. They are others whenever somebody comes or goes.
 *
 * @throws ProtocolError `invalid_key` for an identity key of another length.
 */
export async function safetyCode(
  callId: string,
  epoch: number,
  members: readonly IdentifiedMember[],
  sha512: Sha512,
): Promise<string> {
  const entries = members
    .map((member) => ({ place: `${member.accountId} ${member.deviceId} ${member.joinId}`, member }))
    .toSorted((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ member }) => {
      const { identityKey, keyEpoch, commitment } = member;
      if (identityKey.length !== 33) throw new ProtocolError("invalid_key", "An identity key has 33 bytes.");
      return concat(encodeMember(member), identityKey, be64(keyEpoch), commitment);
    });
  const input = concat(domain, uuidBytes(callId), be64(epoch), ...entries);
  let hash = await sha512(input);
  for (let round = 1; round < rounds; round++) hash = await sha512(concat(hash, input.subarray(0, domain.length)));
  return thirtyDigits(hash);
}
