import type { UserId } from "@lescopains/protocol/ids";
import { type Database, statement } from "./port.ts";

/**
 * Those of some people whom a person may reach with keys, envelopes and new conversations: themself, and who shares a server, a friendship
 * or a direct conversation with them, unless one has blocked the other. Values: who asks, whom.
 */
const reachable = statement<[UserId, UserId[]], { id: UserId }>(
  "contacts.reachable",
  `SELECT t.id FROM unnest($2::uuid[]) AS t (id)
   WHERE EXISTS (SELECT FROM users u WHERE u.id = t.id)
     AND (t.id = $1
       OR NOT EXISTS (SELECT FROM friendships b WHERE b.user_id = $1 AND b.friend_id = t.id AND b.status = 'blocked')
         AND NOT EXISTS (SELECT FROM friendships b WHERE b.user_id = t.id AND b.friend_id = $1 AND b.status = 'blocked')
         AND (EXISTS (SELECT FROM friendships f WHERE f.user_id = $1 AND f.friend_id = t.id AND f.status = 'accepted')
           OR EXISTS (
             SELECT FROM server_members mine JOIN server_members theirs ON theirs.server_id = mine.server_id AND theirs.user_id = t.id
             WHERE mine.user_id = $1)
           OR EXISTS (
             SELECT FROM dm_participants mine JOIN dm_participants theirs ON theirs.channel_id = mine.channel_id AND theirs.user_id = t.id
             WHERE mine.user_id = $1)))`,
);

/** Whether a person may reach all of some people. */
export async function mayReach(db: Database, userId: UserId, others: readonly UserId[]): Promise<boolean> {
  const distinct = [...new Set(others)];
  return (await db.query(reachable, [userId, distinct])).length === distinct.length;
}

/** Who shares a direct conversation with a person. */
export const conversationPartners = statement<[UserId], { id: UserId }>(
  "contacts.partners",
  `SELECT DISTINCT theirs.user_id AS id FROM dm_participants mine JOIN dm_participants theirs ON theirs.channel_id = mine.channel_id
   WHERE mine.user_id = $1 AND theirs.user_id <> $1`,
);
