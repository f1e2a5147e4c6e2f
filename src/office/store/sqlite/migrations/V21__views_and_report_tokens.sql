-- Saved views of the list: the search of its address under a name.
CREATE TABLE saved_views (
    id     BLOB PRIMARY KEY,
    owner  TEXT NOT NULL,
    name   TEXT NOT NULL,
    search TEXT NOT NULL,
    shared INTEGER NOT NULL
) STRICT;
CREATE INDEX saved_views_by_owner ON saved_views (owner);
CREATE INDEX saved_views_shared ON saved_views (name) WHERE shared = 1;

-- Tokens of programs that read the records for reports.
CREATE TABLE report_tokens (
    id         BLOB PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    user       TEXT NOT NULL,
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;
CREATE INDEX report_tokens_by_user ON report_tokens (user, created_at);
