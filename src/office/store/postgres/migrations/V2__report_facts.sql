-- Facts of the visit that the dashboard counts, as the documents say: the arrival, ms, who was met,
-- why payment is late, and the promise with whether recorded payments reach its amount.
ALTER TABLE visits
    ADD COLUMN arrived_at     BIGINT,
    ADD COLUMN person_met     TEXT,
    ADD COLUMN overdue_reason TEXT,
    ADD COLUMN promise_amount BIGINT,
    ADD COLUMN promise_due    TEXT COLLATE "C",
    ADD COLUMN promise_open   BOOLEAN NOT NULL DEFAULT false;

-- What happened, or is to happen, in a period.
CREATE INDEX visits_by_start ON visits (starts_at) WHERE starts_at IS NOT NULL;
CREATE INDEX visits_by_arrival ON visits (arrived_at) WHERE arrived_at IS NOT NULL;
CREATE INDEX visits_by_promise ON visits (promise_due) WHERE promise_due IS NOT NULL;
CREATE INDEX contacts_by_time ON contacts (at, outcome, record);
-- Records with a hold in force.
CREATE INDEX visit_holds_by_flag ON visit_holds (flag, record);
