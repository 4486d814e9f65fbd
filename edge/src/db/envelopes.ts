import type { DeviceId } from "@lescopains/protocol/device-list";
import type { UserId } from "@lescopains/protocol/ids";
import type { CiphertextType } from "@lescopains/protocol/ciphertext";
import type { DeviceAddress, Envelope } from "@lescopains/protocol/keys";
import { base64 } from "./bytes.ts";
import { statement } from "./port.ts";

/** What kept envelopes from being queued: then none of them was. */
export interface QueuedRow {
  /** The sending device exists. */
  readonly sender: boolean;
  readonly full: DeviceAddress[];
  readonly unknown: DeviceAddress[];
}

/**
 * Queues envelopes, all or none. The rows of the devices are locked in the order of their ids, so that envelopes of one device get their
 * numbers in the order in which they become visible: a reader that has seen a number has seen all before it. Values: who sends, from which
 * device, then for each envelope person, device, type and body, and the most that one device keeps, in all and from one person.
 */
export const queueEnvelopes = statement<
  [UserId, DeviceId, UserId[], DeviceId[], CiphertextType[], bodies: string[], most: number, mostFromOne: number],
  QueuedRow
>(
  "envelopes.queue",
  `WITH input AS (
     SELECT * FROM unnest($3::uuid[], $4::smallint[], $5::smallint[], $6::text[]) WITH ORDINALITY AS i (user_id, device_id, type, body, n)
   ), wanted AS (
     SELECT user_id, device_id, count(*)::integer AS n FROM input GROUP BY user_id, device_id
   ), sender AS (
     SELECT FROM devices WHERE user_id = $1 AND device_id = $2
   ), locked AS (
     SELECT d.user_id, d.device_id, d.queued FROM devices d JOIN wanted w ON w.user_id = d.user_id AND w.device_id = d.device_id
     ORDER BY d.user_id, d.device_id FOR UPDATE OF d
   ), overfull AS (
     SELECT user_id, device_id FROM locked l JOIN wanted w USING (user_id, device_id)
     WHERE l.queued + w.n > $7::integer OR w.n + (
       SELECT count(*) FROM envelopes e WHERE e.user_id = l.user_id AND e.device_id = l.device_id AND e.from_user_id = $1
     ) > $8::integer
   ), missing AS (
     SELECT user_id, device_id FROM wanted w
     WHERE NOT EXISTS (SELECT FROM locked l WHERE l.user_id = w.user_id AND l.device_id = w.device_id)
   ), fitting AS (
     SELECT WHERE EXISTS (SELECT FROM sender) AND NOT EXISTS (SELECT FROM missing) AND NOT EXISTS (SELECT FROM overfull)
   ), counted AS (
     UPDATE devices d SET queued = d.queued + w.n FROM wanted w
     WHERE d.user_id = w.user_id AND d.device_id = w.device_id AND EXISTS (SELECT FROM fitting)
   ), queued AS (
     INSERT INTO envelopes (user_id, device_id, from_user_id, from_device_id, type, body)
     SELECT user_id, device_id, $1, $2, type, decode(body, 'base64') FROM input WHERE EXISTS (SELECT FROM fitting) ORDER BY n
   )
   SELECT EXISTS (SELECT FROM sender) AS sender,
     coalesce((SELECT json_agg(json_build_object('userId', user_id, 'deviceId', device_id)) FROM overfull), '[]') AS full,
     coalesce((SELECT json_agg(json_build_object('userId', user_id, 'deviceId', device_id)) FROM missing), '[]') AS unknown`,
);

/** Bodies in one page, in bytes: together they stay far below what a socket takes in one frame. */
const PAGE_BYTES = 262_144;

/** A device's oldest envelopes after a number. Values: person, device, number, most of them. */
export const envelopesAfter = statement<[UserId, DeviceId, after: number, limit: number], Envelope>(
  "envelopes.after",
  `SELECT id, from_user_id AS "fromUserId", from_device_id AS "fromDeviceId", type, ${base64("body")} AS body, created_at AS "createdAt"
   FROM (
     SELECT *, sum(octet_length(body)) OVER (ORDER BY id) AS bytes
     FROM (SELECT * FROM envelopes WHERE user_id = $1 AND device_id = $2 AND id > $3 ORDER BY id LIMIT $4) AS page
   ) AS measured
   WHERE bytes <= ${PAGE_BYTES} ORDER BY id`,
);

/** Deletes a device's envelopes up to a number. */
export const dropEnvelopes = statement<[UserId, DeviceId, upTo: number], { deviceId: DeviceId }>(
  "envelopes.drop",
  `WITH device AS (
     SELECT user_id, device_id FROM devices WHERE user_id = $1 AND device_id = $2 FOR UPDATE
   ), gone AS (
     DELETE FROM envelopes e USING device d WHERE e.user_id = d.user_id AND e.device_id = d.device_id AND e.id <= $3 RETURNING e.id
   )
   UPDATE devices d SET queued = greatest(0, d.queued - (SELECT count(*)::integer FROM gone))
   WHERE d.user_id = $1 AND d.device_id = $2 AND EXISTS (SELECT FROM gone)
   RETURNING d.device_id AS "deviceId"`,
);
