-- Work in quarantine: what it is about, how much it is, and whether somebody has decided on it.
ALTER TABLE quarantine ADD COLUMN units TEXT NOT NULL DEFAULT '';
ALTER TABLE quarantine ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE quarantine ADD COLUMN state TEXT NOT NULL DEFAULT 'open';
UPDATE quarantine SET size = length(changes);
CREATE INDEX quarantine_by_state ON quarantine (state, id);
CREATE INDEX quarantine_by_device ON quarantine (device, state);
CREATE INDEX quarantine_by_record ON quarantine (record, id);

-- Append-only: work that was dismissed may still be accepted. The newest is what stands.
CREATE TABLE decisions (
    quarantine INTEGER NOT NULL REFERENCES quarantine (id),
    n          INTEGER NOT NULL,
    decision   TEXT NOT NULL,
    by_user    TEXT NOT NULL,
    at         INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    -- Of the record's receipts, the one for what was accepted.
    receipt    INTEGER,
    PRIMARY KEY (quarantine, n)
) STRICT, WITHOUT ROWID;

-- The refused work that a receipt is for, where somebody accepted it.
ALTER TABLE receipts ADD COLUMN quarantine INTEGER;

-- A sign-in that was ended from outside still hands over what its device has unsent, nothing else.
ALTER TABLE sessions ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
