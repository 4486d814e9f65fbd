import type { DeviceId, ListedDevice } from "@lescopains/protocol/device-list";
import type { SessionId, UserId } from "@lescopains/protocol/ids";
import type { OwnDevice, PublishedDevices } from "@lescopains/protocol/keys";
import { base64 } from "./bytes.ts";
import { type Database, statement } from "./port.ts";
import { later } from "./prekeys.ts";

const PUBLISHED = `${base64("l.identity_key")} AS "identityKey", l.version, l.devices, ${base64("l.signature")} AS signature`;

interface PublishedRow {
  readonly identityKey: string;
  readonly version: number;
  readonly devices: ListedDevice[];
  readonly signature: string;
}

const publishedBy = statement<[UserId], PublishedRow>(
  "devices.published",
  `SELECT ${PUBLISHED} FROM device_lists l WHERE user_id = $1`,
);

/** What an account has signed last; null before its first device. */
export async function published(db: Database, userId: UserId): Promise<PublishedDevices | null> {
  const [row] = await db.query(publishedBy, [userId]);
  if (row === undefined) return null;
  const { identityKey, version, devices, signature } = row;
  return { identityKey, deviceList: { userId, version, devices }, deviceListSignature: signature };
}

/** The devices of an account; `current` is the one of the session that asks. */
export const devicesOf = statement<[UserId, SessionId], OwnDevice>(
  "devices.of_account",
  `SELECT d.device_id AS "deviceId", d.registration_id AS "registrationId", d.name, d.created_at AS "createdAt",
     d.last_seen_at AS "lastSeenAt", s.id IS NOT NULL AS current
   FROM devices d LEFT JOIN sessions s ON s.user_id = d.user_id AND s.device_id = d.device_id AND s.id = $2
   WHERE d.user_id = $1 ORDER BY d.device_id`,
);

/** The device that a sign-in speaks for. */
export const deviceOfSession = statement<[UserId, SessionId], { deviceId: DeviceId | null }>(
  "devices.of_session",
  `SELECT device_id AS "deviceId" FROM sessions WHERE id = $2 AND user_id = $1`,
);

/** The sessions that ended with a change of a list; no row: the list was not the expected one, and nothing was done. */
export interface ChangedRow {
  readonly ended: SessionId[];
}

/**
 * CTEs behind `listed`, the row of the list that was put in the place of the expected one: devices that are not `kept` go with all that is
 * theirs, and their sessions end, the `spared` one excepted.
 */
function endings(kept: string, spared = "NULL"): string {
  return `gone AS (
     DELETE FROM devices d USING listed WHERE d.user_id = listed.user_id AND d.device_id <> ALL(${kept}::smallint[])
   ), ended AS (
     DELETE FROM sessions s USING listed
     WHERE s.user_id = listed.user_id AND s.device_id <> ALL(${kept}::smallint[]) AND s.id IS DISTINCT FROM ${spared}::uuid
     RETURNING s.id
   )`;
}

/**
 * Registers a device, binds it to a session, or changes its keys, with the list that says so. `fresh`: what was kept for a device of this
 * id belonged to another one.
 */
export const publishDevice = statement<
  [
    userId: UserId,
    sessionId: SessionId,
    expectedVersion: number,
    expectedIdentityKey: string | null,
    identityKey: string,
    version: number,
    devices: string,
    signature: string,
    kept: DeviceId[],
    deviceId: DeviceId,
    registrationId: number,
    name: string,
    fresh: boolean,
    signedKeyId: number,
    signedKey: string,
    signedKeySignature: string,
    kyberKeyId: number,
    kyberKey: string,
    kyberKeySignature: string,
  ],
  ChangedRow
>(
  "devices.publish_device",
  `WITH listed AS (
     INSERT INTO device_lists AS l (user_id, identity_key, version, devices, signature)
     VALUES ($1, decode($5, 'base64'), $6, $7::jsonb, decode($8, 'base64'))
     ON CONFLICT (user_id) DO UPDATE SET identity_key = excluded.identity_key, version = excluded.version, devices = excluded.devices,
       signature = excluded.signature, updated_at = now()
     WHERE l.version = $3::integer AND l.identity_key = decode($4, 'base64')
     RETURNING user_id
   ), ${endings("$9", "$2")}, device AS (
     INSERT INTO devices AS d (user_id, device_id, registration_id, name)
     SELECT user_id, $10::smallint, $11::integer, $12 FROM listed
     ON CONFLICT (user_id, device_id) DO UPDATE SET registration_id = excluded.registration_id, name = excluded.name, last_seen_at = now(),
       created_at = CASE WHEN $13::boolean THEN now() ELSE d.created_at END, queued = CASE WHEN $13 THEN 0 ELSE d.queued END
     RETURNING user_id, device_id
   ), keys AS (
     INSERT INTO device_keys AS k (user_id, device_id, signed_key_id, signed_key, signed_key_signature, kyber_key_id, kyber_key, kyber_key_signature)
     SELECT user_id, device_id, $14::integer, decode($15, 'base64'), decode($16, 'base64'), $17::integer, decode($18, 'base64'),
       decode($19, 'base64') FROM device
     ON CONFLICT (user_id, device_id) DO UPDATE SET
       ${later("signed", "excluded.signed_key_id", "excluded.signed_key", "excluded.signed_key_signature", "$13")},
       ${later("kyber", "excluded.kyber_key_id", "excluded.kyber_key", "excluded.kyber_key_signature", "$13")}
   ), no_prekeys AS (
     DELETE FROM prekeys p USING listed WHERE $13 AND p.user_id = listed.user_id AND p.device_id = $10
   ), no_envelopes AS (
     DELETE FROM envelopes e USING listed WHERE $13 AND e.user_id = listed.user_id AND e.device_id = $10
   ), no_ciphertexts AS (
     DELETE FROM dm_messages m USING listed WHERE $13 AND m.user_id = listed.user_id AND m.device_id = $10
   ), bound AS (
     UPDATE sessions s SET device_id = CASE WHEN s.id = $2 THEN $10::smallint WHEN s.device_id = $10 THEN NULL ELSE s.device_id END
     FROM listed
     WHERE s.user_id = listed.user_id AND (s.id = $2 OR s.device_id IS NULL OR s.device_id = ANY($9))
   )
   SELECT ARRAY(SELECT id::text FROM ended) AS ended FROM listed`,
);

/** Names a device. No row: the account has no such device. */
export const renameDevice = statement<[UserId, DeviceId, name: string], { deviceId: DeviceId }>(
  "devices.rename",
  `UPDATE devices SET name = $3 WHERE user_id = $1 AND device_id = $2 RETURNING device_id AS "deviceId"`,
);

/** Publishes a list without some devices. */
export const publishList = statement<
  [
    userId: UserId,
    expectedVersion: number,
    expectedIdentityKey: string,
    version: number,
    devices: string,
    signature: string,
    kept: DeviceId[],
  ],
  ChangedRow
>(
  "devices.publish_list",
  `WITH listed AS (
     UPDATE device_lists SET version = $4, devices = $5::jsonb, signature = decode($6, 'base64'), updated_at = now()
     WHERE user_id = $1 AND version = $2 AND identity_key = decode($3, 'base64')
     RETURNING user_id
   ), ${endings("$7")}
   SELECT ARRAY(SELECT id::text FROM ended) AS ended FROM listed`,
);
