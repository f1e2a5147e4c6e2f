-- Visits that the office watches over: until when a collector should have checked out, and alarms.
-- `revision` orders the reports of the phone; times are ms by the office's clock.
CREATE TABLE safety_watches (
    id          BLOB PRIMARY KEY,
    user        TEXT NOT NULL,
    record      BLOB NOT NULL,
    revision    INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    alarm_at    INTEGER,
    lat         REAL,
    lon         REAL,
    ended_at    INTEGER,
    received_at INTEGER NOT NULL,
    seen_by     TEXT,
    seen_at     INTEGER
) STRICT;
CREATE INDEX safety_watches_by_user ON safety_watches (user, received_at);
-- What supervisors look at: visits that go on, and alarms that nobody has taken.
CREATE INDEX safety_watches_open ON safety_watches (due_at)
    WHERE ended_at IS NULL OR (alarm_at IS NOT NULL AND seen_at IS NULL);
