-- What is said, and how far each person has read.

CREATE TABLE messages (
  id uuid PRIMARY KEY,
  channel_id uuid NOT NULL REFERENCES channels ON DELETE CASCADE,
  -- The event that made the message, and the last event that changed it. Time order and seq order are the same,
  -- so the two indexes on seq also serve every question by channel and time.
  seq bigint NOT NULL,
  changed_seq bigint NOT NULL,
  -- Null when the account is gone; what it said stays.
  author_id uuid REFERENCES users ON DELETE SET NULL,
  nonce text NOT NULL,
  content text NOT NULL,
  content_type text NOT NULL DEFAULT 'text' CHECK (content_type IN ('text', 'image', 'file')),
  metadata jsonb,
  encrypted boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  edited_at timestamptz,
  deleted_at timestamptz,
  parent_message_id uuid,
  reply_to_id uuid,
  pinned boolean NOT NULL DEFAULT false
);
-- History pages.
CREATE UNIQUE INDEX messages_seq ON messages (channel_id, seq);
-- What `sync` missed: new, edited and deleted alike.
CREATE UNIQUE INDEX messages_changed ON messages (channel_id, changed_seq);
-- Once stored, never twice. Author first, so that removing an account finds its messages.
CREATE UNIQUE INDEX messages_nonce ON messages (author_id, channel_id, nonce);
CREATE INDEX messages_parent ON messages (parent_message_id, seq) WHERE parent_message_id IS NOT NULL;
CREATE INDEX messages_pinned ON messages (channel_id, seq) WHERE pinned;

CREATE TABLE reactions (
  message_id uuid NOT NULL REFERENCES messages ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  emoji text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (message_id, emoji, user_id)
);
CREATE INDEX reactions_user ON reactions (user_id);

CREATE TABLE read_marks (
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  channel_id uuid NOT NULL REFERENCES channels ON DELETE CASCADE,
  seq bigint NOT NULL,
  PRIMARY KEY (user_id, channel_id)
);
CREATE INDEX read_marks_channel ON read_marks (channel_id);
