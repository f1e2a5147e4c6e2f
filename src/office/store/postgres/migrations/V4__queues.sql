-- Queues of the console and their order.

-- The part of the address that neighbouring records share, for the rule `area`.
ALTER TABLE visits ADD COLUMN area TEXT COLLATE "C" NOT NULL DEFAULT '';
-- The rules by which phones sort their lists: words with commas, '' for the default.
CREATE TABLE queue_order (
    one   BIGINT PRIMARY KEY CHECK (one = 1),
    words TEXT NOT NULL
);
INSERT INTO queue_order VALUES (1, '');

-- The default order, as `postgres/queues.rs` writes it; other orders are sorted when they are read.
CREATE INDEX visits_by_queue ON visits ((due_key || E'\x01'
    || least(greatest(priority, 0), 9)::text || E'\x01'
    || CASE WHEN promise_open THEN promise_due ELSE '9999-99-99' END || E'\x01'
    || lpad((99999 - least(greatest(days_past_due, 0), 99999))::text, 5, '0') || E'\x01'
    || case_no) COLLATE "C", record);
CREATE INDEX visits_by_stage ON visits (stage, record);
CREATE INDEX visits_in_conflict ON visits (record) WHERE conflicts > 0;
CREATE INDEX visits_outstanding ON visits (due_by, record)
    WHERE stage IN ('assigned', 'contacted', 'scheduled') AND due_by <> '';
CREATE INDEX visits_promised ON visits (promise_due, record) WHERE promise_open;
CREATE INDEX conduct_in_force ON conduct (answer, record) WHERE NOT shadow;
