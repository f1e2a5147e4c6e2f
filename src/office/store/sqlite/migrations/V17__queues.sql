-- Queues of the console, their order, and search by parts of words. What only the program can
-- tell is filled in when the store is opened next (`backfill.rs`).

-- 1 where no collector is assigned, and where a hold is in force.
ALTER TABLE visits ADD COLUMN unassigned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE visits ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
-- Sorts rows as phones sort their lists: by the rules in `meta.queue_order`, words with commas.
ALTER TABLE visits ADD COLUMN queue_key TEXT NOT NULL DEFAULT '';
ALTER TABLE meta ADD COLUMN queue_order TEXT NOT NULL DEFAULT '';
-- While keys are computed anew: the last record that has its new key.
ALTER TABLE meta ADD COLUMN rekeyed BLOB;

CREATE INDEX visits_by_queue ON visits (queue_key, record);
CREATE INDEX visits_by_stage ON visits (stage, queue_key, record);
CREATE INDEX visits_by_review ON visits (review_status, queue_key, record);
CREATE INDEX visits_unassigned ON visits (queue_key, record) WHERE unassigned = 1;
CREATE INDEX visits_held ON visits (queue_key, record) WHERE held = 1;
CREATE INDEX visits_in_conflict ON visits (queue_key, record) WHERE conflicts > 0;
CREATE INDEX visits_outstanding ON visits (due_by, queue_key, record)
    WHERE stage IN ('assigned', 'contacted', 'scheduled') AND due_by <> '';
CREATE INDEX visits_promised ON visits (promise_due, queue_key, record) WHERE promise_open = 1;
CREATE INDEX conduct_in_force ON conduct (answer, record) WHERE shadow = 0;
CREATE INDEX devices_in_use ON devices (last_seen_at) WHERE revoked_at IS NULL;

-- Case number, name and address of each record. Ids are stable, unlike row ids of `visits`.
CREATE TABLE visit_search (
    id     INTEGER PRIMARY KEY,
    record BLOB NOT NULL UNIQUE REFERENCES records (id),
    text   TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE visit_trigrams USING fts5 (
    text, content = 'visit_search', content_rowid = 'id', tokenize = 'trigram'
);
-- Single characters and pairs, for which trigrams are too long: many Chinese names have two.
CREATE VIRTUAL TABLE visit_grams USING fts5 (
    grams, content = '', detail = none, tokenize = 'ascii'
);
-- A name that changes leaves the indexes at once, not with a later merge of them.
INSERT INTO visit_trigrams (visit_trigrams, rank) VALUES ('secure-delete', 1);
INSERT INTO visit_grams (visit_grams, rank) VALUES ('secure-delete', 1);
