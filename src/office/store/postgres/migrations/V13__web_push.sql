-- Where phones want to be notified. A subscription ends with the sign-in that made it: signing out
-- deletes it, and one whose sign-in was ended otherwise is not used any more.
CREATE TABLE push_subscriptions (
    device       BYTEA PRIMARY KEY REFERENCES sessions (device) ON DELETE CASCADE,
    user_name    TEXT COLLATE "C" NOT NULL,
    signed_in_at BIGINT NOT NULL,
    endpoint     TEXT NOT NULL,
    public_key   BYTEA NOT NULL,
    auth         BYTEA NOT NULL,
    zone         TEXT NOT NULL,
    from_minute  BIGINT NOT NULL,
    until_minute BIGINT NOT NULL
);
CREATE INDEX push_subscriptions_by_user ON push_subscriptions (user_name);

-- Notices that wait to be sent: one of a kind for each phone at most. Times are ms.
CREATE TABLE push_notices (
    device    BYTEA NOT NULL REFERENCES push_subscriptions (device) ON DELETE CASCADE,
    notice    TEXT NOT NULL,
    queued_at BIGINT NOT NULL,
    due_at    BIGINT NOT NULL,
    attempts  BIGINT NOT NULL,
    PRIMARY KEY (device, notice)
);
CREATE INDEX push_notices_by_due ON push_notices (due_at);
