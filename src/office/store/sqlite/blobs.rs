//! Blobs in SQLite: who names them, and uploads on their way.

use rusqlite::{OptionalExtension, Row};

use super::Tx;
use super::convert::{device_id, failed, number, to_sql};
use super::feeds::IN_FEED;
use crate::ids::{DeviceId, RecordId};
use crate::office::store::{
    Blob, BlobName, BlobReads, BlobReference, BlobShare, BlobWrites, StoreError,
};

impl BlobReads for Tx<'_> {
    fn uploaded(&mut self, name: BlobName, device: DeviceId) -> Result<u64, StoreError> {
        self.query_one(
            "SELECT coalesce(sum(size), 0) FROM blob_chunks WHERE sha256 = ?1 AND device = ?2",
            (name, device.0),
            |row| number(row, 0),
        )
    }

    fn upload(&mut self, name: BlobName, device: DeviceId) -> Result<Vec<u8>, StoreError> {
        let chunks: Vec<Vec<u8>> = self.query_all(
            "SELECT bytes FROM blob_chunks WHERE sha256 = ?1 AND device = ?2 ORDER BY first",
            (name, device.0),
            |row| row.get(0),
        )?;
        Ok(chunks.concat())
    }

    fn uploading(&mut self, user: &str) -> Result<BlobShare, StoreError> {
        self.query_one(
            "SELECT count(*), coalesce(sum(size), 0) FROM blob_chunks
                 WHERE device IN (SELECT id FROM devices WHERE user = ?1)",
            [user],
            share,
        )
    }

    fn unnamed_of(&mut self, user: &str) -> Result<BlobShare, StoreError> {
        self.query_one(
            "SELECT count(*), coalesce(sum(size), 0) FROM blobs
                 WHERE user = ?1 AND named = 0",
            [user],
            share,
        )
    }

    fn blob(&mut self, name: BlobName) -> Result<Option<Blob>, StoreError> {
        let read = |row: &Row<'_>| {
            Ok(Blob {
                name,
                size: number(row, 0)?,
                device: device_id(row, 1)?,
                user: row.get(2)?,
                received_at: row.get(3)?,
            })
        };
        self.query_optional(
            "SELECT size, device, user, received_at FROM blobs WHERE sha256 = ?1",
            [name],
            read,
        )
    }

    fn unnamed_before(&mut self, at: i64) -> Result<Vec<BlobName>, StoreError> {
        self.query_all(
            "SELECT sha256 FROM blobs b WHERE received_at < ?1 AND NOT EXISTS
                   (SELECT 1 FROM visit_attachments a WHERE a.sha256 = b.sha256)
                 ORDER BY sha256",
            [at],
            |row| row.get(0),
        )
    }

    fn blob_names(
        &mut self,
        after: Option<BlobName>,
        limit: u32,
    ) -> Result<Vec<(BlobName, bool)>, StoreError> {
        let after = after.map_or(Vec::new(), Vec::from);
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        self.query_all(
            "SELECT sha256, max(came) FROM (
                   SELECT * FROM (SELECT sha256, 1 AS came FROM blobs WHERE sha256 > ?1
                                  ORDER BY sha256 LIMIT ?2)
                   UNION ALL
                   SELECT * FROM (SELECT DISTINCT sha256, 0 AS came FROM visit_attachments
                                  WHERE sha256 > ?1 ORDER BY sha256 LIMIT ?2))
                 GROUP BY sha256 ORDER BY sha256 LIMIT ?2",
            (after, limit),
            read,
        )
    }

    fn scrubbed(&mut self) -> Result<Option<BlobName>, StoreError> {
        self.connection
            .prepare_cached("SELECT after FROM blob_scrub")
            .and_then(|mut statement| statement.query_row((), |row| row.get(0)).optional())
            .map(Option::flatten)
            .map_err(failed)
    }

    fn brought_by(&mut self, name: BlobName, user: &str) -> Result<bool, StoreError> {
        self.connection
            .prepare_cached("SELECT 1 FROM blob_bringers WHERE sha256 = ?1 AND user = ?2")
            .and_then(|mut statement| statement.exists((name, user)))
            .map_err(failed)
    }

    fn named(
        &mut self,
        name: BlobName,
        feed: Option<&str>,
    ) -> Result<Option<BlobReference>, StoreError> {
        // Records that name the same bytes may call them differently: the first counts.
        self.query_optional(
            &format!(
                "SELECT sha256, media_type, size, added_by FROM visit_attachments a
                 WHERE sha256 = ?1 AND (?2 IS NULL OR (
                   EXISTS (SELECT 1 FROM visit_collectors c
                           WHERE c.record = a.record AND c.collector = ?2 AND {IN_FEED})
                   AND (EXISTS (SELECT 1 FROM blob_bringers b
                                WHERE b.sha256 = a.sha256 AND b.user = a.added_by)
                     OR EXISTS (SELECT 1 FROM users u
                                WHERE u.name = a.added_by AND u.role <> 'collector'))))
                 ORDER BY record LIMIT 1"
            ),
            (name, feed),
            named_blob,
        )
    }
}

impl BlobWrites for Tx<'_> {
    fn add_to_upload(
        &mut self,
        name: BlobName,
        device: DeviceId,
        first: u64,
        bytes: &[u8],
        at: i64,
    ) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO blob_chunks (sha256, device, first, size, received_at, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (name, device.0, to_sql(first), to_sql(bytes.len() as u64), at, bytes),
        )
        .map(drop)
    }

    fn drop_upload(&mut self, name: BlobName, device: DeviceId) -> Result<(), StoreError> {
        self.write("DELETE FROM blob_chunks WHERE sha256 = ?1 AND device = ?2", (name, device.0))
            .map(drop)
    }

    fn drop_uploads_before(&mut self, at: i64) -> Result<u64, StoreError> {
        self.write(
            "DELETE FROM blob_chunks WHERE (sha256, device) IN
               (SELECT sha256, device FROM blob_chunks GROUP BY sha256, device
                HAVING max(received_at) < ?1)",
            [at],
        )
    }

    fn put_blob(&mut self, blob: &Blob) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO blobs (sha256, size, device, user, received_at)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET received_at = excluded.received_at",
            (blob.name, to_sql(blob.size), blob.device.0, &blob.user, blob.received_at),
        )?;
        self.write(
            "INSERT INTO blob_bringers (sha256, user) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            (blob.name, &blob.user),
        )
        .map(drop)
    }

    fn drop_blob(&mut self, name: BlobName) -> Result<(), StoreError> {
        self.write("DELETE FROM blob_bringers WHERE sha256 = ?1", [name])?;
        self.write("DELETE FROM blobs WHERE sha256 = ?1", [name]).map(drop)
    }

    fn set_scrubbed(&mut self, name: Option<BlobName>) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO blob_scrub (one, after) VALUES (1, ?1)
             ON CONFLICT DO UPDATE SET after = excluded.after",
            [name],
        )
        .map(drop)
    }
}

impl Tx<'_> {
    /// What a record names, in order.
    pub(super) fn read_attachments(
        &mut self,
        id: RecordId,
    ) -> Result<Vec<BlobReference>, StoreError> {
        self.query_all(
            "SELECT sha256, media_type, size, added_by FROM visit_attachments
                 WHERE record = ?1 ORDER BY sha256",
            [id.0],
            named_blob,
        )
    }

    pub(super) fn write_attachments(
        &self,
        id: RecordId,
        named: &[BlobReference],
    ) -> Result<(), StoreError> {
        self.write("DELETE FROM visit_attachments WHERE record = ?1", [id.0])?;
        for BlobReference { name, media_type, size, by } in named {
            self.write(
                "INSERT INTO visit_attachments (record, sha256, media_type, size, added_by)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                (id.0, name, media_type, size, by),
            )?;
        }
        Ok(())
    }
}

fn share(row: &Row<'_>) -> rusqlite::Result<BlobShare> {
    Ok(BlobShare { count: number(row, 0)?, bytes: number(row, 1)? })
}

fn named_blob(row: &Row<'_>) -> rusqlite::Result<BlobReference> {
    Ok(BlobReference {
        name: row.get(0)?,
        media_type: row.get(1)?,
        size: row.get(2)?,
        by: row.get(3)?,
    })
}
