-- Sign-ins that have expired are deleted at each sign-in: find them without reading the others.
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
