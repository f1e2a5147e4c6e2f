-- Keys that devices sign seals with, Ed25519. A device that lost its store enrols another.
CREATE TABLE device_keys (
    device      BLOB NOT NULL REFERENCES devices (id),
    key         BLOB NOT NULL CHECK (length(key) = 32),
    enrolled_at INTEGER NOT NULL,
    PRIMARY KEY (device, key)
) STRICT, WITHOUT ROWID;

-- Attachments that records name; their bytes lie in the blob store.
CREATE TABLE visit_attachments (
    record     BLOB NOT NULL REFERENCES records (id),
    sha256     BLOB NOT NULL CHECK (length(sha256) = 32),
    media_type TEXT NOT NULL,
    size       INTEGER NOT NULL,
    PRIMARY KEY (record, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX visit_attachments_by_blob ON visit_attachments (sha256, record);

-- What came of an upload so far; gone as soon as the whole is in the blob store.
CREATE TABLE blob_chunks (
    sha256      BLOB NOT NULL CHECK (length(sha256) = 32),
    device      BLOB NOT NULL REFERENCES devices (id),
    first       INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    bytes       BLOB NOT NULL,
    PRIMARY KEY (sha256, device, first)
) STRICT;
CREATE INDEX blob_chunks_by_device ON blob_chunks (device);

-- Who brought a blob that is whole.
CREATE TABLE blobs (
    sha256      BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    size        INTEGER NOT NULL,
    device      BLOB NOT NULL,
    user        TEXT NOT NULL,
    received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX blobs_by_device ON blobs (device);
