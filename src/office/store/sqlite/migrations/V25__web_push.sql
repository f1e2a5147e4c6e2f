-- Where phones want to be notified. A subscription ends with the sign-in that made it: signing out
-- deletes it, and one whose sign-in was ended otherwise is not used any more.
CREATE TABLE push_subscriptions (
    device       BLOB PRIMARY KEY REFERENCES sessions (device) ON DELETE CASCADE,
    user         TEXT NOT NULL,
    signed_in_at INTEGER NOT NULL,
    endpoint     TEXT NOT NULL,
    public_key   BLOB NOT NULL,
    auth         BLOB NOT NULL,
    zone         TEXT NOT NULL,
    from_minute  INTEGER NOT NULL,
    until_minute INTEGER NOT NULL
) STRICT;
CREATE INDEX push_subscriptions_by_user ON push_subscriptions (user);

-- Notices that wait to be sent: one of a kind for each phone at most. Times are ms.
CREATE TABLE push_notices (
    device    BLOB NOT NULL REFERENCES push_subscriptions (device) ON DELETE CASCADE,
    notice    TEXT NOT NULL,
    queued_at INTEGER NOT NULL,
    due_at    INTEGER NOT NULL,
    attempts  INTEGER NOT NULL,
    PRIMARY KEY (device, notice)
) STRICT;
CREATE INDEX push_notices_by_due ON push_notices (due_at);
