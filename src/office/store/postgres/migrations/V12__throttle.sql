-- Failed sign-ins by hashes of names, devices and networks, and values that may be used once.
CREATE TABLE sign_in_failures (
    key   BYTEA PRIMARY KEY CHECK (length(key) = 16),
    count BIGINT NOT NULL,
    last  BIGINT NOT NULL
);
CREATE INDEX sign_in_failures_by_time ON sign_in_failures (last);

CREATE TABLE used_once (
    value BYTEA PRIMARY KEY CHECK (length(value) = 32),
    until BIGINT NOT NULL
);
CREATE INDEX used_once_by_time ON used_once (until);
