-- Accounts and where they are signed in.

CREATE TABLE users (
  id uuid PRIMARY KEY,
  username text NOT NULL,
  -- Names are unique whatever their case; the case typed is kept for display.
  username_key text GENERATED ALWAYS AS (lower(username)) STORED UNIQUE,
  display_name text NOT NULL,
  email text,
  password_hash text NOT NULL,
  -- Encrypted with the instance's TOTP key (AES-256-GCM): a dump of this table gives no second factor away.
  totp_secret bytea,
  totp_enabled_at timestamptz,
  -- The last time step that was accepted, so that a code works once (RFC 6238 §5.2).
  totp_last_step bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE recovery_codes (
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  code_hash bytea NOT NULL,
  PRIMARY KEY (user_id, code_hash)
);

-- A sign-in and all the refresh tokens it will ever have: `generation` names the one that is valid now.
CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  name text NOT NULL,
  generation integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, created_at);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Token buckets of sign-in and registration. Unlogged: after a crash everyone starts with a full bucket.
CREATE UNLOGGED TABLE rate_limits (
  key text PRIMARY KEY,
  tokens double precision NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX rate_limits_age ON rate_limits (updated_at);
