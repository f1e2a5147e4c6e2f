//! Reports of devices in SQLite.

use rusqlite::Row;

use super::Tx;
use super::convert::{damaged, device_id, to_sql};
use crate::ids::DeviceId;
use crate::office::store::{DeviceReport, FailedRounds, FleetReads, FleetWrites, StoreError};

const COLUMNS: &str = "device, received_at, unsent, oldest_unsent_at, persisted, clock_skew_ms, \
                       failed, cursor";

impl FleetReads for Tx<'_> {
    fn device_report(&mut self, device: DeviceId) -> Result<Option<DeviceReport>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM device_reports WHERE device = ?1");
        self.query_optional(&sql, [device.0], report)
    }

    fn device_reports(&mut self) -> Result<Vec<DeviceReport>, StoreError> {
        self.query_all(&format!("SELECT {COLUMNS} FROM device_reports"), (), report)
    }
}

impl FleetWrites for Tx<'_> {
    fn put_device_report(&mut self, report: &DeviceReport) -> Result<(), StoreError> {
        let failed =
            serde_json::to_string(&report.failed).map_err(|_| damaged("a device's report"))?;
        self.write(
            &format!(
                "INSERT OR REPLACE INTO device_reports ({COLUMNS})
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
            ),
            (
                report.device.0,
                report.received_at,
                report.unsent,
                report.oldest_unsent_at,
                report.persisted,
                report.clock_skew_ms,
                failed,
                report.cursor.map(to_sql),
            ),
        )
        .map(drop)
    }
}

fn report(row: &Row<'_>) -> rusqlite::Result<DeviceReport> {
    let failed: String = row.get(6)?;
    // Failures are shown only: damaged ones must not hide the device.
    let failed: Vec<FailedRounds> = serde_json::from_str(&failed).unwrap_or_default();
    let cursor: Option<i64> = row.get(7)?;
    Ok(DeviceReport {
        device: device_id(row, 0)?,
        received_at: row.get(1)?,
        unsent: row.get(2)?,
        oldest_unsent_at: row.get(3)?,
        persisted: row.get(4)?,
        clock_skew_ms: row.get(5)?,
        failed,
        cursor: cursor.and_then(|cursor| u64::try_from(cursor).ok()),
    })
}
