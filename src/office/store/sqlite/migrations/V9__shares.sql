-- What one person may have at the office is counted per user: devices are free to enrol.

-- Enrolments of a user since a time.
CREATE INDEX devices_by_user_and_time ON devices (user, created_at);
DROP INDEX devices_by_user;

-- Uploads that are not whole, summed without their bytes.
CREATE INDEX blob_chunks_sizes ON blob_chunks (device, size);
DROP INDEX blob_chunks_by_device;

-- Whether a record names a blob. Only blobs that none names count towards their user's share, and
-- a collector brings thousands over the years: the flag keeps the sum from reading them all.
ALTER TABLE blobs ADD COLUMN named INTEGER NOT NULL DEFAULT 0;
UPDATE blobs SET named = 1
    WHERE EXISTS (SELECT 1 FROM visit_attachments a WHERE a.sha256 = blobs.sha256);
CREATE INDEX blobs_unnamed ON blobs (user, size) WHERE named = 0;
DROP INDEX blobs_by_device;

CREATE TRIGGER blobs_named_when_added AFTER INSERT ON blobs
    WHEN EXISTS (SELECT 1 FROM visit_attachments a WHERE a.sha256 = NEW.sha256)
BEGIN
    UPDATE blobs SET named = 1 WHERE sha256 = NEW.sha256;
END;
CREATE TRIGGER blobs_named_by_record AFTER INSERT ON visit_attachments
BEGIN
    UPDATE blobs SET named = 1 WHERE sha256 = NEW.sha256 AND named = 0;
END;
CREATE TRIGGER blobs_named_no_more AFTER DELETE ON visit_attachments
    WHEN NOT EXISTS (SELECT 1 FROM visit_attachments a WHERE a.sha256 = OLD.sha256)
BEGIN
    UPDATE blobs SET named = 0 WHERE sha256 = OLD.sha256;
END;

-- An export after which the office deleted the bytes of refused work. `sha256` is that of the
-- file without its last line.
CREATE TABLE quarantine_exports (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    by_user TEXT NOT NULL,
    pieces  INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    sha256  BLOB NOT NULL CHECK (length(sha256) = 32)
) STRICT;

-- The export that holds the bytes of a piece instead of this table.
ALTER TABLE quarantine ADD COLUMN exported INTEGER REFERENCES quarantine_exports (id);
CREATE INDEX quarantine_exportable ON quarantine (id) WHERE exported IS NULL AND state <> 'open';
CREATE INDEX quarantine_by_export ON quarantine (exported) WHERE exported IS NOT NULL;

-- Counters of refused work for each user, kept by triggers so that no write can forget them:
-- undecided pieces, and pieces whose bytes are stored here.
CREATE TABLE quarantine_shares (
    user          TEXT PRIMARY KEY,
    open_pieces   INTEGER NOT NULL,
    open_bytes    INTEGER NOT NULL,
    stored_pieces INTEGER NOT NULL,
    stored_bytes  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO quarantine_shares
    SELECT user, sum(state = 'open'), sum(iif(state = 'open', size, 0)), count(*), sum(size)
    FROM quarantine GROUP BY user;

CREATE TRIGGER quarantine_shares_added AFTER INSERT ON quarantine
BEGIN
    INSERT INTO quarantine_shares (user, open_pieces, open_bytes, stored_pieces, stored_bytes)
    VALUES (NEW.user, 0, 0, 0, 0) ON CONFLICT (user) DO NOTHING;
    UPDATE quarantine_shares SET
        open_pieces = open_pieces + (NEW.state = 'open'),
        open_bytes = open_bytes + iif(NEW.state = 'open', NEW.size, 0),
        stored_pieces = stored_pieces + (NEW.exported IS NULL),
        stored_bytes = stored_bytes + NEW.size
    WHERE user = NEW.user;
END;
CREATE TRIGGER quarantine_shares_changed AFTER UPDATE OF state, size, exported ON quarantine
BEGIN
    UPDATE quarantine_shares SET
        open_pieces = open_pieces - (OLD.state = 'open') + (NEW.state = 'open'),
        open_bytes = open_bytes - iif(OLD.state = 'open', OLD.size, 0)
            + iif(NEW.state = 'open', NEW.size, 0),
        stored_pieces = stored_pieces - (OLD.exported IS NULL) + (NEW.exported IS NULL),
        stored_bytes = stored_bytes - OLD.size + NEW.size
    WHERE user = NEW.user;
END;
