-- Reactions are events of their channel, and nothing new to read.

ALTER TABLE messages
  -- The last event that changed the reactions: when it is the last one of all, there is no text to tell again.
  ADD COLUMN reacted_seq bigint;

ALTER TABLE channels
  -- The event that made the newest message. What is read up to here is read, whatever else happened since.
  ADD COLUMN message_seq bigint NOT NULL DEFAULT 0;

UPDATE channels c SET message_seq = m.seq
FROM (SELECT channel_id, max(seq) AS seq FROM messages GROUP BY channel_id) AS m WHERE m.channel_id = c.id;
