-- Links by which somebody who forgot their password sets a new one: made by who runs the instance, good once. An account has one at most.

ALTER TABLE users
  -- SHA-256 of the secret in the link; null when there is none (any more).
  ADD COLUMN password_link_hash bytea,
  -- When the last link was made, and when it was used: its owner is told both, for as long as there is no later one.
  ADD COLUMN password_link_made_at timestamptz,
  ADD COLUMN password_link_used_at timestamptz;
CREATE UNIQUE INDEX users_password_link ON users (password_link_hash) WHERE password_link_hash IS NOT NULL;
