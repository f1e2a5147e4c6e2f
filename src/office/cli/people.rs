//! `doorstep user` and `doorstep device`.

use std::io::{self, BufRead, IsTerminal};

use chrono::{DateTime, SecondsFormat};
use serde_json::json;

use super::failure::Failure;
use super::{Desk, Device, User, print, print_json};
use crate::ids::DeviceId;

pub(super) fn user(desk: &Desk, command: User) -> Result<(), Failure> {
    let Desk { accounts, runtime, .. } = desk;
    match command {
        User::Add { name, role, display_name } => {
            let password = password()?;
            let display_name = display_name.unwrap_or_else(|| name.clone());
            runtime.block_on(accounts.add_user(&name, &display_name, role, password))?;
            print(format!("{name} may sign in as {role}"))
        }
        User::List(output) => {
            let users = runtime.block_on(accounts.users(None))?;
            if output.json {
                return print_json(&json!({ "users": users }));
            }
            let lines = users.iter().map(|user| {
                let state = if user.disabled { "  disabled" } else { "" };
                format!("{:<24} {:<12} {}{state}", user.name, user.role.as_str(), user.display_name)
            });
            print_lines("nobody may sign in yet: see doorstep user add", lines)
        }
        User::Disable { name } => {
            runtime.block_on(accounts.disable_user(&name))?;
            print(format!("{name} may no longer sign in"))
        }
    }
}

pub(super) fn device(desk: &Desk, command: Device) -> Result<(), Failure> {
    let Desk { accounts, runtime, .. } = desk;
    match command {
        Device::List(output) => {
            let devices = runtime.block_on(accounts.devices())?;
            if output.json {
                let devices: Vec<_> = devices
                    .iter()
                    .map(|device| {
                        json!({
                            "id": device.id.to_string(),
                            "user": device.user,
                            "created_at": device.created_at,
                            "last_seen_at": device.last_seen_at,
                            "revoked_at": device.revoked_at,
                        })
                    })
                    .collect();
                return print_json(&json!({ "devices": devices }));
            }
            let lines = devices.iter().map(|device| {
                let state = if device.revoked_at.is_some() { "  revoked" } else { "" };
                let seen = written(device.last_seen_at);
                format!("{} {:<24} last seen {seen}{state}", device.id, device.user)
            });
            print_lines("no device is enrolled yet", lines)
        }
        Device::Revoke { id } => {
            let id: DeviceId = id
                .parse()
                .map_err(|_| Failure::usage("a device id has 32 hex digits: see device list"))?;
            runtime.block_on(accounts.revoke_device(id))?;
            print(format!("{id} is refused from now on"))
        }
    }
}

pub(super) fn print_lines(none: &str, lines: impl Iterator<Item = String>) -> Result<(), Failure> {
    let text = lines.collect::<Vec<_>>().join("\n");
    print(if text.is_empty() { none } else { &text })
}

/// From a pipe the first line; from a person twice the same.
fn password() -> Result<String, Failure> {
    let cannot = |error: io::Error| Failure::failed(format!("cannot read the password: {error}"));
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(cannot)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let first = rpassword::prompt_password("Password: ").map_err(cannot)?;
    let second = rpassword::prompt_password("Again: ").map_err(cannot)?;
    if first == second {
        Ok(first)
    } else {
        Err(Failure::failed("the two passwords differ: run the command again"))
    }
}

pub(super) fn written(ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
