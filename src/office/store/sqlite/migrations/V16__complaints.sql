-- The complaint desk. `since` is that of the hold which a complaint puts on its case: a record has one
-- complaint per time. `seen` is the record's `updated_at` when its holds were last looked at.
CREATE TABLE complaints (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    id          BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    record      BLOB NOT NULL REFERENCES records (id),
    case_no     TEXT NOT NULL,
    since       INTEGER NOT NULL,
    source      TEXT NOT NULL,
    topic       TEXT NOT NULL,
    text        TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    raised_by   TEXT NOT NULL,
    rule        TEXT NOT NULL,
    deadline_at INTEGER NOT NULL,
    replied_at  INTEGER,
    closed_at   INTEGER,
    outcome     TEXT,
    seen        INTEGER NOT NULL,
    UNIQUE (record, since)
) STRICT;
CREATE INDEX complaints_open ON complaints (deadline_at, number) WHERE closed_at IS NULL;
CREATE INDEX complaints_closed ON complaints (closed_at, number) WHERE closed_at IS NOT NULL;

-- What was done about a complaint, append-only. The id makes a repeated request one row.
CREATE TABLE complaint_events (
    complaint INTEGER NOT NULL REFERENCES complaints (number),
    id        BLOB NOT NULL CHECK (length(id) = 16),
    at        INTEGER NOT NULL,
    by_user   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    outcome   TEXT,
    text      TEXT NOT NULL,
    PRIMARY KEY (complaint, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX visit_holds_complaint ON visit_holds (record) WHERE flag = 'complaint';
CREATE INDEX visits_complaint ON visits (record) WHERE disposition = 'complaint';
