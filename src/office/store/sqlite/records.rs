//! Records, changes, receipts and refused work in SQLite.

use automerge::ChangeHash;
use rusqlite::Row;

use super::Tx;
use super::convert::{
    actor, device_id, failed, hash, hashes, heads, joined, number, number_or_none, record_id,
    to_sql,
};
use super::feeds::IN_FEED;
use crate::ids::{DeviceId, Heads, RecordId};
use crate::office::store::{
    ChangeMeta, Listing, Page, Receipt, RecordReads, RecordWrites, Rows, StoreError, StoredChange,
    StoredRecord,
};

const RECEIPT: &str =
    "SELECT n, hashes, device, user, received_at, previous, hash, quarantine FROM receipts
     WHERE record = ?1";

impl RecordReads for Tx<'_> {
    fn record(&mut self, id: RecordId) -> Result<Option<StoredRecord>, StoreError> {
        let read = |row: &Row<'_>| {
            Ok(StoredRecord {
                case_no: row.get(0)?,
                heads: heads(row, 1)?,
                max_op: number(row, 2)?,
                changes: number(row, 3)?,
                created_at: row.get(4)?,
                updated_at: row.get(5)?,
                document: row.get(6)?,
            })
        };
        self.query_optional(
            "SELECT case_no, heads, max_op, changes, created_at, updated_at, document
                 FROM records WHERE id = ?1",
            [id.0],
            read,
        )
    }

    fn heads(&mut self, id: RecordId) -> Result<Option<Heads>, StoreError> {
        self.query_optional("SELECT heads FROM records WHERE id = ?1", [id.0], |row| heads(row, 0))
    }

    fn find_case(&mut self, case_no: &str) -> Result<Option<RecordId>, StoreError> {
        self.query_optional(
            "SELECT id FROM records WHERE case_no = ?1 ORDER BY id DESC LIMIT 1",
            [case_no],
            |row| record_id(row, 0),
        )
    }

    fn record_ids(
        &mut self,
        after: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<RecordId>, StoreError> {
        // The empty blob sorts before every id.
        let after = after.map_or(Vec::new(), |id| id.0.to_vec());
        self.query_all(
            "SELECT id FROM records WHERE id > ?1 ORDER BY id LIMIT ?2",
            (after, limit),
            |row| record_id(row, 0),
        )
    }

    fn change_metas(&mut self, id: RecordId) -> Result<Vec<ChangeMeta>, StoreError> {
        self.query_all(
            "SELECT hash, actor, seq, max_op FROM changes WHERE record = ?1 ORDER BY ordinal",
            [id.0],
            |row| known(row, 0),
        )
    }

    fn changes_after(
        &mut self,
        id: RecordId,
        ordinal: u64,
    ) -> Result<Vec<StoredChange>, StoreError> {
        let read = |row: &Row<'_>| {
            Ok(StoredChange {
                meta: known(row, 0)?,
                ordinal: number(row, 4)?,
                received_at: row.get(5)?,
                device: device_id(row, 6)?,
                user: row.get(7)?,
                bytes: row.get(8)?,
            })
        };
        self.query_all(
            "SELECT hash, actor, seq, max_op, ordinal, received_at, device, user, bytes
                 FROM changes WHERE record = ?1 AND ordinal > ?2 ORDER BY ordinal",
            (id.0, to_sql(ordinal)),
            read,
        )
    }

    fn change_times(&mut self, id: RecordId) -> Result<Vec<(ChangeHash, i64)>, StoreError> {
        let read = |row: &Row<'_>| Ok((hash(row, 0)?, row.get(1)?));
        self.query_all(
            "SELECT hash, received_at FROM changes WHERE record = ?1 ORDER BY ordinal",
            [id.0],
            read,
        )
    }

    fn has_changes_from(
        &mut self,
        id: RecordId,
        device: DeviceId,
        since: i64,
    ) -> Result<bool, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT 1 FROM changes WHERE record = ?1 AND device = ?2 AND received_at >= ?3",
            )
            .and_then(|mut statement| statement.exists((id.0, device.0, since)))
            .map_err(failed)
    }

    fn assigned(&mut self, id: RecordId) -> Result<Vec<String>, StoreError> {
        self.query_all(
            "SELECT collector FROM visit_collectors WHERE record = ?1 ORDER BY collector",
            [id.0],
            |row| row.get(0),
        )
    }

    fn collectors(&mut self, id: RecordId) -> Result<Vec<String>, StoreError> {
        self.query_all(
            &format!(
                "SELECT c.collector FROM visit_collectors c
                 WHERE c.record = ?1 AND {IN_FEED} ORDER BY c.collector"
            ),
            [id.0],
            |row| row.get(0),
        )
    }

    fn last_receipt(&mut self, id: RecordId) -> Result<Option<Receipt>, StoreError> {
        self.query_optional(&format!("{RECEIPT} ORDER BY n DESC LIMIT 1"), [id.0], receipt)
    }

    fn receipts(&mut self, id: RecordId) -> Result<Vec<Receipt>, StoreError> {
        self.query_all(&format!("{RECEIPT} ORDER BY n"), [id.0], receipt)
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
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (id) DO UPDATE SET heads = excluded.heads, max_op = excluded.max_op,
               changes = excluded.changes, updated_at = excluded.updated_at,
               document = excluded.document",
            (
                id.0,
                &record.case_no,
                joined(record.heads.as_slice()),
                to_sql(record.max_op),
                to_sql(record.changes),
                record.created_at,
                record.updated_at,
                &record.document,
            ),
        )
        .map(drop)
    }

    fn add_change(&mut self, id: RecordId, change: &StoredChange) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO changes
               (record, ordinal, hash, actor, seq, max_op, received_at, device, user, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            (
                id.0,
                to_sql(change.ordinal),
                change.meta.hash.0,
                change.meta.actor.to_bytes(),
                to_sql(change.meta.seq),
                to_sql(change.meta.max_op),
                change.received_at,
                change.device.0,
                &change.user,
                &change.bytes,
            ),
        )
        .map(drop)
    }

    fn add_receipt(&mut self, id: RecordId, receipt: &Receipt) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO receipts
               (record, n, hashes, device, user, received_at, previous, hash, quarantine)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            (
                id.0,
                to_sql(receipt.n),
                joined(&receipt.hashes),
                receipt.device.0,
                &receipt.user,
                receipt.received_at,
                receipt.previous,
                receipt.hash,
                receipt.quarantine.map(to_sql),
            ),
        )
        .map(drop)
    }

    fn put_rows(&mut self, id: RecordId, rows: &Rows) -> Result<(), StoreError> {
        self.write_rows(id, rows)
    }
}

fn known(row: &Row<'_>, first: usize) -> rusqlite::Result<ChangeMeta> {
    Ok(ChangeMeta {
        hash: hash(row, first)?,
        actor: actor(row, first + 1)?,
        seq: number(row, first + 2)?,
        max_op: number(row, first + 3)?,
    })
}

fn receipt(row: &Row<'_>) -> rusqlite::Result<Receipt> {
    Ok(Receipt {
        n: number(row, 0)?,
        hashes: hashes(row, 1)?,
        device: device_id(row, 2)?,
        user: row.get(3)?,
        received_at: row.get(4)?,
        previous: row.get(5)?,
        hash: row.get(6)?,
        quarantine: number_or_none(row, 7)?,
    })
}
