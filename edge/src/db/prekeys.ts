import type { DeviceId } from "@lescopains/protocol/device-list";
import type { SessionId, UserId } from "@lescopains/protocol/ids";
import type { Bundle, PreKeyCounts } from "@lescopains/protocol/keys";
import { LIMITS } from "@lescopains/protocol/limits";
import type { AnyDown } from "@lescopains/protocol/down";
import { base64 } from "./bytes.ts";
import { type Database, statement } from "./port.ts";

/**
 * Columns of the key of a kind in `device_keys k`: another key takes its place only with a higher id, so that none that was replaced comes
 * back. `anyway`: a condition under which it does all the same.
 */
export function later(kind: "signed" | "kyber", id: string, key: string, signature: string, anyway = "false"): string {
  const column = `${kind}_key`;
  const set = (name: string, value: string): string =>
    `${name} = CASE WHEN ${anyway} OR ${id} > k.${column}_id THEN ${value} ELSE k.${name} END`;
  return [set(`${column}_id`, id), set(column, key), set(`${column}_signature`, signature)].join(", ");
}

/**
 * Stores further keys of the device that a session speaks for; ids that were there before, used or not, are passed over. All or nothing.
 * A signed prekey, or key of last resort, with an id that is not higher than the present one's is passed over as well.
 * No row: the session does not speak for this device. Values: user, session, device, kinds, key ids, keys, signatures, most unused keys of a
 * kind, then id, key and signature of a new signed prekey and of a new last-resort key, nulls for none.
 */
export const addPreKeys = statement<
  [
    UserId,
    SessionId,
    DeviceId,
    kinds: ("ec" | "kyber")[],
    keyIds: number[],
    keys: string[],
    signatures: (string | null)[],
    most: number,
    signedKeyId: number | null,
    signedKey: string | null,
    signedKeySignature: string | null,
    kyberKeyId: number | null,
    kyberKey: string | null,
    kyberKeySignature: string | null,
  ],
  { fits: boolean }
>(
  "prekeys.add",
  `WITH device AS (
     SELECT d.user_id, d.device_id FROM sessions s JOIN devices d ON d.user_id = s.user_id AND d.device_id = s.device_id
     WHERE s.id = $2 AND s.user_id = $1 AND s.device_id = $3 FOR UPDATE OF d
   ), fresh AS (
     SELECT i.* FROM unnest($4::text[], $5::integer[], $6::text[], $7::text[]) AS i (kind, key_id, public_key, signature)
     -- One look-up for each: used keys stay, so that reading all of the device's would take longer every year.
     LEFT JOIN LATERAL (
       SELECT true AS there FROM prekeys WHERE user_id = $1 AND device_id = $3 AND kind = i.kind AND key_id = i.key_id LIMIT 1
     ) AS p ON true
     WHERE p.there IS NULL
   ), unused AS MATERIALIZED (
     SELECT kind, count(*) AS n FROM prekeys WHERE user_id = $1 AND device_id = $3 AND NOT used GROUP BY kind
   ), fitting AS (
     SELECT FROM device WHERE NOT EXISTS (
       SELECT FROM (SELECT kind, count(*) AS n FROM fresh GROUP BY kind) AS f LEFT JOIN unused u USING (kind)
       WHERE f.n + coalesce(u.n, 0) > $8::integer)
   ), added AS (
     INSERT INTO prekeys (user_id, device_id, kind, key_id, public_key, signature)
     SELECT d.user_id, d.device_id, f.kind, f.key_id, decode(f.public_key, 'base64'), decode(f.signature, 'base64') FROM device d, fresh f
     WHERE EXISTS (SELECT FROM fitting)
     ON CONFLICT DO NOTHING
   ), replaced AS (
     UPDATE device_keys k SET
       ${later("signed", "$9::integer", "decode($10, 'base64')", "decode($11, 'base64')")},
       ${later("kyber", "$12::integer", "decode($13, 'base64')", "decode($14, 'base64')")}
     FROM device d WHERE k.user_id = d.user_id AND k.device_id = d.device_id AND EXISTS (SELECT FROM fitting)
       AND ($9::integer IS NOT NULL OR $12::integer IS NOT NULL)
   )
   SELECT EXISTS (SELECT FROM fitting) AS fits FROM device`,
);

export interface CountRow extends PreKeyCounts {
  readonly deviceId: DeviceId;
}

/** How many one-time keys some devices of a person have left. */
export const countPreKeys = statement<[UserId, DeviceId[]], CountRow>(
  "prekeys.count",
  `SELECT d.device_id AS "deviceId", count(p.key_id) FILTER (WHERE p.kind = 'ec') AS "preKeys",
     count(p.key_id) FILTER (WHERE p.kind = 'kyber') AS "kyberPreKeys"
   FROM devices d LEFT JOIN prekeys p ON p.user_id = d.user_id AND p.device_id = d.device_id AND NOT p.used
   WHERE d.user_id = $1 AND d.device_id = ANY($2::smallint[])
   GROUP BY d.device_id`,
);

/** What is told to those of a person's devices that have few one-time keys left. */
export async function lowKeys(
  db: Database,
  userId: UserId,
  deviceIds: DeviceId[],
): Promise<{ readonly deviceId: DeviceId; readonly event: Extract<AnyDown, { event: "keys:low" }> }[]> {
  const counts = await db.query(countPreKeys, [userId, deviceIds]);
  return counts
    .map(({ deviceId, preKeys, kyberPreKeys }) => ({ deviceId, remaining: Math.min(preKeys, kyberPreKeys) }))
    .filter(({ remaining }) => remaining < LIMITS.preKeysLow)
    .map(({ deviceId, remaining }) => ({ deviceId, event: { event: "keys:low", body: { remaining } } }));
}

/**
 * Takes one one-time key of each kind, where there is one, for each device asked for (null: all). Claims that run at once pass over the keys
 * that another is taking; a taken key's row stays without the key.
 */
export const claimPreKeys = statement<[UserId, DeviceId[] | null], Bundle>(
  "prekeys.claim",
  `WITH asked AS (
     SELECT d.device_id, d.registration_id, k.signed_key_id, k.signed_key, k.signed_key_signature, k.kyber_key_id, k.kyber_key,
       k.kyber_key_signature
     FROM devices d JOIN device_keys k ON k.user_id = d.user_id AND k.device_id = d.device_id
     WHERE d.user_id = $1 AND ($2::smallint[] IS NULL OR d.device_id = ANY($2))
   ), picked AS (
     SELECT a.device_id, kinds.kind, p.key_id, p.public_key, p.signature
     FROM asked a CROSS JOIN (VALUES ('ec'), ('kyber')) AS kinds (kind) CROSS JOIN LATERAL (
       SELECT key_id, public_key, signature FROM prekeys
       WHERE user_id = $1 AND device_id = a.device_id AND kind = kinds.kind AND NOT used
       ORDER BY key_id LIMIT 1 FOR UPDATE SKIP LOCKED
     ) AS p
   ), taken AS (
     UPDATE prekeys p SET used = true, public_key = '', signature = NULL FROM picked t
     WHERE p.user_id = $1 AND p.device_id = t.device_id AND p.kind = t.kind AND p.key_id = t.key_id
     RETURNING p.device_id, p.kind
   )
   SELECT a.device_id AS "deviceId", a.registration_id AS "registrationId",
     json_build_object('keyId', a.signed_key_id, 'publicKey', ${base64("a.signed_key")}, 'signature', ${base64("a.signed_key_signature")})
       AS "signedPreKey",
     json_build_object('keyId', coalesce(k.key_id, a.kyber_key_id), 'publicKey', ${base64("coalesce(k.public_key, a.kyber_key)")},
       'signature', ${base64("coalesce(k.signature, a.kyber_key_signature)")}) AS "kyberPreKey",
     CASE WHEN e.key_id IS NOT NULL THEN json_build_object('keyId', e.key_id, 'publicKey', ${base64("e.public_key")}) END AS "preKey"
   FROM asked a
   LEFT JOIN (picked k JOIN taken kt ON kt.device_id = k.device_id AND kt.kind = k.kind) ON k.device_id = a.device_id AND k.kind = 'kyber'
   LEFT JOIN (picked e JOIN taken et ON et.device_id = e.device_id AND et.kind = e.kind) ON e.device_id = a.device_id AND e.kind = 'ec'
   ORDER BY a.device_id`,
);
