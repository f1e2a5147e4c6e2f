-- The tables of an office. Record tables have the record first in their keys, feed tables the feed, so
-- that both can be distributed by it; the others are small or belong to one user.
--
-- Texts that are compared or sorted use the collation "C", the order of their bytes, whatever the
-- database's own is.

CREATE TABLE meta (
    one             BIGINT PRIMARY KEY CHECK (one = 1),
    format          BIGINT NOT NULL,
    epoch           BYTEA NOT NULL CHECK (length(epoch) = 16),
    office_device   BYTEA NOT NULL CHECK (length(office_device) = 16),
    office_session  BIGINT NOT NULL,
    attestation_key BYTEA NOT NULL CHECK (length(attestation_key) = 32)
);

-- A row to write, to check that the database takes writes.
CREATE TABLE health (one BIGINT PRIMARY KEY CHECK (one = 1));

CREATE TABLE users (
    name          TEXT COLLATE "C" PRIMARY KEY,
    display_name  TEXT NOT NULL,
    role          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    disabled_at   BIGINT,
    created_at    BIGINT NOT NULL,
    subject       TEXT COLLATE "C" UNIQUE
);

CREATE TABLE devices (
    id             BYTEA PRIMARY KEY CHECK (length(id) = 16),
    user_name      TEXT COLLATE "C" NOT NULL REFERENCES users (name),
    created_at     BIGINT NOT NULL,
    last_seen_at   BIGINT NOT NULL,
    revoked_at     BIGINT,
    revoked_by     TEXT NOT NULL,
    revoked_reason TEXT NOT NULL,
    app_version    TEXT NOT NULL
);
CREATE INDEX devices_by_user_and_time ON devices (user_name, created_at);

-- Ed25519 keys that devices sign seals with. A device that lost its store enrols another.
CREATE TABLE device_keys (
    device      BYTEA NOT NULL REFERENCES devices (id),
    key         BYTEA NOT NULL CHECK (length(key) = 32),
    enrolled_at BIGINT NOT NULL,
    PRIMARY KEY (device, key)
);

-- The sign-in of a device, by the hashes of its tokens.
CREATE TABLE sessions (
    device     BYTEA PRIMARY KEY REFERENCES devices (id),
    user_name  TEXT COLLATE "C" NOT NULL REFERENCES users (name),
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    token      BYTEA NOT NULL UNIQUE,
    renewed_at BIGINT NOT NULL,
    next_token BYTEA UNIQUE,
    last_token BYTEA UNIQUE,
    ended      BOOLEAN NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_name);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE records (
    id         BYTEA PRIMARY KEY CHECK (length(id) = 16),
    case_no    TEXT COLLATE "C" NOT NULL,
    heads      BYTEA NOT NULL,
    max_op     BIGINT NOT NULL,
    changes    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   BYTEA NOT NULL
);
CREATE INDEX records_by_case ON records (case_no, id);
-- Documents and changes are compressed where it helps before they get here.
ALTER TABLE records ALTER COLUMN document SET STORAGE EXTERNAL;

-- Every change as it was received, in the order of acceptance.
CREATE TABLE changes (
    record      BYTEA NOT NULL REFERENCES records (id),
    ordinal     BIGINT NOT NULL,
    hash        BYTEA NOT NULL CHECK (length(hash) = 32),
    actor       BYTEA NOT NULL,
    seq         BIGINT NOT NULL,
    max_op      BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    device      BYTEA NOT NULL,
    user_name   TEXT COLLATE "C" NOT NULL,
    bytes       BYTEA NOT NULL,
    PRIMARY KEY (record, ordinal),
    UNIQUE (record, actor, seq)
);

CREATE TABLE receipts (
    record      BYTEA NOT NULL REFERENCES records (id),
    n           BIGINT NOT NULL,
    hashes      BYTEA NOT NULL,
    device      BYTEA NOT NULL,
    user_name   TEXT COLLATE "C" NOT NULL,
    received_at BIGINT NOT NULL,
    previous    BYTEA NOT NULL CHECK (length(previous) = 32),
    hash        BYTEA NOT NULL CHECK (length(hash) = 32),
    quarantine  BIGINT,
    PRIMARY KEY (record, n)
);

-- Heads of feeds: the newest entry, and the digest of the members.
CREATE TABLE feeds (
    feed  TEXT COLLATE "C" PRIMARY KEY,
    seq   BIGINT NOT NULL,
    count BIGINT NOT NULL,
    sum   BYTEA NOT NULL CHECK (length(sum) = 32)
) WITH (fillfactor = 70);

-- An append-only log; only the newest entry of a record in a feed has `latest`. No reference to
-- `records`: feeds may be stored elsewhere.
CREATE TABLE feed_entries (
    feed    TEXT COLLATE "C" NOT NULL,
    seq     BIGINT NOT NULL,
    record  BYTEA NOT NULL,
    kind    BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    latest  BOOLEAN NOT NULL,
    PRIMARY KEY (feed, seq)
);
CREATE UNIQUE INDEX feed_entries_by_record ON feed_entries (feed, record, seq);
CREATE INDEX feed_entries_latest ON feed_entries (feed, seq) WHERE latest;

-- Plain rows for lists, charts and reports, kept by the merge (rule M7).
CREATE TABLE visits (
    record             BYTEA PRIMARY KEY REFERENCES records (id),
    case_no            TEXT COLLATE "C" NOT NULL,
    borrower_name      TEXT NOT NULL,
    address            TEXT NOT NULL,
    product            TEXT NOT NULL,
    overdue            BIGINT NOT NULL,
    currency           TEXT NOT NULL,
    days_past_due      BIGINT NOT NULL,
    stage              TEXT NOT NULL,
    starts_at          BIGINT,
    ends_at            BIGINT,
    appointment_status TEXT,
    due_by             TEXT COLLATE "C" NOT NULL,
    priority           BIGINT NOT NULL,
    disposition        TEXT,
    review_status      TEXT NOT NULL,
    conflicts          BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL,
    accepted_at        BIGINT,
    -- No date sorts after every date.
    due_key            TEXT COLLATE "C" NOT NULL GENERATED ALWAYS AS
                       (CASE due_by WHEN '' THEN '9999-99-99' ELSE due_by END) STORED
);
CREATE INDEX visits_by_updated ON visits (updated_at, record);
CREATE INDEX visits_by_due ON visits (due_key, record);
CREATE INDEX visits_by_case ON visits (case_no, record);
CREATE INDEX visits_by_overdue ON visits (overdue, record);

CREATE TABLE visit_collectors (
    record    BYTEA NOT NULL REFERENCES records (id),
    collector TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (record, collector)
);
CREATE INDEX visits_by_collector ON visit_collectors (collector, record);

CREATE TABLE visit_holds (
    record BYTEA NOT NULL REFERENCES records (id),
    flag   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (record, flag)
);

CREATE TABLE contacts (
    record      BYTEA NOT NULL REFERENCES records (id),
    id          TEXT COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL,
    zone        TEXT NOT NULL,
    channel     TEXT NOT NULL,
    number_ref  TEXT NOT NULL,
    target_role TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    note        TEXT NOT NULL,
    by_user     TEXT NOT NULL,
    PRIMARY KEY (record, id)
);

CREATE TABLE payments (
    record    BYTEA NOT NULL REFERENCES records (id),
    id        TEXT COLLATE "C" NOT NULL,
    amount    BIGINT NOT NULL,
    currency  TEXT NOT NULL,
    at        BIGINT NOT NULL,
    channel   TEXT NOT NULL,
    reference TEXT NOT NULL,
    receipt   TEXT NOT NULL,
    by_user   TEXT NOT NULL,
    PRIMARY KEY (record, id)
);

-- One row per concurrent value of a field; `n` 0 is the one that is displayed.
CREATE TABLE conflicts (
    record   BYTEA NOT NULL REFERENCES records (id),
    path     TEXT COLLATE "C" NOT NULL,
    n        BIGINT NOT NULL,
    value_id TEXT NOT NULL,
    value    TEXT NOT NULL,
    by_user  TEXT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (record, path, n)
);

-- Attachments that records name; the bytes are in the blob store.
CREATE TABLE visit_attachments (
    record     BYTEA NOT NULL REFERENCES records (id),
    sha256     BYTEA NOT NULL CHECK (length(sha256) = 32),
    media_type TEXT NOT NULL,
    size       BIGINT NOT NULL,
    added_by   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (record, sha256)
);
CREATE INDEX visit_attachments_by_blob ON visit_attachments (sha256, record);

-- The state of a record that the conduct rules were evaluated for, and with which layers.
CREATE TABLE conduct_evaluated (
    record BYTEA PRIMARY KEY REFERENCES records (id),
    heads  BYTEA NOT NULL,
    policy BYTEA NOT NULL
);

-- Answers that did not pass.
CREATE TABLE conduct (
    record   BYTEA NOT NULL REFERENCES records (id),
    rule     TEXT COLLATE "C" NOT NULL,
    moment   TEXT NOT NULL,
    layer    TEXT NOT NULL,
    answer   TEXT COLLATE "C" NOT NULL,
    severity TEXT NOT NULL,
    status   TEXT NOT NULL,
    shadow   BOOLEAN NOT NULL,
    grade    TEXT,
    reason   TEXT NOT NULL,
    policy   TEXT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (record, rule)
);
CREATE INDEX conduct_by_answer ON conduct (answer, rule, record);

-- Pieces of uploads; deleted as soon as the whole is in the blob store.
CREATE TABLE blob_chunks (
    sha256      BYTEA NOT NULL CHECK (length(sha256) = 32),
    device      BYTEA NOT NULL REFERENCES devices (id),
    first       BIGINT NOT NULL,
    size        BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    bytes       BYTEA NOT NULL,
    PRIMARY KEY (sha256, device, first)
);
ALTER TABLE blob_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE INDEX blob_chunks_sizes ON blob_chunks (device, size);

-- Complete blobs. `named`: a record refers to it; the others count towards their user's share.
CREATE TABLE blobs (
    sha256      BYTEA PRIMARY KEY CHECK (length(sha256) = 32),
    size        BIGINT NOT NULL,
    device      BYTEA NOT NULL,
    user_name   TEXT COLLATE "C" NOT NULL,
    received_at BIGINT NOT NULL,
    named       BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX blobs_unnamed ON blobs (user_name, size) WHERE NOT named;

-- Users who have uploaded the bytes of a blob: knowing a name alone grants nothing.
CREATE TABLE blob_uploaders (
    sha256    BYTEA NOT NULL CHECK (length(sha256) = 32),
    user_name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (sha256, user_name)
);

-- Progress of the scrub; NULL between two passes.
CREATE TABLE blob_scrub (
    one   BIGINT PRIMARY KEY CHECK (one = 1),
    after BYTEA CHECK (length(after) = 32)
);

CREATE FUNCTION blobs_named_when_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.named := EXISTS (SELECT 1 FROM visit_attachments a WHERE a.sha256 = NEW.sha256);
    RETURN NEW;
END $$;
CREATE TRIGGER blobs_named_when_added BEFORE INSERT ON blobs
    FOR EACH ROW EXECUTE FUNCTION blobs_named_when_added();

CREATE FUNCTION blobs_named_by_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE blobs SET named = true WHERE sha256 = NEW.sha256 AND NOT named;
    RETURN NULL;
END $$;
CREATE TRIGGER blobs_named_by_record AFTER INSERT ON visit_attachments
    FOR EACH ROW EXECUTE FUNCTION blobs_named_by_record();

CREATE FUNCTION blobs_named_no_more() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE blobs SET named = false WHERE sha256 = OLD.sha256
        AND NOT EXISTS (SELECT 1 FROM visit_attachments a WHERE a.sha256 = OLD.sha256);
    RETURN NULL;
END $$;
CREATE TRIGGER blobs_named_no_more AFTER DELETE ON visit_attachments
    FOR EACH ROW EXECUTE FUNCTION blobs_named_no_more();

-- Exports after which the bytes of refused work were deleted here.
CREATE TABLE quarantine_exports (
    id      BIGINT PRIMARY KEY,
    at      BIGINT NOT NULL,
    by_user TEXT NOT NULL,
    pieces  BIGINT NOT NULL,
    bytes   BIGINT NOT NULL,
    sha256  BYTEA NOT NULL CHECK (length(sha256) = 32)
);

-- Refused work. The fingerprint makes a repeated push one row.
CREATE TABLE quarantine (
    id          BIGINT PRIMARY KEY,
    fingerprint BYTEA NOT NULL UNIQUE,
    record      BYTEA NOT NULL,
    device      BYTEA NOT NULL,
    user_name   TEXT COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL,
    code        TEXT NOT NULL,
    path        TEXT NOT NULL,
    message     TEXT NOT NULL,
    units       TEXT NOT NULL,
    size        BIGINT NOT NULL,
    state       TEXT NOT NULL DEFAULT 'open',
    exported    BIGINT REFERENCES quarantine_exports (id),
    changes     BYTEA NOT NULL
);
CREATE INDEX quarantine_by_state ON quarantine (state, id);
CREATE INDEX quarantine_by_device ON quarantine (device, state);
CREATE INDEX quarantine_by_record ON quarantine (record, id);
CREATE INDEX quarantine_exportable ON quarantine (id) WHERE exported IS NULL AND state <> 'open';
CREATE INDEX quarantine_by_export ON quarantine (exported) WHERE exported IS NOT NULL;

-- Append-only; the newest decision is in force.
CREATE TABLE decisions (
    quarantine BIGINT NOT NULL REFERENCES quarantine (id),
    n          BIGINT NOT NULL,
    decision   TEXT NOT NULL,
    by_user    TEXT NOT NULL,
    at         BIGINT NOT NULL,
    reason     TEXT NOT NULL,
    -- Number of the record's receipt for what was accepted.
    receipt    BIGINT,
    PRIMARY KEY (quarantine, n)
);

-- Counters of refused work per user, kept by triggers so that no write can forget them: undecided
-- pieces, and pieces whose bytes are stored here.
CREATE TABLE quarantine_shares (
    user_name     TEXT COLLATE "C" PRIMARY KEY,
    open_pieces   BIGINT NOT NULL,
    open_bytes    BIGINT NOT NULL,
    stored_pieces BIGINT NOT NULL,
    stored_bytes  BIGINT NOT NULL
);

CREATE FUNCTION quarantine_shares_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quarantine_shares AS s
        VALUES (NEW.user_name, (NEW.state = 'open')::int,
                CASE WHEN NEW.state = 'open' THEN NEW.size ELSE 0 END,
                (NEW.exported IS NULL)::int, NEW.size)
        ON CONFLICT (user_name) DO UPDATE SET
            open_pieces = s.open_pieces + excluded.open_pieces,
            open_bytes = s.open_bytes + excluded.open_bytes,
            stored_pieces = s.stored_pieces + excluded.stored_pieces,
            stored_bytes = s.stored_bytes + excluded.stored_bytes;
    RETURN NULL;
END $$;
CREATE TRIGGER quarantine_shares_added AFTER INSERT ON quarantine
    FOR EACH ROW EXECUTE FUNCTION quarantine_shares_added();

CREATE FUNCTION quarantine_shares_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE quarantine_shares SET
        open_pieces = open_pieces - (OLD.state = 'open')::int + (NEW.state = 'open')::int,
        open_bytes = open_bytes - CASE WHEN OLD.state = 'open' THEN OLD.size ELSE 0 END
            + CASE WHEN NEW.state = 'open' THEN NEW.size ELSE 0 END,
        stored_pieces = stored_pieces - (OLD.exported IS NULL)::int
            + (NEW.exported IS NULL)::int,
        stored_bytes = stored_bytes - OLD.size + NEW.size
    WHERE user_name = NEW.user_name;
    RETURN NULL;
END $$;
CREATE TRIGGER quarantine_shares_changed AFTER UPDATE OF state, size, exported ON quarantine
    FOR EACH ROW EXECUTE FUNCTION quarantine_shares_changed();

-- Visits that the office watches over: when a collector should have checked out, and alarms.
CREATE TABLE safety_watches (
    id          BYTEA PRIMARY KEY,
    user_name   TEXT COLLATE "C" NOT NULL,
    record      BYTEA NOT NULL,
    revision    BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    alarm_at    BIGINT,
    lat         DOUBLE PRECISION,
    lon         DOUBLE PRECISION,
    ended_at    BIGINT,
    received_at BIGINT NOT NULL,
    seen_by     TEXT,
    seen_at     BIGINT
);
CREATE INDEX safety_watches_by_user ON safety_watches (user_name, received_at);
CREATE INDEX safety_watches_open ON safety_watches (due_at)
    WHERE ended_at IS NULL OR (alarm_at IS NOT NULL AND seen_at IS NULL);
