//! Blobs in PostgreSQL: who names them, and uploads on their way.

use super::feeds::IN_FEED;
use super::row::Row;
use super::tx::Tx;
use super::value::values;
use crate::ids::{DeviceId, RecordId};
use crate::office::store::{
    Blob, BlobName, BlobReads, BlobReference, BlobShare, BlobWrites, StoreError,
};

impl BlobReads for Tx<'_> {
    fn uploaded(&mut self, name: BlobName, device: DeviceId) -> Result<u64, StoreError> {
        self.query_one(
            "SELECT coalesce(sum(size), 0)::bigint FROM blob_chunks
                 WHERE sha256 = $1 AND device = $2",
            values![name, device.0],
            |row| row.number(0),
        )
    }

    fn upload(&mut self, name: BlobName, device: DeviceId) -> Result<Vec<u8>, StoreError> {
        let chunks: Vec<Vec<u8>> = self.query_all(
            "SELECT bytes FROM blob_chunks WHERE sha256 = $1 AND device = $2 ORDER BY first",
            values![name, device.0],
            |row| row.get(0),
        )?;
        Ok(chunks.concat())
    }

    fn uploading(&mut self, user: &str) -> Result<BlobShare, StoreError> {
        self.query_one(
            "SELECT count(*), coalesce(sum(size), 0)::bigint FROM blob_chunks
                 WHERE device IN (SELECT id FROM devices WHERE user_name = $1)",
            values![user],
            share,
        )
    }

    fn unnamed_of(&mut self, user: &str) -> Result<BlobShare, StoreError> {
        self.query_one(
            "SELECT count(*), coalesce(sum(size), 0)::bigint FROM blobs
                 WHERE user_name = $1 AND NOT named",
            values![user],
            share,
        )
    }

    fn blob(&mut self, name: BlobName) -> Result<Option<Blob>, StoreError> {
        let read = |row: &Row| {
            Ok(Blob {
                name,
                size: row.number(0)?,
                device: row.device_id(1)?,
                user: row.get(2)?,
                received_at: row.get(3)?,
            })
        };
        self.query_optional(
            "SELECT size, device, user_name, received_at FROM blobs WHERE sha256 = $1",
            values![name],
            read,
        )
    }

    fn unnamed_before(&mut self, at: i64) -> Result<Vec<BlobName>, StoreError> {
        self.query_all(
            "SELECT sha256 FROM blobs b WHERE received_at < $1 AND NOT EXISTS
                   (SELECT 1 FROM visit_attachments a WHERE a.sha256 = b.sha256)
                 ORDER BY sha256",
            values![at],
            |row| row.fixed(0),
        )
    }

    fn blob_names(
        &mut self,
        after: Option<BlobName>,
        limit: u32,
    ) -> Result<Vec<(BlobName, bool)>, StoreError> {
        let after = after.map_or(Vec::new(), Vec::from);
        self.query_all(
            "SELECT sha256, bool_or(came) FROM (
                   (SELECT sha256, true AS came FROM blobs WHERE sha256 > $1
                    ORDER BY sha256 LIMIT $2)
                   UNION ALL
                   (SELECT DISTINCT sha256, false AS came FROM visit_attachments
                    WHERE sha256 > $1 ORDER BY sha256 LIMIT $2)) AS names
                 GROUP BY sha256 ORDER BY sha256 LIMIT $2",
            values![after, limit],
            |row| Ok((row.fixed(0)?, row.get(1)?)),
        )
    }

    fn scrubbed(&mut self) -> Result<Option<BlobName>, StoreError> {
        self.query_optional("SELECT after FROM blob_scrub", values![], |row| row.fixed_or_none(0))
            .map(Option::flatten)
    }

    fn brought_by(&mut self, name: BlobName, user: &str) -> Result<bool, StoreError> {
        self.query_one(
            "SELECT EXISTS (SELECT 1 FROM blob_uploaders WHERE sha256 = $1 AND user_name = $2)",
            values![name, user],
            |row| row.get(0),
        )
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
                 WHERE sha256 = $1 AND ($2::text IS NULL OR (
                   EXISTS (SELECT 1 FROM visit_collectors c
                           WHERE c.record = a.record AND c.collector = $2 AND {IN_FEED})
                   AND (EXISTS (SELECT 1 FROM blob_uploaders b
                                WHERE b.sha256 = a.sha256 AND b.user_name = a.added_by)
                     OR EXISTS (SELECT 1 FROM users u
                                WHERE u.name = a.added_by AND u.role <> 'collector'))))
                 ORDER BY record LIMIT 1"
            ),
            values![name, feed],
            reference,
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
             VALUES ($1, $2, $3, $4, $5, $6)",
            values![name, device.0, first, bytes.len() as u64, at, bytes],
        )
    }

    fn drop_upload(&mut self, name: BlobName, device: DeviceId) -> Result<(), StoreError> {
        let sql = "DELETE FROM blob_chunks WHERE sha256 = $1 AND device = $2";
        self.write(sql, values![name, device.0])
    }

    fn drop_uploads_before(&mut self, at: i64) -> Result<u64, StoreError> {
        self.write_now(
            "DELETE FROM blob_chunks WHERE (sha256, device) IN
               (SELECT sha256, device FROM blob_chunks GROUP BY sha256, device
                HAVING max(received_at) < $1)",
            values![at],
        )
    }

    fn put_blob(&mut self, blob: &Blob) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO blobs (sha256, size, device, user_name, received_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (sha256) DO UPDATE SET received_at = excluded.received_at",
            values![blob.name, blob.size, blob.device.0, &blob.user, blob.received_at],
        )?;
        self.write(
            "INSERT INTO blob_uploaders (sha256, user_name) VALUES ($1, $2)
             ON CONFLICT DO NOTHING",
            values![blob.name, &blob.user],
        )
    }

    fn drop_blob(&mut self, name: BlobName) -> Result<(), StoreError> {
        self.write("DELETE FROM blob_uploaders WHERE sha256 = $1", values![name])?;
        self.write("DELETE FROM blobs WHERE sha256 = $1", values![name])
    }

    fn set_scrubbed(&mut self, name: Option<BlobName>) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO blob_scrub (one, after) VALUES (1, $1)
             ON CONFLICT (one) DO UPDATE SET after = excluded.after",
            values![name],
        )
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
                 WHERE record = $1 ORDER BY sha256",
            values![id.0],
            reference,
        )
    }

    pub(super) fn write_attachments(
        &mut self,
        id: RecordId,
        named: &[BlobReference],
    ) -> Result<(), StoreError> {
        let names: Vec<Vec<u8>> = named.iter().map(|named| named.name.to_vec()).collect();
        self.write(
            "DELETE FROM visit_attachments WHERE record = $1 AND sha256 <> ALL ($2::bytea[])",
            values![id.0, names],
        )?;
        for BlobReference { name, media_type, size, by } in named {
            self.write(
                "INSERT INTO visit_attachments AS t (record, sha256, media_type, size, added_by)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (record, sha256) DO UPDATE SET media_type = excluded.media_type,
                   size = excluded.size, added_by = excluded.added_by
                 WHERE t.* IS DISTINCT FROM excluded.*",
                values![id.0, name, media_type, *size, by],
            )?;
        }
        Ok(())
    }
}

fn share(row: &Row) -> Result<BlobShare, StoreError> {
    Ok(BlobShare { count: row.number(0)?, bytes: row.number(1)? })
}

fn reference(row: &Row) -> Result<BlobReference, StoreError> {
    Ok(BlobReference {
        name: row.fixed(0)?,
        media_type: row.get(1)?,
        size: row.get(2)?,
        by: row.get(3)?,
    })
}
