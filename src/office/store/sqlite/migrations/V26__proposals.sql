-- Changes that one person proposes and another one decides. Times are ms by the office's clock.
CREATE TABLE proposals (
    number      INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    record      BLOB CHECK (length(record) = 16),
    case_no     TEXT NOT NULL,
    heads       TEXT NOT NULL,
    action      TEXT NOT NULL,
    amount      INTEGER,
    currency    TEXT NOT NULL,
    reason      TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    state       TEXT NOT NULL,
    decided_by  TEXT NOT NULL,
    decided_at  INTEGER,
    answer      TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX proposals_pending ON proposals (kind, subject) WHERE state = 'pending';
CREATE INDEX proposals_by_expiry ON proposals (expires_at) WHERE state = 'pending';
