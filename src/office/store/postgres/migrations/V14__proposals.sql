-- Changes that one person proposes and another one decides. Times are ms by the office's clock.
CREATE TABLE proposals (
    number      BIGINT PRIMARY KEY,
    id          BYTEA NOT NULL UNIQUE CHECK (length(id) = 16),
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    record      BYTEA CHECK (length(record) = 16),
    case_no     TEXT NOT NULL,
    heads       TEXT NOT NULL,
    action      TEXT NOT NULL,
    amount      BIGINT,
    currency    TEXT NOT NULL,
    reason      TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    state       TEXT NOT NULL,
    decided_by  TEXT NOT NULL,
    decided_at  BIGINT,
    answer      TEXT NOT NULL
);
CREATE UNIQUE INDEX proposals_pending ON proposals (kind, subject) WHERE state = 'pending';
CREATE INDEX proposals_by_expiry ON proposals (expires_at) WHERE state = 'pending';
