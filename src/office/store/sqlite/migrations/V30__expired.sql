-- Whether an accepted record has left every feed since its rows were written. The index has the
-- records that the daily walk looks at; those that expired before this migration leave it on the
-- first walk.
ALTER TABLE visits ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;
CREATE INDEX visits_expiring ON visits (accepted_at, record)
    WHERE accepted_at IS NOT NULL AND expired = 0;
