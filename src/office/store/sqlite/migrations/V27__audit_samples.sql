-- Records that the office's draw has chosen for an audit: the seal that is to be audited, and the outcome.
-- Another seal of the record is audited anew. Times are ms; `sealed_at` by the device's clock.
CREATE TABLE audit_samples (
    record    BLOB PRIMARY KEY REFERENCES records (id),
    sealed_at INTEGER NOT NULL,
    drawn_at  INTEGER NOT NULL,
    outcome   TEXT,
    by_user   TEXT NOT NULL,
    at        INTEGER,
    note      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_samples_by_outcome ON audit_samples (outcome, record);

-- The deadline of a complaint before it was first extended.
ALTER TABLE complaints ADD COLUMN extended_from INTEGER;
