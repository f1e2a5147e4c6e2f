-- Which life of the store this is, and how the office itself writes.
CREATE TABLE meta (
    one            INTEGER PRIMARY KEY CHECK (one = 1),
    format         INTEGER NOT NULL,
    epoch          BLOB NOT NULL CHECK (length(epoch) = 16),
    office_device  BLOB NOT NULL CHECK (length(office_device) = 16),
    office_session INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    name          TEXT PRIMARY KEY,
    display_name  TEXT NOT NULL,
    role          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    disabled_at   INTEGER,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE devices (
    id           BLOB PRIMARY KEY CHECK (length(id) = 16),
    user         TEXT NOT NULL REFERENCES users (name),
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    revoked_at   INTEGER
) STRICT;
CREATE INDEX devices_by_user ON devices (user);

CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    user       TEXT NOT NULL REFERENCES users (name),
    device     BLOB NOT NULL REFERENCES devices (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user);
CREATE INDEX sessions_by_device ON sessions (device);

-- The records. The document stands last, so that the cheap columns are read without it.
CREATE TABLE records (
    id         BLOB PRIMARY KEY CHECK (length(id) = 16),
    case_no    TEXT NOT NULL,
    heads      BLOB NOT NULL,
    max_op     INTEGER NOT NULL,
    changes    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    document   BLOB NOT NULL
) STRICT;
CREATE INDEX records_by_case ON records (case_no);

-- Every change as it came, in the order of its acceptance. The first change of the schema, the
-- same for all records, is not among them.
CREATE TABLE changes (
    record      BLOB NOT NULL REFERENCES records (id),
    ordinal     INTEGER NOT NULL,
    hash        BLOB NOT NULL CHECK (length(hash) = 32),
    actor       BLOB NOT NULL,
    seq         INTEGER NOT NULL,
    max_op      INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    device      BLOB NOT NULL,
    user        TEXT NOT NULL,
    bytes       BLOB NOT NULL,
    PRIMARY KEY (record, ordinal),
    UNIQUE (record, actor, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE feeds (
    feed  TEXT PRIMARY KEY,
    seq   INTEGER NOT NULL,
    count INTEGER NOT NULL,
    sum   BLOB NOT NULL CHECK (length(sum) = 32)
) STRICT, WITHOUT ROWID;

-- An append-only log; only the newest entry of a record in a feed has `latest`.
CREATE TABLE feed_entries (
    feed    TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    record  BLOB NOT NULL REFERENCES records (id),
    kind    INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    latest  INTEGER NOT NULL,
    PRIMARY KEY (feed, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX feed_entries_by_record ON feed_entries (record, feed, seq);
CREATE INDEX feed_entries_latest ON feed_entries (feed, seq) WHERE latest = 1;

CREATE TABLE receipts (
    record      BLOB NOT NULL REFERENCES records (id),
    n           INTEGER NOT NULL,
    hashes      BLOB NOT NULL,
    device      BLOB NOT NULL,
    user        TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    previous    BLOB NOT NULL CHECK (length(previous) = 32),
    hash        BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (record, n)
) STRICT, WITHOUT ROWID;

-- Refused work. The fingerprint makes a repeated push one row.
CREATE TABLE quarantine (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint BLOB NOT NULL UNIQUE,
    record      BLOB NOT NULL,
    device      BLOB NOT NULL,
    user        TEXT NOT NULL,
    at          INTEGER NOT NULL,
    code        TEXT NOT NULL,
    path        TEXT NOT NULL,
    message     TEXT NOT NULL,
    changes     BLOB NOT NULL
) STRICT;

-- Plain rows for lists, charts and reports, kept by the merge (rule M7).
CREATE TABLE visits (
    record             BLOB PRIMARY KEY REFERENCES records (id),
    case_no            TEXT NOT NULL,
    borrower_name      TEXT NOT NULL,
    address            TEXT NOT NULL,
    product            TEXT NOT NULL,
    overdue            INTEGER NOT NULL,
    currency           TEXT NOT NULL,
    days_past_due      INTEGER NOT NULL,
    stage              TEXT NOT NULL,
    starts_at          INTEGER,
    ends_at            INTEGER,
    appointment_status TEXT,
    due_by             TEXT NOT NULL,
    priority           INTEGER NOT NULL,
    disposition        TEXT,
    review_status      TEXT NOT NULL,
    conflicts          INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    -- No date sorts behind every date.
    due_key            TEXT NOT NULL GENERATED ALWAYS AS
                       (CASE due_by WHEN '' THEN '9999-99-99' ELSE due_by END) STORED
) STRICT;
CREATE INDEX visits_by_updated ON visits (updated_at, record);
CREATE INDEX visits_by_due ON visits (due_key, record);
CREATE INDEX visits_by_case ON visits (case_no, record);
CREATE INDEX visits_by_overdue ON visits (overdue, record);

CREATE TABLE visit_collectors (
    record    BLOB NOT NULL REFERENCES records (id),
    collector TEXT NOT NULL,
    PRIMARY KEY (record, collector)
) STRICT, WITHOUT ROWID;
CREATE INDEX visits_by_collector ON visit_collectors (collector, record);

CREATE TABLE visit_holds (
    record BLOB NOT NULL REFERENCES records (id),
    flag   TEXT NOT NULL,
    PRIMARY KEY (record, flag)
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    record      BLOB NOT NULL REFERENCES records (id),
    id          TEXT NOT NULL,
    at          INTEGER NOT NULL,
    zone        TEXT NOT NULL,
    channel     TEXT NOT NULL,
    number_ref  TEXT NOT NULL,
    target_role TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    note        TEXT NOT NULL,
    by_user     TEXT NOT NULL,
    PRIMARY KEY (record, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE payments (
    record    BLOB NOT NULL REFERENCES records (id),
    id        TEXT NOT NULL,
    amount    INTEGER NOT NULL,
    currency  TEXT NOT NULL,
    at        INTEGER NOT NULL,
    channel   TEXT NOT NULL,
    reference TEXT NOT NULL,
    receipt   TEXT NOT NULL,
    by_user   TEXT NOT NULL,
    PRIMARY KEY (record, id)
) STRICT, WITHOUT ROWID;

-- One row per value that stands in conflict; `n` 0 is the one that shows.
CREATE TABLE conflicts (
    record   BLOB NOT NULL REFERENCES records (id),
    path     TEXT NOT NULL,
    n        INTEGER NOT NULL,
    value_id TEXT NOT NULL,
    value    TEXT NOT NULL,
    by_user  TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (record, path, n)
) STRICT, WITHOUT ROWID;
