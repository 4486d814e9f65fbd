import type { User } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import { statement } from "./port.ts";

/**
 * A person blocks another, unless they have blocked too many. The other's row stays: while one of the two is `blocked` the other counts for
 * nothing (db/contacts.ts), and one row for each statement cannot wait for each other in a circle.
 */
export const block = statement<[by: UserId, UserId, most: number], { found: boolean; blocked: boolean }>(
  "blocks.put",
  `WITH other AS (
     SELECT id FROM users WHERE id = $2 AND id <> $1
   ), kept AS (
     INSERT INTO friendships AS f (user_id, friend_id, status)
     SELECT $1, id, 'blocked' FROM other
     WHERE (SELECT count(*) FROM friendships WHERE user_id = $1 AND friend_id <> $2 AND status = 'blocked') < $3
     ON CONFLICT (user_id, friend_id) DO UPDATE SET status = 'blocked', created_at = now() RETURNING user_id
   )
   SELECT EXISTS (SELECT FROM other) AS found, EXISTS (SELECT FROM kept) AS blocked`,
);

/** Takes a block back. What the two were before is over, on both sides, unless the other has blocked as well. */
export const unblock = statement<[by: UserId, UserId], { id: UserId }>(
  "blocks.delete",
  `WITH gone AS (
     DELETE FROM friendships WHERE user_id = $1 AND friend_id = $2 AND status = 'blocked' RETURNING friend_id
   ), over AS (
     DELETE FROM friendships f USING gone WHERE f.user_id = gone.friend_id AND f.friend_id = $1 AND f.status <> 'blocked'
   )
   SELECT friend_id AS id FROM gone`,
);

/** Whom a person has blocked, for `ready`. */
export const blockedIds = statement<[UserId], { id: UserId }>(
  "blocks.ids",
  `SELECT friend_id AS id FROM friendships WHERE user_id = $1 AND status = 'blocked' ORDER BY friend_id`,
);

/** Whom a person has blocked, with their names. */
export const blockedPeople = statement<[UserId], User>(
  "blocks.people",
  `SELECT u.id, u.username, u.display_name AS "displayName" FROM friendships f JOIN users u ON u.id = f.friend_id
   WHERE f.user_id = $1 AND f.status = 'blocked' ORDER BY u.id`,
);
