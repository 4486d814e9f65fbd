import type { User } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import type { FriendLists } from "@lescopains/protocol/rest";
import { LIMITS } from "@lescopains/protocol/limits";
import { type Database, statement } from "./port.ts";

/** A person's own row, `pending` unless there is one. Values: who asks, whom, most rows. */
export const ask = statement<[UserId, UserId, most: number], { waits: boolean; full: boolean }>(
  "friends.ask",
  `WITH mine AS (
     SELECT count(*) AS n FROM friendships WHERE user_id = $1 AND friend_id <> $2 AND status <> 'blocked'
   ), kept AS (
     INSERT INTO friendships (user_id, friend_id, status) SELECT $1, $2, 'pending' FROM mine WHERE n < $3
     ON CONFLICT DO NOTHING RETURNING user_id
   )
   SELECT EXISTS (SELECT FROM kept) AS waits, n >= $3 AS full FROM mine`,
);

/** The rows of two people ($1, $2), locked in one order, so that two changes cannot wait for each other in a circle. */
const BOTH = `SELECT user_id, friend_id, status FROM friendships
     WHERE ((user_id = $1 AND friend_id = $2) OR (user_id = $2 AND friend_id = $1)) AND status <> 'blocked'
     ORDER BY user_id FOR UPDATE`;

/** Two who have asked each other are friends. A statement of its own: of two who ask at once, the later one sees both rows. */
export const settle = statement<[UserId, UserId], { friends: boolean; made: boolean }>(
  "friends.settle",
  `WITH both_rows AS MATERIALIZED (${BOTH}), made AS (
     UPDATE friendships f SET status = 'accepted' FROM both_rows b
     WHERE (SELECT count(*) FROM both_rows) = 2 AND f.user_id = b.user_id AND f.friend_id = b.friend_id AND f.status = 'pending'
     RETURNING f.user_id
   )
   SELECT (SELECT count(*) FROM both_rows) = 2 AS friends, EXISTS (SELECT FROM made) AS made`,
);

/** Whether somebody asks a person for friendship. Values: the person, who asks. */
export const isAskedBy = statement<[UserId, UserId], { id: UserId }>(
  "friends.is_asked_by",
  `SELECT t.user_id AS id FROM friendships t WHERE t.user_id = $2 AND t.friend_id = $1 AND t.status IN ('pending', 'accepted')
   AND NOT EXISTS (SELECT FROM friendships m WHERE m.user_id = $1 AND m.friend_id = $2 AND m.status = 'blocked')`,
);

/** Ends a friendship, refuses a request or takes it back. A block stays. */
export const part = statement<[UserId, UserId], { id: UserId }>(
  "friends.part",
  `WITH both_rows AS MATERIALIZED (${BOTH})
   DELETE FROM friendships f USING both_rows b WHERE f.user_id = b.user_id AND f.friend_id = b.friend_id RETURNING f.user_id AS id`,
);

type FriendRow = User & { readonly list: keyof FriendLists };

/** Values: person, most requests of others. */
const around = statement<[UserId, number], FriendRow>(
  "friends.around",
  `SELECT u.id, u.username, u.display_name AS "displayName", one.list FROM (
     SELECT m.friend_id AS id, CASE m.status WHEN 'pending' THEN 'outgoing' ELSE 'friends' END AS list FROM friendships m
     WHERE m.user_id = $1 AND (m.status = 'pending' OR m.status = 'accepted' AND EXISTS (
       SELECT FROM friendships t WHERE t.user_id = m.friend_id AND t.friend_id = $1 AND t.status = 'accepted'))
     UNION ALL
     (SELECT t.user_id, 'incoming' FROM friendships t WHERE t.friend_id = $1 AND t.status = 'pending'
       AND NOT EXISTS (SELECT FROM friendships m WHERE m.user_id = $1 AND m.friend_id = t.user_id) LIMIT $2)
   ) AS one JOIN users u ON u.id = one.id ORDER BY u.id`,
);

/** A person's friends, who asks them, and whom they ask. Who has blocked the other is in none of them. */
export async function friendLists(db: Database, userId: UserId): Promise<FriendLists> {
  const lists: FriendLists = { friends: [], incoming: [], outgoing: [] };
  for (const { list, ...user } of await db.query(around, [userId, LIMITS.friendsPerUser])) lists[list].push(user);
  return lists;
}
