import type { DeviceId } from "@lescopains/protocol/device-list";
import type { Self } from "@lescopains/protocol/entities";
import type { Generation, ServerId, SessionId, UserId } from "@lescopains/protocol/ids";
import { statement } from "./port.ts";

/** The account behind a session that has not ended, the device it speaks for, which is seen, to the hour, and the database's generation. */
export const accountOfSession = statement<
  [SessionId, UserId],
  Self & { readonly deviceId: DeviceId | null; readonly generation: Generation }
>(
  "account_of_session",
  `WITH seen AS (
     UPDATE devices d SET last_seen_at = now() FROM sessions s
     WHERE s.id = $1 AND s.user_id = $2 AND d.user_id = s.user_id AND d.device_id = s.device_id
       AND d.last_seen_at < now() - interval '1 hour'
   )
   SELECT u.id, u.username, u.display_name AS "displayName", u.email, u.totp_enabled_at IS NOT NULL AS "totpEnabled",
          u.operator, u.created_at AS "createdAt", s.device_id AS "deviceId", (SELECT generation FROM instance) AS generation
   FROM sessions s JOIN users u ON u.id = s.user_id
   WHERE s.id = $1 AND s.user_id = $2 AND s.expires_at > now()`,
);

/** The servers a person is in, in the order they joined. */
export const serversOfUser = statement<[UserId], { serverId: ServerId }>(
  "servers_of_user",
  `SELECT server_id AS "serverId" FROM server_members WHERE user_id = $1 ORDER BY joined_at, server_id`,
);
