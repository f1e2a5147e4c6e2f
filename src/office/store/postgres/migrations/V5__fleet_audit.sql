-- What a device last said about itself. It may lie: nothing is decided by it. Times are ms by the
-- office's clock; `cursor` is the newest entry of its user's feed that it had.
CREATE TABLE device_reports (
    device           BYTEA PRIMARY KEY REFERENCES devices (id),
    received_at      BIGINT NOT NULL,
    unsent           BIGINT NOT NULL,
    oldest_unsent_at BIGINT,
    persisted        BOOLEAN,
    clock_skew_ms    BIGINT,
    failed           TEXT NOT NULL,
    cursor           BIGINT
);

-- What users of the console changed. Each entry has the hash of the one before; none is ever
-- changed or deleted.
CREATE TABLE audit (
    seq       BIGINT PRIMARY KEY,
    at        BIGINT NOT NULL,
    user_name TEXT NOT NULL,
    role      TEXT NOT NULL,
    session   BYTEA NOT NULL CHECK (length(session) = 16),
    action    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    detail    TEXT NOT NULL,
    previous  BYTEA NOT NULL CHECK (length(previous) = 32),
    hash      BYTEA NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX audit_by_user ON audit (user_name, seq);
CREATE INDEX audit_by_action ON audit (action, seq);
CREATE INDEX audit_by_subject ON audit (subject, seq);
CREATE INDEX audit_by_time ON audit (at, seq);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
