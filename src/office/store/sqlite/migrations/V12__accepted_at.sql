-- When the office accepted a record, ms, as its document says; absent where it has not. Rows of
-- former versions get it from their documents when the store is opened next: `meta.backfilled`
-- is the newest migration whose columns are filled in.
ALTER TABLE visits ADD COLUMN accepted_at INTEGER;
ALTER TABLE meta ADD COLUMN backfilled INTEGER NOT NULL DEFAULT 0;
