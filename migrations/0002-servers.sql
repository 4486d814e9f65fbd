-- Servers, who is in them, what they may do, and the channels.

CREATE TABLE servers (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  icon_url text,
  owner_id uuid NOT NULL REFERENCES users,
  encrypted boolean NOT NULL DEFAULT false,
  -- Goes up with each change of members, roles, channels or overwrites; actors compare what they cache with it.
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX servers_owner ON servers (owner_id);

CREATE TABLE server_members (
  server_id uuid NOT NULL REFERENCES servers ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  -- Ids of roles beside the default one, which everyone has.
  roles uuid[] NOT NULL DEFAULT '{}',
  joined_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (server_id, user_id)
);
CREATE INDEX server_members_user ON server_members (user_id);

CREATE TABLE roles (
  id uuid PRIMARY KEY,
  server_id uuid NOT NULL REFERENCES servers ON DELETE CASCADE,
  name text NOT NULL,
  permissions bigint NOT NULL DEFAULT 0,
  color integer,
  position integer NOT NULL,
  is_default boolean NOT NULL DEFAULT false
);
CREATE INDEX roles_server ON roles (server_id, position);
CREATE UNIQUE INDEX roles_default ON roles (server_id) WHERE is_default;

CREATE TABLE channels (
  id uuid PRIMARY KEY,
  -- Null for direct messages.
  server_id uuid REFERENCES servers ON DELETE CASCADE,
  name text NOT NULL,
  type text NOT NULL CHECK (type IN ('text', 'voice', 'dm', 'group_dm')),
  topic text,
  position integer NOT NULL DEFAULT 0,
  parent_id uuid REFERENCES channels ON DELETE SET NULL,
  encrypted boolean NOT NULL DEFAULT false,
  -- The last event of the channel. Its row lock orders writers; the next event is last_seq + 1.
  last_seq bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50); -- room for the many HOT updates of last_seq
CREATE INDEX channels_server ON channels (server_id, position);
CREATE INDEX channels_parent ON channels (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE channel_overwrites (
  channel_id uuid NOT NULL REFERENCES channels ON DELETE CASCADE,
  -- A role or a user, as target_type says.
  target_id uuid NOT NULL,
  target_type text NOT NULL CHECK (target_type IN ('role', 'member')),
  allow bigint NOT NULL DEFAULT 0,
  deny bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (channel_id, target_id)
);
CREATE INDEX channel_overwrites_target ON channel_overwrites (target_id);

CREATE TABLE invites (
  code text PRIMARY KEY,
  server_id uuid NOT NULL REFERENCES servers ON DELETE CASCADE,
  created_by uuid REFERENCES users ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  max_uses integer,
  uses integer NOT NULL DEFAULT 0
);
CREATE INDEX invites_server ON invites (server_id, created_at);
CREATE INDEX invites_creator ON invites (created_by);

CREATE TABLE bans (
  server_id uuid NOT NULL REFERENCES servers ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  reason text,
  created_by uuid REFERENCES users ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (server_id, user_id)
);
CREATE INDEX bans_server ON bans (server_id, created_at, user_id);
CREATE INDEX bans_user ON bans (user_id);
CREATE INDEX bans_creator ON bans (created_by);
