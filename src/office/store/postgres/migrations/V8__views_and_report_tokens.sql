-- Saved views of the list: the search of its address under a name.
CREATE TABLE saved_views (
    id     BYTEA PRIMARY KEY CHECK (length(id) = 16),
    owner  TEXT NOT NULL,
    name   TEXT COLLATE "C" NOT NULL,
    search TEXT NOT NULL,
    shared BOOLEAN NOT NULL
);
CREATE INDEX saved_views_by_owner ON saved_views (owner);
CREATE INDEX saved_views_shared ON saved_views (name) WHERE shared;

-- Tokens of programs that read the records for reports.
CREATE TABLE report_tokens (
    id         BYTEA PRIMARY KEY CHECK (length(id) = 16),
    hash       BYTEA NOT NULL UNIQUE CHECK (length(hash) = 32),
    user_name  TEXT NOT NULL,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX report_tokens_by_user ON report_tokens (user_name, created_at);
