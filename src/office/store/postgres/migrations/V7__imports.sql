-- Imports of case lists that run in the background. The file is in a table of its own: progress
-- rewrites the row of an import often. `claimed_until` is NULL while there is nothing to do; otherwise a
-- process works on it until then, ms.
CREATE TABLE imports (
    id            BYTEA PRIMARY KEY CHECK (length(id) = 16),
    user_name     TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    claimed_until BIGINT,
    state         TEXT NOT NULL
);
CREATE INDEX imports_by_user ON imports (user_name, created_at);
CREATE INDEX imports_by_age ON imports (created_at);
CREATE INDEX imports_unfinished ON imports (claimed_until) WHERE claimed_until IS NOT NULL;

CREATE TABLE import_files (
    import BYTEA PRIMARY KEY REFERENCES imports (id) ON DELETE CASCADE,
    file   BYTEA NOT NULL
);

-- The outcome of each row but those without changes.
CREATE TABLE import_rows (
    import  BYTEA NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    number  BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    report  TEXT NOT NULL,
    PRIMARY KEY (import, number)
);
CREATE INDEX import_rows_by_outcome ON import_rows (import, outcome, number);

-- What users mapped the columns of their files to.
CREATE TABLE import_columns (
    user_name TEXT PRIMARY KEY,
    columns   TEXT NOT NULL,
    at        BIGINT NOT NULL
);
