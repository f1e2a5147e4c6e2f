-- Facts of the visit that the dashboard counts, as the documents say: the arrival, ms, who was met,
-- why payment is late, and the promise with whether recorded payments reach its amount. Rows of
-- former versions get them from their documents when the store is opened next.
ALTER TABLE visits ADD COLUMN arrived_at INTEGER;
ALTER TABLE visits ADD COLUMN person_met TEXT;
ALTER TABLE visits ADD COLUMN overdue_reason TEXT;
ALTER TABLE visits ADD COLUMN promise_amount INTEGER;
ALTER TABLE visits ADD COLUMN promise_due TEXT;
ALTER TABLE visits ADD COLUMN promise_open INTEGER NOT NULL DEFAULT 0;

-- What happened, or is to happen, in a period.
CREATE INDEX visits_by_start ON visits (starts_at) WHERE starts_at IS NOT NULL;
CREATE INDEX visits_by_arrival ON visits (arrived_at) WHERE arrived_at IS NOT NULL;
CREATE INDEX visits_by_promise ON visits (promise_due) WHERE promise_due IS NOT NULL;
CREATE INDEX contacts_by_time ON contacts (at, outcome, record);
-- Records with a hold in force.
CREATE INDEX visit_holds_by_flag ON visit_holds (flag, record);
