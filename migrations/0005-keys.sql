-- The public keys of accounts and their devices, and what devices send to one another.

-- What an account has signed: its identity key is shared by its devices and never seen here, only its public half.
CREATE TABLE device_lists (
  user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
  identity_key bytea NOT NULL,
  -- Goes up by one with each change; a device exists exactly while it is on the list.
  version integer NOT NULL,
  devices jsonb NOT NULL,
  signature bytea NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Slim, because `queued` changes with each envelope. Its row lock orders those who write to the device's queue.
CREATE TABLE devices (
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  device_id smallint NOT NULL CHECK (device_id BETWEEN 1 AND 127),
  registration_id integer NOT NULL,
  name text NOT NULL,
  -- Envelopes that wait.
  queued integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, device_id)
) WITH (fillfactor = 50);

-- The keys of a device that are handed out again and again: the signed prekey and the last-resort Kyber key.
CREATE TABLE device_keys (
  user_id uuid NOT NULL,
  device_id smallint NOT NULL,
  signed_key_id integer NOT NULL,
  signed_key bytea NOT NULL,
  signed_key_signature bytea NOT NULL,
  kyber_key_id integer NOT NULL,
  kyber_key bytea NOT NULL,
  kyber_key_signature bytea NOT NULL,
  PRIMARY KEY (user_id, device_id),
  FOREIGN KEY (user_id, device_id) REFERENCES devices ON DELETE CASCADE
);

-- One-time keys. A used one stays, without its key, so that its id never comes back.
CREATE TABLE prekeys (
  user_id uuid NOT NULL,
  device_id smallint NOT NULL,
  kind text NOT NULL CHECK (kind IN ('ec', 'kyber')),
  key_id integer NOT NULL,
  public_key bytea NOT NULL,
  signature bytea,
  used boolean NOT NULL DEFAULT false,
  PRIMARY KEY (user_id, device_id, kind, key_id),
  FOREIGN KEY (user_id, device_id) REFERENCES devices ON DELETE CASCADE
);
CREATE INDEX prekeys_unused ON prekeys (user_id, device_id, kind, key_id) WHERE NOT used;

-- Opaque messages from device to device, until they are acknowledged. Ids rise in the order of commits for each device.
CREATE TABLE envelopes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id uuid NOT NULL,
  device_id smallint NOT NULL,
  from_user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  from_device_id smallint NOT NULL,
  type smallint NOT NULL,
  body bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (user_id, device_id) REFERENCES devices ON DELETE CASCADE
);
CREATE INDEX envelopes_queue ON envelopes (user_id, device_id, id);
CREATE INDEX envelopes_sender ON envelopes (from_user_id, user_id, device_id);

-- A sign-in speaks for at most one device, and a device is spoken for by at most one sign-in. Checked at the end of a statement, so that
-- one statement can move a device from one to another.
ALTER TABLE sessions ADD COLUMN device_id smallint;
ALTER TABLE sessions ADD CONSTRAINT sessions_device UNIQUE (user_id, device_id) DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE sessions ADD CONSTRAINT sessions_device_exists
  FOREIGN KEY (user_id, device_id) REFERENCES devices ON DELETE SET NULL (device_id);
