//! Proposals in SQLite.

use rusqlite::Row;

use super::Tx;
use super::convert::{number, to_sql, word};
use crate::ids::RecordId;
use crate::office::store::{
    ApprovalKind, Proposal, ProposalDecision, ProposalListing, ProposalReads, ProposalState,
    ProposalWrites, StoreError,
};

const COLUMNS: &str = "number, id, kind, subject, record, case_no, heads, action, amount, \
                       currency, reason, proposed_by, proposed_at, expires_at, state, \
                       decided_by, decided_at, answer";

impl ProposalReads for Tx<'_> {
    fn proposal(&mut self, number: u64) -> Result<Option<Proposal>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM proposals WHERE number = ?1");
        self.query_optional(&sql, [to_sql(number)], proposal)
    }

    fn proposal_with_id(&mut self, id: [u8; 16]) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT number FROM proposals WHERE id = ?1";
        self.query_optional(sql, [id], |row| number(row, 0))
    }

    fn pending_proposal(
        &mut self,
        kind: ApprovalKind,
        subject: &str,
    ) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT number FROM proposals
                   WHERE state = 'pending' AND kind = ?1 AND subject = ?2";
        self.query_optional(sql, (kind.as_str(), subject), |row| number(row, 0))
    }

    fn proposals(&mut self, listing: &ProposalListing) -> Result<Vec<Proposal>, StoreError> {
        let after = listing.after.unwrap_or(if listing.pending { 0 } else { u64::MAX });
        let page = if listing.pending {
            "state = 'pending' AND expires_at > ?1 AND number > ?2 ORDER BY number"
        } else {
            "(state <> 'pending' OR expires_at <= ?1) AND number < ?2 ORDER BY number DESC"
        };
        let sql = format!("SELECT {COLUMNS} FROM proposals WHERE {page} LIMIT ?3");
        self.query_all(&sql, (listing.now, to_sql(after), listing.limit), proposal)
    }

    fn count_pending(&mut self, now: i64, cap: u32) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM proposals
                   WHERE state = 'pending' AND expires_at > ?1 LIMIT ?2) AS counted";
        Ok(self.query_optional(sql, (now, cap), |row| number(row, 0))?.unwrap_or_default())
    }
}

impl ProposalWrites for Tx<'_> {
    fn add_proposal(&mut self, new: &Proposal) -> Result<u64, StoreError> {
        self.write(
            "INSERT INTO proposals (id, kind, subject, record, case_no, heads, action, amount,
                                    currency, reason, proposed_by, proposed_at, expires_at, state,
                                    decided_by, decided_at, answer)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
            rusqlite::params![
                new.id,
                new.kind.as_str(),
                new.subject,
                new.record.map(|record| record.0),
                new.case_no,
                new.heads,
                new.action,
                new.amount,
                new.currency,
                new.reason,
                new.proposed_by,
                new.proposed_at,
                new.expires_at,
                new.state.as_str(),
                new.decided_by,
                new.decided_at,
                new.answer,
            ],
        )?;
        Ok(self.proposal_with_id(new.id)?.unwrap_or_default())
    }

    fn decide_proposal(
        &mut self,
        number: u64,
        decision: &ProposalDecision,
    ) -> Result<(), StoreError> {
        self.write(
            "UPDATE proposals SET state = ?2, decided_by = ?3, decided_at = ?4, answer = ?5
             WHERE number = ?1",
            (to_sql(number), decision.state.as_str(), &decision.by, decision.at, &decision.answer),
        )
        .map(drop)
    }

    fn expire_proposals(&mut self, now: i64) -> Result<(), StoreError> {
        self.write(
            "UPDATE proposals SET state = 'expired' WHERE state = 'pending' AND expires_at <= ?1",
            [now],
        )
        .map(drop)
    }
}

fn proposal(row: &Row<'_>) -> rusqlite::Result<Proposal> {
    Ok(Proposal {
        number: number(row, 0)?,
        id: row.get(1)?,
        kind: word(row, 2, ApprovalKind::parse)?,
        subject: row.get(3)?,
        record: row.get::<_, Option<_>>(4)?.map(RecordId),
        case_no: row.get(5)?,
        heads: row.get(6)?,
        action: row.get(7)?,
        amount: row.get(8)?,
        currency: row.get(9)?,
        reason: row.get(10)?,
        proposed_by: row.get(11)?,
        proposed_at: row.get(12)?,
        expires_at: row.get(13)?,
        state: word(row, 14, ProposalState::parse)?,
        decided_by: row.get(15)?,
        decided_at: row.get(16)?,
        answer: row.get(17)?,
    })
}
