-- Who is in voice channels and calls, and who was there lately. The open rows are the roster; nothing of what is said is anywhere.

-- Grows by one with each person who comes or goes: clients order keys by it.
ALTER TABLE channels ADD COLUMN voice_epoch bigint NOT NULL DEFAULT 0;

-- A moderator's word outlives a stay in a channel.
ALTER TABLE server_members
  ADD COLUMN voice_muted boolean NOT NULL DEFAULT false,
  ADD COLUMN voice_deafened boolean NOT NULL DEFAULT false;

CREATE TABLE voice_sessions (
  id uuid PRIMARY KEY,
  channel_id uuid NOT NULL REFERENCES channels ON DELETE CASCADE,
  -- Of the channel; null in a direct conversation.
  server_id uuid REFERENCES servers ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  -- The sign-in that holds the place, and its device. Both may be gone while the row stays.
  session_id uuid NOT NULL,
  device_id smallint,
  joined_at timestamptz NOT NULL DEFAULT now(),
  -- The SFU node of the room, and since when this person's media is there.
  node text,
  connected_at timestamptz,
  -- When the place is given up unless media comes; null while it is there.
  due_at timestamptz,
  muted boolean NOT NULL DEFAULT false,
  deafened boolean NOT NULL DEFAULT false,
  camera boolean NOT NULL DEFAULT false,
  screen boolean NOT NULL DEFAULT false,
  -- Whom this person calls, in a direct conversation.
  call_id uuid,
  ringing uuid[],
  ringing_until timestamptz,
  left_at timestamptz,
  reason text
);
-- One place for a person.
CREATE UNIQUE INDEX voice_sessions_place ON voice_sessions (user_id) WHERE left_at IS NULL;
CREATE INDEX voice_sessions_channel ON voice_sessions (channel_id);
CREATE INDEX voice_sessions_server ON voice_sessions (server_id);
CREATE INDEX voice_sessions_user ON voice_sessions (user_id);
CREATE INDEX voice_sessions_node ON voice_sessions (node) WHERE left_at IS NULL;
-- Those who are there are found among those who were.
CREATE INDEX voice_sessions_open_server ON voice_sessions (server_id) WHERE left_at IS NULL;
CREATE INDEX voice_sessions_open_channel ON voice_sessions (channel_id) WHERE left_at IS NULL;
CREATE INDEX voice_sessions_left ON voice_sessions (left_at) WHERE left_at IS NOT NULL;
