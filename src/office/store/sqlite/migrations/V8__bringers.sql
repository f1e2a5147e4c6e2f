-- Who had the bytes of a blob and brought them. A name alone, seen somewhere, opens nothing: a
-- record shows a blob to its collectors where whoever added the name to it had the bytes.
CREATE TABLE blob_bringers (
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    user   TEXT NOT NULL,
    PRIMARY KEY (sha256, user)
) STRICT, WITHOUT ROWID;

-- The user who added the name to the record.
ALTER TABLE visit_attachments ADD COLUMN added_by TEXT NOT NULL DEFAULT '';
