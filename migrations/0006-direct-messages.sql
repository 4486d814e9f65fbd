-- Direct conversations: a channel without a server, whose people are its access list. Nothing in them is readable here.

CREATE TABLE dm_channels (
  channel_id uuid PRIMARY KEY REFERENCES channels ON DELETE CASCADE,
  -- Who made it, and may remove people from a group.
  owner_id uuid REFERENCES users ON DELETE SET NULL,
  -- The two of a `dm`, the smaller id first, so that there is one for them. Null in a group.
  low_user uuid REFERENCES users ON DELETE SET NULL,
  high_user uuid REFERENCES users ON DELETE SET NULL,
  UNIQUE (low_user, high_user)
);
CREATE INDEX dm_channels_owner ON dm_channels (owner_id);
CREATE INDEX dm_channels_high ON dm_channels (high_user);

CREATE TABLE dm_participants (
  channel_id uuid NOT NULL REFERENCES dm_channels ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  -- What happened up to here was before this person came, and is not theirs to see.
  joined_seq bigint NOT NULL DEFAULT 0,
  joined_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (channel_id, user_id)
);
CREATE INDEX dm_participants_user ON dm_participants (user_id);

-- The device that sent a direct message.
ALTER TABLE messages ADD COLUMN sender_device_id smallint;

-- What waits for one device: its ciphertext, or null when the message's content is one ciphertext for all. Gone once the device has it.
CREATE TABLE dm_messages (
  -- Of the conversation, not of the message: a message's row is never deleted alone.
  channel_id uuid NOT NULL REFERENCES dm_channels ON DELETE CASCADE,
  seq bigint NOT NULL,
  user_id uuid NOT NULL,
  device_id smallint NOT NULL,
  sender_id uuid REFERENCES users ON DELETE SET NULL,
  type smallint NOT NULL,
  ciphertext bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (channel_id, seq, user_id, device_id),
  FOREIGN KEY (user_id, device_id) REFERENCES devices ON DELETE CASCADE
);
CREATE INDEX dm_messages_device ON dm_messages (user_id, device_id, channel_id, seq);
CREATE INDEX dm_messages_sender ON dm_messages (sender_id);
CREATE INDEX dm_messages_age ON dm_messages (created_at);
