-- Support bundles that the office asked phones for: the last request of each device. Times are ms by
-- the office's clock. A former bundle stays until the next one arrives.
CREATE TABLE support_requests (
    device       BLOB PRIMARY KEY REFERENCES devices (id),
    id           BLOB NOT NULL CHECK (length(id) = 16),
    requested_by TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    answered_at  INTEGER,
    declined     INTEGER NOT NULL,
    bundle_at    INTEGER,
    bundle       TEXT
) STRICT;
