-- The complaint desk. `since` is that of the hold which a complaint puts on its case: a record has one
-- complaint per time. `seen` is the record's `updated_at` when its holds were last looked at.
CREATE TABLE complaints (
    number      BIGINT PRIMARY KEY,
    id          BYTEA NOT NULL UNIQUE CHECK (length(id) = 16),
    record      BYTEA NOT NULL REFERENCES records (id),
    case_no     TEXT NOT NULL,
    since       BIGINT NOT NULL,
    source      TEXT NOT NULL,
    topic       TEXT NOT NULL,
    text        TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    raised_by   TEXT NOT NULL,
    rule        TEXT NOT NULL,
    deadline_at BIGINT NOT NULL,
    replied_at  BIGINT,
    closed_at   BIGINT,
    outcome     TEXT,
    seen        BIGINT NOT NULL,
    UNIQUE (record, since)
);
CREATE INDEX complaints_open ON complaints (deadline_at, number) WHERE closed_at IS NULL;
CREATE INDEX complaints_closed ON complaints (closed_at, number) WHERE closed_at IS NOT NULL;

-- What was done about a complaint, append-only. The id makes a repeated request one row.
CREATE TABLE complaint_events (
    complaint BIGINT NOT NULL REFERENCES complaints (number),
    id        BYTEA NOT NULL CHECK (length(id) = 16),
    at        BIGINT NOT NULL,
    by_user   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    outcome   TEXT,
    text      TEXT NOT NULL,
    PRIMARY KEY (complaint, id)
);

CREATE INDEX visit_holds_complaint ON visit_holds (record) WHERE flag = 'complaint';
CREATE INDEX visits_complaint ON visits (record) WHERE disposition = 'complaint';
