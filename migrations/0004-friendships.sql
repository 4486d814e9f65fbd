-- Who knows whom. Two rows make a friendship; a pending one has the asker's row alone.

CREATE TABLE friendships (
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  friend_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  status text NOT NULL CHECK (status IN ('pending', 'accepted', 'blocked')),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, friend_id),
  CHECK (user_id <> friend_id)
);
CREATE INDEX friendships_friend ON friendships (friend_id);
