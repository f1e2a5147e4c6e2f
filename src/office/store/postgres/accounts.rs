//! Users, devices and sign-ins in PostgreSQL.

use super::row::{Row, damaged};
use super::tx::Tx;
use super::value::values;
use crate::ids::DeviceId;
use crate::office::store::{
    AccountReads, AccountWrites, Device, SignIn, StoreError, TokenHash, User,
};
use crate::record::terms::Role;

const USER: &str =
    "SELECT name, display_name, role, password_hash, disabled_at, created_at, subject FROM users";
const DEVICE: &str = "SELECT id, user_name, created_at, last_seen_at, revoked_at, revoked_by,
    revoked_reason, app_version FROM devices";
const SIGN_IN: &str =
    "SELECT device, user_name, created_at, used_at, expires_at, token, renewed_at,
    next_token, last_token, ended FROM sessions";

impl AccountReads for Tx<'_> {
    fn user(&mut self, name: &str) -> Result<Option<User>, StoreError> {
        self.query_optional(&format!("{USER} WHERE name = $1"), values![name], user)
    }

    fn users(&mut self) -> Result<Vec<User>, StoreError> {
        self.query_all(&format!("{USER} ORDER BY name"), values![], user)
    }

    fn device(&mut self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        self.query_optional(&format!("{DEVICE} WHERE id = $1"), values![id.0], device)
    }

    fn device_keys(&mut self, id: DeviceId) -> Result<Vec<[u8; 32]>, StoreError> {
        self.query_all(
            "SELECT key FROM device_keys WHERE device = $1 ORDER BY enrolled_at, key",
            values![id.0],
            |row| row.fixed(0),
        )
    }

    fn enrolled_since(&mut self, user: &str, at: i64) -> Result<u64, StoreError> {
        self.query_one(
            "SELECT count(*) FROM devices WHERE user_name = $1 AND created_at > $2",
            values![user, at],
            |row| row.number(0),
        )
    }

    fn devices(&mut self) -> Result<Vec<Device>, StoreError> {
        self.query_all(&format!("{DEVICE} ORDER BY created_at, id"), values![], device)
    }

    fn office_device(&mut self) -> Result<DeviceId, StoreError> {
        self.query_one("SELECT office_device FROM meta", values![], |row| row.device_id(0))
    }

    fn user_of_subject(&mut self, subject: &str) -> Result<Option<User>, StoreError> {
        self.query_optional(&format!("{USER} WHERE subject = $1"), values![subject], user)
    }

    fn sign_in(&mut self, token: &TokenHash) -> Result<Option<SignIn>, StoreError> {
        // One search for each column: for the three joined by OR, a planner that believes the table
        // to be small would read it all.
        self.query_optional(
            &format!(
                "{SIGN_IN} WHERE token = $1 UNION ALL {SIGN_IN} WHERE next_token = $1
                 UNION ALL {SIGN_IN} WHERE last_token = $1"
            ),
            values![token],
            sign_in,
        )
    }

    fn sign_in_on(&mut self, device: DeviceId) -> Result<Option<SignIn>, StoreError> {
        self.query_optional(&format!("{SIGN_IN} WHERE device = $1"), values![device.0], sign_in)
    }
}

impl AccountWrites for Tx<'_> {
    fn put_user(&mut self, user: &User) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO users
               (name, display_name, role, password_hash, disabled_at, created_at, subject)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (name) DO UPDATE SET display_name = excluded.display_name,
               role = excluded.role, password_hash = excluded.password_hash,
               disabled_at = excluded.disabled_at, subject = excluded.subject",
            values![
                &user.name,
                &user.display_name,
                user.role.as_str(),
                &user.password_hash,
                user.disabled_at,
                user.created_at,
                user.subject.as_deref(),
            ],
        )
    }

    fn put_device(&mut self, device: &Device) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO devices (id, user_name, created_at, last_seen_at, revoked_at, revoked_by,
               revoked_reason, app_version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (id) DO UPDATE SET last_seen_at = excluded.last_seen_at,
               revoked_at = excluded.revoked_at, revoked_by = excluded.revoked_by,
               revoked_reason = excluded.revoked_reason, app_version = excluded.app_version",
            values![
                device.id.0,
                &device.user,
                device.created_at,
                device.last_seen_at,
                device.revoked_at,
                &device.revoked_by,
                &device.revoked_reason,
                &device.app_version,
            ],
        )
    }

    fn put_device_key(&mut self, id: DeviceId, key: [u8; 32], at: i64) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO device_keys (device, key, enrolled_at) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
            values![id.0, key, at],
        )
    }

    fn put_sign_in(&mut self, sign_in: &SignIn) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO sessions (device, user_name, created_at, used_at, expires_at, token,
               renewed_at, next_token, last_token, ended)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (device) DO UPDATE SET user_name = excluded.user_name,
               created_at = excluded.created_at, used_at = excluded.used_at,
               expires_at = excluded.expires_at, token = excluded.token,
               renewed_at = excluded.renewed_at, next_token = excluded.next_token,
               last_token = excluded.last_token, ended = excluded.ended",
            values![
                sign_in.device.0,
                &sign_in.user,
                sign_in.created_at,
                sign_in.used_at,
                sign_in.expires_at,
                sign_in.token,
                sign_in.renewed_at,
                sign_in.next,
                sign_in.last,
                sign_in.ended,
            ],
        )
    }

    fn end_sign_in(&mut self, token: &TokenHash) -> Result<(), StoreError> {
        self.write(
            "DELETE FROM sessions WHERE token = $1 OR next_token = $1 OR last_token = $1",
            values![token],
        )
    }

    fn end_sign_ins_of(&mut self, user: &str) -> Result<u64, StoreError> {
        let sql = "UPDATE sessions SET ended = true WHERE user_name = $1 AND NOT ended";
        self.write_now(sql, values![user])
    }

    fn end_sign_ins_on(&mut self, device: DeviceId) -> Result<u64, StoreError> {
        let sql = "UPDATE sessions SET ended = true WHERE device = $1 AND NOT ended";
        self.write_now(sql, values![device.0])
    }

    fn forget_expired(&mut self, before: i64) -> Result<u64, StoreError> {
        self.write_now("DELETE FROM sessions WHERE expires_at < $1", values![before])
    }

    fn touch(&mut self) -> Result<(), StoreError> {
        // Not the row of `meta`: jobs read that, and would conflict with other endpoints' checks.
        let sql = "INSERT INTO health (one) VALUES (1)
             ON CONFLICT (one) DO UPDATE SET one = excluded.one";
        self.write(sql, values![])
    }

    fn next_office_session(&mut self) -> Result<(DeviceId, u32), StoreError> {
        self.query_one(
            "UPDATE meta SET office_session = office_session + 1
             RETURNING office_device, office_session",
            values![],
            |row| {
                let session = u32::try_from(row.number(1)?);
                Ok((row.device_id(0)?, session.map_err(|_| damaged("the office's session"))?))
            },
        )
    }
}

fn user(row: &Row) -> Result<User, StoreError> {
    Ok(User {
        name: row.get(0)?,
        display_name: row.get(1)?,
        role: row.word(2, Role::parse)?,
        password_hash: row.get(3)?,
        disabled_at: row.get(4)?,
        created_at: row.get(5)?,
        subject: row.get(6)?,
    })
}

fn device(row: &Row) -> Result<Device, StoreError> {
    Ok(Device {
        id: row.device_id(0)?,
        user: row.get(1)?,
        created_at: row.get(2)?,
        last_seen_at: row.get(3)?,
        revoked_at: row.get(4)?,
        revoked_by: row.get(5)?,
        revoked_reason: row.get(6)?,
        app_version: row.get(7)?,
    })
}

fn sign_in(row: &Row) -> Result<SignIn, StoreError> {
    Ok(SignIn {
        device: row.device_id(0)?,
        user: row.get(1)?,
        created_at: row.get(2)?,
        used_at: row.get(3)?,
        expires_at: row.get(4)?,
        token: row.fixed(5)?,
        renewed_at: row.get(6)?,
        next: row.fixed_or_none(7)?,
        last: row.fixed_or_none(8)?,
        ended: row.get(9)?,
    })
}
