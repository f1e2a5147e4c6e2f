-- Support bundles that the office asked phones for: the last request of each device. Times are ms by
-- the office's clock. A former bundle stays until the next one arrives.
CREATE TABLE support_requests (
    device       BYTEA PRIMARY KEY REFERENCES devices (id),
    id           BYTEA NOT NULL CHECK (length(id) = 16),
    requested_by TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    answered_at  BIGINT,
    declined     BOOLEAN NOT NULL,
    bundle_at    BIGINT,
    bundle       TEXT
);
