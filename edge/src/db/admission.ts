/** SQL: an invite, to the instance or to a server, works. */
export function isLiving(invite: string): string {
  return `(${invite}.expires_at IS NULL OR ${invite}.expires_at > now()) AND (${invite}.max_uses IS NULL OR ${invite}.uses < ${invite}.max_uses)`;
}

/**
 * SQL: whether somebody may make an account without using up an invite of the instance. Registration is open; or they hold the secret of the first
 * operator's link, which opens a closed door too; or an invite to a server, where operators let those count.
 * @param instance alias of the table `instance`
 * @param mode registration when operators set none
 * @param code a code, or null
 * @param hash SHA-256 of the same text, or null
 */
export function admitsWithoutUse(instance: string, mode: string, code: string, hash: string): string {
  const registration = `coalesce(${instance}.registration, ${mode}::text)`;
  return `(${registration} = 'open'
    OR coalesce(${instance}.claim_hash = ${hash}::bytea, false)
    OR ${registration} = 'invite' AND ${instance}.server_invites
      AND EXISTS (SELECT FROM invites i WHERE i.code = ${code}::text AND ${isLiving("i")}))`;
}
