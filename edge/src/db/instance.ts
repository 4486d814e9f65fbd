import type { Generation, UserId } from "@lescopains/protocol/ids";
import type { Registration } from "@lescopains/protocol/instance";
import type { InstanceInvite } from "@lescopains/protocol/operator";
import { type SelfRow, SELF_COLUMNS } from "./accounts.ts";
import { admitsWithoutUse, isLiving } from "./admission.ts";
import { type Database, statement } from "./port.ts";

export interface InstanceRow {
  readonly name: string;
  readonly registration: Registration;
  readonly serverInvites: boolean;
}

/** What operators set; `registration` falls back on the given one. */
export const instanceRow = statement<[Registration], InstanceRow>(
  "instance.row",
  `SELECT name, coalesce(registration, $1::text) AS registration, server_invites AS "serverInvites" FROM instance`,
);

const generation = statement<[], { generation: Generation }>("instance.generation", `SELECT generation FROM instance`);

/** Which time of the database this is: another one after it was restored from a backup. */
export async function generationOf(db: Database): Promise<Generation> {
  const [row] = await db.query(generation, []);
  if (row === undefined) throw new Error("the database has no row of the instance");
  return row.generation;
}

/** Looked at before the password is hashed: registration unless set, code, its SHA-256. */
export const admission = statement<
  [Registration, string | null, Uint8Array | null],
  { registration: Registration; admitted: boolean }
>(
  "instance.admission",
  `SELECT coalesce(n.registration, $1::text) AS registration,
     EXISTS (SELECT FROM instance_invites i WHERE i.code = $2 AND ${isLiving("i")} AND coalesce(n.registration, $1) = 'invite')
       OR ${admitsWithoutUse("n", "$1", "$2", "$3")} AS admitted FROM instance n`,
);

/** Makes this account the first operator: SHA-256 of the secret, account. No row: another secret, or somebody is operator already. */
export const claimInstance = statement<[Uint8Array, UserId], SelfRow>(
  "instance.claim",
  `WITH claimed AS (
     UPDATE instance SET claim_hash = NULL
     WHERE claim_hash = $1 AND NOT EXISTS (SELECT FROM users WHERE operator) AND EXISTS (SELECT FROM users WHERE id = $2 AND disabled_at IS NULL)
     RETURNING id
   ), u AS (
     UPDATE users SET operator = true FROM claimed WHERE users.id = $2 RETURNING users.*
   ), logged AS (
     INSERT INTO operator_log (operator_id, operator_name, action) SELECT id, username, 'claim' FROM u
   )
   SELECT ${SELF_COLUMNS} FROM u`,
);

/** Changes what is not null, and writes it to the log: name, registration, server invites, registration unless set, operator, log details. */
export const patchInstance = statement<
  [string | null, Registration | null, boolean | null, Registration, UserId, string],
  InstanceRow
>(
  "instance.patch",
  `WITH changed AS (
     UPDATE instance SET name = coalesce($1, name), registration = coalesce($2, registration), server_invites = coalesce($3, server_invites)
     WHERE EXISTS (SELECT FROM users WHERE id = $5 AND operator)
     RETURNING *
   ), logged AS (
     INSERT INTO operator_log (operator_id, operator_name, action, details)
     SELECT u.id, u.username, 'instance.change', $6::jsonb FROM users u, changed WHERE u.id = $5
   )
   SELECT name, coalesce(registration, $4::text) AS registration, server_invites AS "serverInvites" FROM changed`,
);

const INVITE_COLUMNS = `i.code, i.created_by AS "createdBy", i.created_at AS "createdAt", i.expires_at AS "expiresAt", i.max_uses AS "maxUses", i.uses`;

/** Invites that still work, latest first: most rows. */
export const instanceInvites = statement<[number], InstanceInvite>(
  "instance.invites",
  `SELECT ${INVITE_COLUMNS} FROM instance_invites i WHERE ${isLiving("i")} ORDER BY i.created_at DESC, i.code LIMIT $1`,
);

/**
 * Makes an invite, and clears away those that work no more: operator, code, seconds until it ends, most uses, most invites. No row: there are
 * as many as there may be, or the one who asks is no operator any more.
 */
export const createInstanceInvite = statement<[UserId, string, number | null, number | null, number], InstanceInvite>(
  "instance.invite_create",
  `WITH cleared AS (
     DELETE FROM instance_invites i WHERE NOT (${isLiving("i")})
   ), i AS (
     INSERT INTO instance_invites (code, created_by, expires_at, max_uses)
     SELECT $2, u.id, now() + $3::integer * interval '1 second', $4::integer FROM users u
     WHERE u.id = $1 AND u.operator AND (SELECT count(*) FROM instance_invites i WHERE ${isLiving("i")}) < $5
     RETURNING *
   ), logged AS (
     INSERT INTO operator_log (operator_id, operator_name, action, subject, details)
     SELECT u.id, u.username, 'invite.create', left(i.code, 4), jsonb_build_object('maxUses', i.max_uses, 'expiresAt', i.expires_at)
     FROM users u, i WHERE u.id = $1
   )
   SELECT ${INVITE_COLUMNS} FROM i`,
);

/** Ends an invite: operator, code. */
export const revokeInstanceInvite = statement<[UserId, string], { code: string }>(
  "instance.invite_revoke",
  `WITH gone AS (
     DELETE FROM instance_invites i USING users u WHERE i.code = $2 AND u.id = $1 AND u.operator RETURNING i.code
   ), logged AS (
     INSERT INTO operator_log (operator_id, operator_name, action, subject)
     SELECT u.id, u.username, 'invite.revoke', left(gone.code, 4) FROM users u, gone WHERE u.id = $1
   )
   SELECT code FROM gone`,
);
