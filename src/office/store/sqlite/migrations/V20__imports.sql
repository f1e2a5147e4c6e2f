-- Imports of case lists that run in the background. The file is in a table of its own: progress
-- rewrites the row of an import often. `claimed_until` is NULL while there is nothing to do; otherwise a
-- process works on it until then, ms.
CREATE TABLE imports (
    id            BLOB PRIMARY KEY,
    user          TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    claimed_until INTEGER,
    state         TEXT NOT NULL
) STRICT;
CREATE INDEX imports_by_user ON imports (user, created_at);
CREATE INDEX imports_by_age ON imports (created_at);
CREATE INDEX imports_unfinished ON imports (claimed_until) WHERE claimed_until IS NOT NULL;

CREATE TABLE import_files (
    import BLOB PRIMARY KEY REFERENCES imports (id) ON DELETE CASCADE,
    file   BLOB NOT NULL
) STRICT;

-- The outcome of each row but those without changes.
CREATE TABLE import_rows (
    import  BLOB NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    report  TEXT NOT NULL,
    PRIMARY KEY (import, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_rows_by_outcome ON import_rows (import, outcome, number);

-- What users mapped the columns of their files to.
CREATE TABLE import_columns (
    user    TEXT PRIMARY KEY,
    columns TEXT NOT NULL,
    at      INTEGER NOT NULL
) STRICT;
