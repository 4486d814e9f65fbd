-- Which run of this database's time one is in: another one after a restore, so that clients know that what they saw may be unknown here.

ALTER TABLE instance ADD COLUMN generation uuid NOT NULL DEFAULT gen_random_uuid();
