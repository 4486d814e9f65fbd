-- Who runs the instance, who may make an account, and what operators did. Nothing here, nor in what operators may ask, is anybody's words.

ALTER TABLE users
  ADD COLUMN operator boolean NOT NULL DEFAULT false,
  -- Nobody signs in to a disabled account; it has no sessions.
  ADD COLUMN disabled_at timestamptz,
  ADD CONSTRAINT users_operator_enabled CHECK (NOT (operator AND disabled_at IS NOT NULL));
CREATE INDEX users_operators ON users (id) WHERE operator;

-- One row: what operators set while it runs.
CREATE TABLE instance (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  name text NOT NULL DEFAULT 'LesCopains',
  -- Null: as the environment's REGISTRATION says.
  registration text CHECK (registration IN ('open', 'invite', 'closed')),
  -- With `invite`: whether an invite to a server lets somebody make an account, too.
  server_invites boolean NOT NULL DEFAULT false,
  -- SHA-256 of the secret in the link that makes the first operator; null when there is none.
  claim_hash bytea
);
INSERT INTO instance DEFAULT VALUES;

-- Links that let somebody make an account.
CREATE TABLE instance_invites (
  code text PRIMARY KEY,
  created_by uuid REFERENCES users ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  max_uses integer,
  uses integer NOT NULL DEFAULT 0
);
CREATE INDEX instance_invites_creator ON instance_invites (created_by);

-- What operators did. Names as they were: accounts may be gone.
CREATE TABLE operator_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  operator_id uuid NOT NULL,
  operator_name text NOT NULL,
  action text NOT NULL,
  -- An account's id, an invite's code, a node's name.
  subject text,
  subject_name text,
  details jsonb
);

-- An instance that had an operator keeps one. Withdrawals at the same time take turns at the row of `instance`, and each sees the one before:
-- a statement of its own in a function has a snapshot of its own.
CREATE FUNCTION keep_an_operator() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM instance FOR UPDATE;
  IF NOT EXISTS (SELECT FROM users WHERE operator AND id <> OLD.id) THEN
    RAISE EXCEPTION 'the last operator stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'users_last_operator';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER users_last_operator_withdrawn BEFORE UPDATE OF operator ON users
  FOR EACH ROW WHEN (OLD.operator AND NOT NEW.operator) EXECUTE FUNCTION keep_an_operator();
CREATE TRIGGER users_last_operator_deleted BEFORE DELETE ON users
  FOR EACH ROW WHEN (OLD.operator) EXECUTE FUNCTION keep_an_operator();
