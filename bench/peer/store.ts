/** The peer's prepared statements, on the same schema as the edge's. */

interface Prepared {
  readonly name: string;
  readonly text: string;
}

export const alive: Prepared = { name: "alive", text: "SELECT 1" };

export const accountOfSession: Prepared = {
  name: "account_of_session",
  text: `SELECT u.id, u.username, u.display_name AS "displayName" FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.id = $1 AND s.user_id = $2 AND s.expires_at > now()`,
};

export const visibleChannels: Prepared = {
  name: "visible_channels",
  text: `SELECT c.id FROM server_members m JOIN channels c ON c.server_id = m.server_id WHERE m.user_id = $1`,
};

export const credentialsByName: Prepared = {
  name: "credentials_by_name",
  text: `SELECT id, username, password_hash AS "passwordHash" FROM users WHERE username_key = lower($1)`,
};

export const openSession: Prepared = {
  name: "open_session",
  text: `INSERT INTO sessions (id, user_id, name, expires_at) VALUES ($1, $2, 'bench', now() + interval '7 days')`,
};

const MESSAGE = `id, channel_id AS "channelId", seq, changed_seq AS "changedSeq", author_id AS "authorId", content,
  content_type AS "contentType", encrypted, metadata, nonce, reply_to_id AS "replyTo", parent_message_id AS "threadId",
  created_at AS "createdAt", edited_at AS "editedAt", deleted_at IS NOT NULL AS deleted`;

/** Stores one message under the channel's next number; a nonce that is stored already is answered with its first result. */
export const insertMessage: Prepared = {
  name: "insert_message",
  text: `WITH known AS (
      SELECT * FROM messages WHERE author_id = $3 AND channel_id = $2 AND nonce = $4
    ), place AS (
      UPDATE channels SET last_seq = last_seq + 1 WHERE id = $2 AND NOT EXISTS (SELECT FROM known) RETURNING last_seq
    ), stored AS (
      INSERT INTO messages (id, channel_id, seq, changed_seq, author_id, nonce, content, content_type, metadata, encrypted,
                            reply_to_id, parent_message_id)
      SELECT $1, $2, last_seq, last_seq, $3, $4, $5, $6, $7, $8, $9, $10 FROM place
      RETURNING *
    )
    SELECT ${MESSAGE}, false AS known FROM stored UNION ALL SELECT ${MESSAGE}, true FROM known`,
};
