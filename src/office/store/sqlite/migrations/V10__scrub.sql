-- Where the scrub of attachments stands: it goes on from there after a restart.
CREATE TABLE blob_scrub (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    -- The last name that was read in this pass; none where the next pass begins.
    after BLOB CHECK (length(after) = 32)
) STRICT;
