//! Requests for support bundles in PostgreSQL.

use super::row::Row;
use super::tx::Tx;
use super::value::values;
use crate::ids::DeviceId;
use crate::office::store::{StoreError, SupportReads, SupportRequest, SupportWrites};

const COLUMNS: &str = "device, id, requested_by, requested_at, answered_at, declined, bundle_at";

impl SupportReads for Tx<'_> {
    fn support_request(&mut self, device: DeviceId) -> Result<Option<SupportRequest>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM support_requests WHERE device = $1");
        self.query_optional(&sql, values![device.0], request)
    }

    fn support_requests(&mut self) -> Result<Vec<SupportRequest>, StoreError> {
        self.query_all(&format!("SELECT {COLUMNS} FROM support_requests"), values![], request)
    }

    fn support_bundle(&mut self, device: DeviceId) -> Result<Option<String>, StoreError> {
        let sql = "SELECT bundle FROM support_requests WHERE device = $1 AND bundle IS NOT NULL";
        self.query_optional(sql, values![device.0], |row| row.get(0))
    }
}

impl SupportWrites for Tx<'_> {
    fn put_support_request(
        &mut self,
        request: &SupportRequest,
        bundle: Option<&str>,
    ) -> Result<(), StoreError> {
        self.write(
            &format!(
                "INSERT INTO support_requests ({COLUMNS}, bundle)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (device) DO UPDATE SET id = excluded.id,
                   requested_by = excluded.requested_by, requested_at = excluded.requested_at,
                   answered_at = excluded.answered_at, declined = excluded.declined,
                   bundle_at = excluded.bundle_at,
                   bundle = coalesce(excluded.bundle, support_requests.bundle)"
            ),
            values![
                request.device.0,
                request.id,
                &request.requested_by,
                request.requested_at,
                request.answered_at,
                request.declined,
                request.bundle_at,
                bundle,
            ],
        )
    }
}

fn request(row: &Row) -> Result<SupportRequest, StoreError> {
    Ok(SupportRequest {
        device: row.device_id(0)?,
        id: row.fixed(1)?,
        requested_by: row.get(2)?,
        requested_at: row.get(3)?,
        answered_at: row.get(4)?,
        declined: row.get(5)?,
        bundle_at: row.get(6)?,
    })
}
