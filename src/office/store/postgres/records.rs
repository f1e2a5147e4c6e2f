//! Records, changes and receipts in PostgreSQL.

use automerge::ChangeHash;

use super::feeds::IN_FEED;
use super::row::{Row, joined};
use super::tx::Tx;
use super::value::values;
use crate::ids::{DeviceId, Heads, RecordId};
use crate::office::store::{
    ChangeMeta, Listing, Page, Receipt, RecordReads, RecordWrites, Rows, StoreError, StoredChange,
    StoredRecord,
};

const RECEIPT: &str =
    "SELECT n, hashes, device, user_name, received_at, previous, hash, quarantine FROM receipts
     WHERE record = $1";

impl RecordReads for Tx<'_> {
    fn record(&mut self, id: RecordId) -> Result<Option<StoredRecord>, StoreError> {
        let read = |row: &Row| {
            Ok(StoredRecord {
                case_no: row.get(0)?,
                heads: row.heads(1)?,
                max_op: row.number(2)?,
                changes: row.number(3)?,
                created_at: row.get(4)?,
                updated_at: row.get(5)?,
                document: row.get(6)?,
            })
        };
        self.query_optional(
            "SELECT case_no, heads, max_op, changes, created_at, updated_at, document
                 FROM records WHERE id = $1",
            values![id.0],
            read,
        )
    }

    fn heads(&mut self, id: RecordId) -> Result<Option<Heads>, StoreError> {
        let sql = "SELECT heads FROM records WHERE id = $1";
        self.query_optional(sql, values![id.0], |row| row.heads(0))
    }

    fn find_case(&mut self, case_no: &str) -> Result<Option<RecordId>, StoreError> {
        self.query_optional(
            "SELECT id FROM records WHERE case_no = $1 ORDER BY id DESC LIMIT 1",
            values![case_no],
            |row| row.record_id(0),
        )
    }

    fn record_ids(
        &mut self,
        after: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<RecordId>, StoreError> {
        // The empty string of bytes sorts before every id.
        let after = after.map_or(Vec::new(), |id| id.0.to_vec());
        self.query_all(
            "SELECT id FROM records WHERE id > $1 ORDER BY id LIMIT $2",
            values![after, limit],
            |row| row.record_id(0),
        )
    }

    fn change_metas(&mut self, id: RecordId) -> Result<Vec<ChangeMeta>, StoreError> {
        self.query_all(
            "SELECT hash, actor, seq, max_op FROM changes WHERE record = $1 ORDER BY ordinal",
            values![id.0],
            meta,
        )
    }

    fn changes_after(
        &mut self,
        id: RecordId,
        ordinal: u64,
    ) -> Result<Vec<StoredChange>, StoreError> {
        let read = |row: &Row| {
            Ok(StoredChange {
                meta: meta(row)?,
                ordinal: row.number(4)?,
                received_at: row.get(5)?,
                device: row.device_id(6)?,
                user: row.get(7)?,
                bytes: row.get(8)?,
            })
        };
        self.query_all(
            "SELECT hash, actor, seq, max_op, ordinal, received_at, device, user_name, bytes
                 FROM changes WHERE record = $1 AND ordinal > $2 ORDER BY ordinal",
            values![id.0, ordinal],
            read,
        )
    }

    fn change_times(&mut self, id: RecordId) -> Result<Vec<(ChangeHash, i64)>, StoreError> {
        self.query_all(
            "SELECT hash, received_at FROM changes WHERE record = $1 ORDER BY ordinal",
            values![id.0],
            |row| Ok((row.hash(0)?, row.get(1)?)),
        )
    }

    fn has_changes_from(
        &mut self,
        id: RecordId,
        device: DeviceId,
        since: i64,
    ) -> Result<bool, StoreError> {
        self.query_one(
            "SELECT EXISTS (SELECT 1 FROM changes
                 WHERE record = $1 AND device = $2 AND received_at >= $3)",
            values![id.0, device.0, since],
            |row| row.get(0),
        )
    }

    fn assigned(&mut self, id: RecordId) -> Result<Vec<String>, StoreError> {
        self.query_all(
            "SELECT collector FROM visit_collectors WHERE record = $1 ORDER BY collector",
            values![id.0],
            |row| row.get(0),
        )
    }

    fn collectors(&mut self, id: RecordId) -> Result<Vec<String>, StoreError> {
        self.query_all(
            &format!(
                "SELECT c.collector FROM visit_collectors c
                 WHERE c.record = $1 AND {IN_FEED} ORDER BY c.collector"
            ),
            values![id.0],
            |row| row.get(0),
        )
    }

    fn last_receipt(&mut self, id: RecordId) -> Result<Option<Receipt>, StoreError> {
        let sql = format!("{RECEIPT} ORDER BY n DESC LIMIT 1");
        self.query_optional(&sql, values![id.0], receipt)
    }

    fn receipts(&mut self, id: RecordId) -> Result<Vec<Receipt>, StoreError> {
        self.query_all(&format!("{RECEIPT} ORDER BY n"), values![id.0], receipt)
    }

    fn rows(&mut self, id: RecordId) -> Result<Option<Rows>, StoreError> {
        self.read_rows(id)
    }

    fn list(&mut self, listing: &Listing) -> Result<Page, StoreError> {
        self.read_page(listing)
    }
}

impl RecordWrites for Tx<'_> {
    fn put_record(&mut self, id: RecordId, record: &StoredRecord) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO records
               (id, case_no, heads, max_op, changes, created_at, updated_at, document)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (id) DO UPDATE SET heads = excluded.heads, max_op = excluded.max_op,
               changes = excluded.changes, updated_at = excluded.updated_at,
               document = excluded.document",
            values![
                id.0,
                &record.case_no,
                joined(record.heads.as_slice()),
                record.max_op,
                record.changes,
                record.created_at,
                record.updated_at,
                record.document.as_slice(),
            ],
        )
    }

    fn add_change(&mut self, id: RecordId, change: &StoredChange) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO changes
               (record, ordinal, hash, actor, seq, max_op, received_at, device, user_name, bytes)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            values![
                id.0,
                change.ordinal,
                change.meta.hash.0,
                change.meta.actor.to_bytes(),
                change.meta.seq,
                change.meta.max_op,
                change.received_at,
                change.device.0,
                &change.user,
                change.bytes.as_slice(),
            ],
        )
    }

    fn add_receipt(&mut self, id: RecordId, receipt: &Receipt) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO receipts
               (record, n, hashes, device, user_name, received_at, previous, hash, quarantine)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            values![
                id.0,
                receipt.n,
                joined(&receipt.hashes),
                receipt.device.0,
                &receipt.user,
                receipt.received_at,
                receipt.previous,
                receipt.hash,
                receipt.quarantine,
            ],
        )
    }

    fn put_rows(&mut self, id: RecordId, rows: &Rows) -> Result<(), StoreError> {
        self.write_rows(id, rows)
    }
}

fn meta(row: &Row) -> Result<ChangeMeta, StoreError> {
    Ok(ChangeMeta {
        hash: row.hash(0)?,
        actor: row.actor(1)?,
        seq: row.number(2)?,
        max_op: row.number(3)?,
    })
}

fn receipt(row: &Row) -> Result<Receipt, StoreError> {
    Ok(Receipt {
        n: row.number(0)?,
        hashes: row.hashes(1)?,
        device: row.device_id(2)?,
        user: row.get(3)?,
        received_at: row.get(4)?,
        previous: row.fixed(5)?,
        hash: row.fixed(6)?,
        quarantine: row.number_or_none(7)?,
    })
}
