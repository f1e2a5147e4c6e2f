//! `doorstep user` and `doorstep device`.

use std::io::{self, BufRead, IsTerminal};

use chrono::{DateTime, SecondsFormat};
use serde_json::json;

use super::args::{Device, User};
use super::failure::Failure;
use super::{BY, OfficeContext, print, print_json};
use crate::ids::DeviceId;
use crate::office::auth::{Account, DeviceState, NewUser, UserChange};

pub(super) fn user(context: &OfficeContext, command: User) -> Result<(), Failure> {
    let OfficeContext { accounts, runtime, .. } = context;
    match command {
        User::Add { name, role, display_name } => {
            let password = Some(password()?);
            let display_name = display_name.unwrap_or_default();
            let new = NewUser { name, display_name, role, password };
            let user = runtime.block_on(accounts.add_user(new))?;
            print(format!("{} may sign in as {role}", user.name))
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
            print_lines("there are no users yet: see doorstep user add", lines)
        }
        User::Disable { name } => {
            change(context, &name, UserChange { disabled: Some(true), ..UserChange::default() })?;
            print(format!("{name} may no longer sign in"))
        }
        User::Enable { name } => {
            change(context, &name, UserChange { disabled: Some(false), ..UserChange::default() })?;
            print(format!("{name} may sign in again"))
        }
        User::Password { name } => {
            let password = Some(password()?);
            change(context, &name, UserChange { password, ..UserChange::default() })?;
            print(format!("{name} has a new password and has to sign in anew"))
        }
        User::Role { name, role } => {
            change(context, &name, UserChange { role: Some(role), ..UserChange::default() })?;
            print(format!("{name} may sign in as {role}"))
        }
        User::Link { name, issuer, subject } => {
            let link = Some(Account { issuer, subject });
            change(context, &name, UserChange { link, ..UserChange::default() })?;
            print(format!("{name} signs in with that account of the identity provider"))
        }
        User::Unlink { name } => {
            change(context, &name, UserChange { unlink: true, ..UserChange::default() })?;
            print(format!("{name} is no longer linked to an account of the identity provider"))
        }
    }
}

pub(super) fn device(context: &OfficeContext, command: Device) -> Result<(), Failure> {
    let OfficeContext { accounts, runtime, .. } = context;
    match command {
        Device::List(output) => {
            let devices = runtime.block_on(accounts.devices(None))?;
            if output.json {
                return print_json(&json!({ "devices": devices }));
            }
            let lines = devices.iter().map(|device| {
                let state = match device.state {
                    DeviceState::Active => String::new(),
                    DeviceState::Expired => "  unused for 90 days".to_owned(),
                    DeviceState::Revoked => format!("  revoked: {}", device.revoked_reason),
                };
                let (id, seen) = (&device.id, written(device.last_seen_at));
                format!("{id} {:<24} last seen {seen} {}{state}", device.user, device.app_version)
            });
            print_lines("no device is enrolled yet", lines)
        }
        Device::Enrol { id, user } => {
            let id = device_id(&id)?;
            runtime.block_on(accounts.enrol_device(id, &user))?;
            print(format!("{id} is a device of {user}"))
        }
        Device::Revoke { id, reason } => {
            let id = device_id(&id)?;
            runtime.block_on(accounts.revoke_device(id, BY.0, &reason))?;
            print(format!("{id} is refused from now on"))
        }
    }
}

fn device_id(text: &str) -> Result<DeviceId, Failure> {
    text.parse().map_err(|_| Failure::usage("a device id has 32 hex digits: see device list"))
}

fn change(context: &OfficeContext, name: &str, change: UserChange) -> Result<(), Failure> {
    context.runtime.block_on(context.accounts.change_user(name, change))?;
    Ok(())
}

pub(super) fn print_lines(none: &str, lines: impl Iterator<Item = String>) -> Result<(), Failure> {
    let text = lines.collect::<Vec<_>>().join("\n");
    print(if text.is_empty() { none } else { &text })
}

/// Reads a password: the first line of a pipe, or prompted for twice.
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
