//! Reports of devices in PostgreSQL.

use super::row::{Row, damaged};
use super::tx::Tx;
use super::value::values;
use crate::ids::DeviceId;
use crate::office::store::{DeviceReport, FailedRounds, FleetReads, FleetWrites, StoreError};

const COLUMNS: &str = "device, received_at, unsent, oldest_unsent_at, persisted, clock_skew_ms, \
                       failed, cursor";

impl FleetReads for Tx<'_> {
    fn device_report(&mut self, device: DeviceId) -> Result<Option<DeviceReport>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM device_reports WHERE device = $1");
        self.query_optional(&sql, values![device.0], report)
    }

    fn device_reports(&mut self) -> Result<Vec<DeviceReport>, StoreError> {
        self.query_all(&format!("SELECT {COLUMNS} FROM device_reports"), values![], report)
    }
}

impl FleetWrites for Tx<'_> {
    fn put_device_report(&mut self, report: &DeviceReport) -> Result<(), StoreError> {
        let failed =
            serde_json::to_string(&report.failed).map_err(|_| damaged("a device's report"))?;
        self.write(
            &format!(
                "INSERT INTO device_reports ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (device) DO UPDATE SET received_at = excluded.received_at,
                   unsent = excluded.unsent, oldest_unsent_at = excluded.oldest_unsent_at,
                   persisted = excluded.persisted, clock_skew_ms = excluded.clock_skew_ms,
                   failed = excluded.failed, cursor = excluded.cursor"
            ),
            values![
                report.device.0,
                report.received_at,
                report.unsent,
                report.oldest_unsent_at,
                report.persisted,
                report.clock_skew_ms,
                failed,
                report.cursor,
            ],
        )
    }
}

fn report(row: &Row) -> Result<DeviceReport, StoreError> {
    // Failures are shown only: damaged ones must not hide the device.
    let failed: Vec<FailedRounds> = serde_json::from_str(row.get(6)?).unwrap_or_default();
    Ok(DeviceReport {
        device: row.device_id(0)?,
        received_at: row.get(1)?,
        unsent: row.get(2)?,
        oldest_unsent_at: row.get(3)?,
        persisted: row.get(4)?,
        clock_skew_ms: row.get(5)?,
        failed,
        cursor: row.number_or_none(7)?,
    })
}
