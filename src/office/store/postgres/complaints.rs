//! Complaints in PostgreSQL.

use super::row::Row;
use super::tx::Tx;
use super::value::values;
use crate::ids::RecordId;
use crate::office::store::{
    Complaint, ComplaintEvent, ComplaintListing, ComplaintOutcome, ComplaintReads, ComplaintSource,
    ComplaintStep, ComplaintTopic, ComplaintWrites, StoreError,
};

const COLUMNS: &str = "number, id, record, case_no, since, source, topic, text, received_at, \
                       raised_by, rule, deadline_at, replied_at, closed_at, outcome, \
                       extended_from";

impl ComplaintReads for Tx<'_> {
    fn complaint(&mut self, number: u64) -> Result<Option<Complaint>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM complaints WHERE number = $1");
        self.query_optional(&sql, values![number], complaint)
    }

    fn complaint_with_id(&mut self, id: [u8; 16]) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT number FROM complaints WHERE id = $1";
        self.query_optional(sql, values![id], |row| row.number(0))
    }

    fn complaints(&mut self, listing: &ComplaintListing) -> Result<Vec<Complaint>, StoreError> {
        let (at, number) = listing.after.unwrap_or(if listing.open {
            (i64::MIN, 0)
        } else {
            (i64::MAX, u64::MAX)
        });
        let page = if listing.open {
            "closed_at IS NULL AND (deadline_at, number) > ($1, $2) ORDER BY deadline_at, number"
        } else {
            "closed_at IS NOT NULL AND (closed_at, number) < ($1, $2)
             ORDER BY closed_at DESC, number DESC"
        };
        let sql = format!("SELECT {COLUMNS} FROM complaints WHERE {page} LIMIT $3");
        self.query_all(&sql, values![at, number, listing.limit], complaint)
    }

    fn complaints_after(&mut self, number: u64, limit: u32) -> Result<Vec<Complaint>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM complaints WHERE number > $1 ORDER BY number LIMIT $2");
        self.query_all(&sql, values![number, limit], complaint)
    }

    fn complaints_of(&mut self, record: RecordId) -> Result<Vec<Complaint>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM complaints WHERE record = $1 ORDER BY number");
        self.query_all(&sql, values![record.0], complaint)
    }

    fn complaint_counts(&mut self, now: i64) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT count(*), count(*) FILTER (WHERE deadline_at < $1)
                   FROM complaints WHERE closed_at IS NULL";
        let counts =
            self.query_optional(sql, values![now], |row| Ok((row.number(0)?, row.number(1)?)));
        Ok(counts?.unwrap_or_default())
    }

    fn complaint_events(&mut self, number: u64) -> Result<Vec<ComplaintEvent>, StoreError> {
        let sql = "SELECT id, at, by_user, kind, outcome, text FROM complaint_events
                   WHERE complaint = $1 ORDER BY at, id";
        self.query_all(sql, values![number], event)
    }

    fn complaint_candidates(&mut self, limit: u32) -> Result<Vec<RecordId>, StoreError> {
        let sql = "SELECT v.record FROM visits v
                   WHERE v.record IN (SELECT record FROM visit_holds WHERE flag = 'complaint'
                                      UNION SELECT record FROM visits WHERE disposition = 'complaint'
                                        AND stage IN ('sealed', 'reviewed'))
                     AND NOT EXISTS (SELECT 1 FROM complaints c
                                     WHERE c.record = v.record AND c.seen >= v.updated_at)
                   LIMIT $1";
        self.query_all(sql, values![limit], |row| row.record_id(0))
    }

    fn complaints_without_hold(&mut self, limit: u32) -> Result<Vec<Complaint>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM complaints c WHERE closed_at IS NULL AND NOT EXISTS (
                 SELECT 1 FROM visit_holds h WHERE h.record = c.record AND h.flag = 'complaint')
             ORDER BY number LIMIT $1"
        );
        self.query_all(&sql, values![limit], complaint)
    }
}

impl ComplaintWrites for Tx<'_> {
    fn add_complaint(&mut self, new: &Complaint) -> Result<Option<u64>, StoreError> {
        // Transactions are serializable: no two get one number.
        let added = self.write_now(
            "INSERT INTO complaints (number, id, record, case_no, since, source, topic, text,
                                     received_at, raised_by, rule, deadline_at, seen)
             VALUES ((SELECT coalesce(max(number), 0) + 1 FROM complaints),
                     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0) ON CONFLICT DO NOTHING",
            values![
                new.id,
                new.record.0,
                &new.case_no,
                new.since,
                new.source.as_str(),
                new.topic.as_str(),
                &new.text,
                new.received_at,
                &new.raised_by,
                &new.rule,
                new.deadline_at,
            ],
        )?;
        if added == 0 { Ok(None) } else { self.complaint_with_id(new.id) }
    }

    fn update_complaint(&mut self, complaint: &Complaint) -> Result<(), StoreError> {
        let (closed_at, outcome) = complaint.closed.unzip();
        self.write(
            "UPDATE complaints SET source = $2, topic = $3, text = $4, replied_at = $5,
                                   closed_at = $6, outcome = $7, deadline_at = $8,
                                   extended_from = $9
             WHERE number = $1",
            values![
                complaint.number,
                complaint.source.as_str(),
                complaint.topic.as_str(),
                &complaint.text,
                complaint.replied_at,
                closed_at,
                outcome.map(ComplaintOutcome::as_str),
                complaint.deadline_at,
                complaint.extended_from,
            ],
        )
    }

    fn add_complaint_event(
        &mut self,
        number: u64,
        event: &ComplaintEvent,
    ) -> Result<bool, StoreError> {
        let added = self.write_now(
            "INSERT INTO complaint_events (complaint, id, at, by_user, kind, outcome, text)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            values![
                number,
                event.id,
                event.at,
                &event.by,
                event.step.as_str(),
                event.outcome.map(ComplaintOutcome::as_str),
                &event.text,
            ],
        )?;
        Ok(added > 0)
    }

    fn complaints_seen(&mut self, record: RecordId) -> Result<(), StoreError> {
        self.write(
            "UPDATE complaints SET seen = (SELECT updated_at FROM visits v WHERE v.record = $1)
             WHERE record = $1",
            values![record.0],
        )
    }
}

fn complaint(row: &Row) -> Result<Complaint, StoreError> {
    let closed_at: Option<i64> = row.get(13)?;
    Ok(Complaint {
        number: row.number(0)?,
        id: row.fixed(1)?,
        record: row.record_id(2)?,
        case_no: row.get(3)?,
        since: row.get(4)?,
        source: row.word(5, ComplaintSource::parse)?,
        topic: row.word(6, ComplaintTopic::parse)?,
        text: row.get(7)?,
        received_at: row.get(8)?,
        raised_by: row.get(9)?,
        rule: row.get(10)?,
        deadline_at: row.get(11)?,
        extended_from: row.get(15)?,
        replied_at: row.get(12)?,
        closed: closed_at.zip(row.word_or_none(14, ComplaintOutcome::parse)?),
    })
}

fn event(row: &Row) -> Result<ComplaintEvent, StoreError> {
    Ok(ComplaintEvent {
        id: row.fixed(0)?,
        at: row.get(1)?,
        by: row.get(2)?,
        step: row.word(3, ComplaintStep::parse)?,
        outcome: row.word_or_none(4, ComplaintOutcome::parse)?,
        text: row.get(5)?,
    })
}
