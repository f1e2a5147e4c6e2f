//! Users, devices and sign-ins in SQLite.

use rusqlite::{OptionalExtension, Row};

use super::Tx;
use super::convert::{device_id, failed, word};
use crate::ids::DeviceId;
use crate::office::store::{AccountReads, AccountWrites, Device, SignIn, StoreError, User};
use crate::record::terms::Role;

const USER: &str =
    "SELECT name, display_name, role, password_hash, disabled_at, created_at FROM users";
const DEVICE: &str = "SELECT id, user, created_at, last_seen_at, revoked_at FROM devices";

impl AccountReads for Tx<'_> {
    fn user(&mut self, name: &str) -> Result<Option<User>, StoreError> {
        self.connection
            .prepare_cached(&format!("{USER} WHERE name = ?1"))
            .and_then(|mut statement| statement.query_row([name], user).optional())
            .map_err(failed)
    }

    fn users(&mut self) -> Result<Vec<User>, StoreError> {
        self.connection
            .prepare_cached(&format!("{USER} ORDER BY name"))
            .and_then(|mut statement| statement.query_map((), user)?.collect())
            .map_err(failed)
    }

    fn device(&mut self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        self.connection
            .prepare_cached(&format!("{DEVICE} WHERE id = ?1"))
            .and_then(|mut statement| statement.query_row([id.0], device).optional())
            .map_err(failed)
    }

    fn device_keys(&mut self, id: DeviceId) -> Result<Vec<[u8; 32]>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT key FROM device_keys WHERE device = ?1 ORDER BY enrolled_at, key",
            )
            .and_then(|mut statement| statement.query_map([id.0], |row| row.get(0))?.collect())
            .map_err(failed)
    }

    fn devices(&mut self) -> Result<Vec<Device>, StoreError> {
        self.connection
            .prepare_cached(&format!("{DEVICE} ORDER BY created_at, id"))
            .and_then(|mut statement| statement.query_map((), device)?.collect())
            .map_err(failed)
    }

    fn office_device(&mut self) -> Result<DeviceId, StoreError> {
        self.connection
            .prepare_cached("SELECT office_device FROM meta")
            .and_then(|mut statement| statement.query_row((), |row| device_id(row, 0)))
            .map_err(failed)
    }

    fn sign_in(&mut self, token_hash: &[u8; 32]) -> Result<Option<SignIn>, StoreError> {
        let read = |row: &Row<'_>| {
            Ok(SignIn {
                token_hash: *token_hash,
                user: row.get(0)?,
                device: device_id(row, 1)?,
                created_at: row.get(2)?,
                expires_at: row.get(3)?,
                ended: row.get(4)?,
            })
        };
        self.connection
            .prepare_cached(
                "SELECT user, device, created_at, expires_at, ended FROM sessions
                 WHERE token_hash = ?1",
            )
            .and_then(|mut statement| statement.query_row([token_hash], read).optional())
            .map_err(failed)
    }
}

impl AccountWrites for Tx<'_> {
    fn put_user(&mut self, user: &User) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO users (name, display_name, role, password_hash, disabled_at, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (name) DO UPDATE SET display_name = excluded.display_name,
               role = excluded.role, password_hash = excluded.password_hash,
               disabled_at = excluded.disabled_at",
            (
                &user.name,
                &user.display_name,
                user.role.as_str(),
                &user.password_hash,
                user.disabled_at,
                user.created_at,
            ),
        )
        .map(drop)
    }

    fn put_device(&mut self, device: &Device) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO devices (id, user, created_at, last_seen_at, revoked_at)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET last_seen_at = excluded.last_seen_at,
               revoked_at = excluded.revoked_at",
            (device.id.0, &device.user, device.created_at, device.last_seen_at, device.revoked_at),
        )
        .map(drop)
    }

    fn put_device_key(&mut self, id: DeviceId, key: [u8; 32], at: i64) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO device_keys (device, key, enrolled_at) VALUES (?1, ?2, ?3)
             ON CONFLICT DO NOTHING",
            (id.0, key, at),
        )
        .map(drop)
    }

    fn put_sign_in(&mut self, sign_in: &SignIn) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO sessions (token_hash, user, device, created_at, expires_at, ended)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (token_hash) DO UPDATE SET expires_at = excluded.expires_at",
            (
                sign_in.token_hash,
                &sign_in.user,
                sign_in.device.0,
                sign_in.created_at,
                sign_in.expires_at,
                sign_in.ended,
            ),
        )
        .map(drop)
    }

    fn end_sign_in(&mut self, token_hash: &[u8; 32]) -> Result<(), StoreError> {
        self.write("DELETE FROM sessions WHERE token_hash = ?1", [token_hash]).map(drop)
    }

    fn end_sign_ins_of(&mut self, user: &str) -> Result<u64, StoreError> {
        self.write("UPDATE sessions SET ended = 1 WHERE user = ?1 AND ended = 0", [user])
    }

    fn end_sign_ins_on(&mut self, device: DeviceId) -> Result<u64, StoreError> {
        self.write("UPDATE sessions SET ended = 1 WHERE device = ?1 AND ended = 0", [device.0])
    }

    fn forget_expired(&mut self, before: i64) -> Result<u64, StoreError> {
        self.write("DELETE FROM sessions WHERE expires_at < ?1", [before])
    }

    fn next_office_session(&mut self) -> Result<(DeviceId, u32), StoreError> {
        self.connection
            .query_row(
                "UPDATE meta SET office_session = office_session + 1
                 RETURNING office_device, office_session",
                (),
                |row| Ok((device_id(row, 0)?, row.get(1)?)),
            )
            .map_err(failed)
    }
}

impl Tx<'_> {
    /// Runs a cached statement; gives the number of rows that it touched.
    pub(super) fn write(
        &mut self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<u64, StoreError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(values))
            .map(|rows| rows as u64)
            .map_err(failed)
    }
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        name: row.get(0)?,
        display_name: row.get(1)?,
        role: word(row, 2, Role::parse)?,
        password_hash: row.get(3)?,
        disabled_at: row.get(4)?,
        created_at: row.get(5)?,
    })
}

fn device(row: &Row<'_>) -> rusqlite::Result<Device> {
    Ok(Device {
        id: device_id(row, 0)?,
        user: row.get(1)?,
        created_at: row.get(2)?,
        last_seen_at: row.get(3)?,
        revoked_at: row.get(4)?,
    })
}
