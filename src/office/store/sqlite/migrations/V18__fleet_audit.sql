-- What a device last said about itself. It may lie: nothing is decided by it. Times are ms by the
-- office's clock; `cursor` is the newest entry of its user's feed that it had.
CREATE TABLE device_reports (
    device           BLOB PRIMARY KEY REFERENCES devices (id),
    received_at      INTEGER NOT NULL,
    unsent           INTEGER NOT NULL,
    oldest_unsent_at INTEGER,
    persisted        INTEGER,
    clock_skew_ms    INTEGER,
    failed           TEXT NOT NULL,
    cursor           INTEGER
) STRICT;

-- What users of the console changed. Each entry has the hash of the one before; none is ever
-- changed or deleted.
CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    user     TEXT NOT NULL,
    role     TEXT NOT NULL,
    session  BLOB NOT NULL CHECK (length(session) = 16),
    action   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    detail   TEXT NOT NULL,
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    hash     BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX audit_by_user ON audit (user, seq);
CREATE INDEX audit_by_action ON audit (action, seq);
CREATE INDEX audit_by_subject ON audit (subject, seq);
CREATE INDEX audit_by_time ON audit (at, seq);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
