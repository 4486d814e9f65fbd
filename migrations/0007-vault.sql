-- What lets a person come back with an empty browser. Nothing in these tables is readable here.

-- Replacing a vault makes a row with another id, so that no write that was meant for the old one reaches the new one.
CREATE TABLE vaults (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL UNIQUE REFERENCES users ON DELETE CASCADE,
  -- SHA-256 of the token that opens it.
  token_hash bytea NOT NULL,
  kdf jsonb,
  sealed_root bytea NOT NULL,
  -- How many records it has, and their bytes. The row's lock orders those who write.
  records integer NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE vault_records (
  vault_id uuid NOT NULL REFERENCES vaults ON DELETE CASCADE,
  -- Pages go by name, bytewise whatever the database's language.
  name text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (vault_id, name)
);
-- Ciphertext does not get shorter.
ALTER TABLE vault_records ALTER COLUMN sealed SET STORAGE EXTERNAL;

-- A new browser's request for the account's identity, for ten minutes.
CREATE TABLE handoffs (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  -- The new browser's. Nobody else takes what comes.
  session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
  public_key bytea NOT NULL,
  sealed bytea,
  expires_at timestamptz NOT NULL
);
CREATE INDEX handoffs_user ON handoffs (user_id, expires_at);
CREATE INDEX handoffs_session ON handoffs (session_id);
CREATE INDEX handoffs_expiry ON handoffs (expires_at);
