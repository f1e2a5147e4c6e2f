-- Failed sign-ins by hashes of names, devices and networks, and values that may be used once.
CREATE TABLE sign_in_failures (
    key   BLOB PRIMARY KEY NOT NULL CHECK (length(key) = 16),
    count INTEGER NOT NULL,
    last  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_failures_by_time ON sign_in_failures (last);

CREATE TABLE used_once (
    value BLOB PRIMARY KEY NOT NULL CHECK (length(value) = 32),
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_once_by_time ON used_once (until);
