-- works with programs of schema 1

-- When the body and the deliveries of an old event were removed; NULL while they are there.
ALTER TABLE event ADD COLUMN removed_at bigint;
