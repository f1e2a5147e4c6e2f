-- A sign-in stands on a device, the newest one alone. Its tokens follow each other; the store
-- knows them by their hashes.
CREATE TABLE sign_ins (
    device     BLOB PRIMARY KEY REFERENCES devices (id),
    user       TEXT NOT NULL REFERENCES users (name),
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    token      BLOB NOT NULL UNIQUE,
    renewed_at INTEGER NOT NULL,
    next_token BLOB UNIQUE,
    last_token BLOB UNIQUE
) STRICT;
-- They were prolonged by 30 days at each use.
INSERT OR REPLACE INTO sign_ins
    SELECT device, user, created_at, expires_at - 2592000000, expires_at, token_hash, created_at, NULL, NULL
    FROM sessions ORDER BY expires_at;
DROP TABLE sessions;
ALTER TABLE sign_ins RENAME TO sessions;
CREATE INDEX sessions_by_user ON sessions (user);

ALTER TABLE devices ADD COLUMN app_version TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN revoked_by TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN revoked_reason TEXT NOT NULL DEFAULT '';

-- Issuer and subject of the identity provider's account that a user signs in with.
ALTER TABLE users ADD COLUMN subject TEXT;
CREATE UNIQUE INDEX users_by_subject ON users (subject) WHERE subject IS NOT NULL;
