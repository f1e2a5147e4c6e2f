//! Work on a database besides the store's contract. All of it blocks.

use std::time::{Duration, Instant};

use tokio_postgres::SimpleQueryMessage;

use super::connection::{Connection, Server, answered};
use super::value::values;
use super::{NO_OFFICE, Request, connect_patiently, migrate, schema_version};
use crate::office::store::{InitialSecrets, StoreError};

/// How long connections of an endpoint that has stopped may take to end.
const MAX_WAIT: Duration = Duration::from_secs(3);

/// Counts the connections of endpoints and commands. Others of the same name are seen by every user.
const USERS: &str = "SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'doorstep'
         AND pid <> pg_backend_pid()";

/// Runs statements in one transaction.
pub fn run_script(address: &str, sql: &str) -> Result<(), StoreError> {
    let server = Server::of(address)?;
    let mut connection = connect_patiently(&server)?;
    Ok(answered(connection.client().batch_execute(sql))?)
}

/// Fails while other processes use the database.
pub fn demand_unused(address: &str) -> Result<(), StoreError> {
    let server = Server::of(address)?;
    let mut connection = connect_patiently(&server)?;
    let began = Instant::now();
    while has_users(&mut connection)? {
        if began.elapsed() > MAX_WAIT {
            let message = "the database is in use: stop all endpoints first";
            return Err(StoreError::Failed(message.to_owned()));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn has_users(connection: &mut Connection) -> Result<bool, StoreError> {
    let answer = answered(connection.client().simple_query(USERS))?;
    let count = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(count != Some("0"))
}

/// Begins a new epoch in a database that was restored: devices compare what they hold with it and
/// bring back what it lacks (rule P3). The office gets a new device, because the restored copy would
/// reuse sequence numbers of the old one (rule I1). Every sign-in ends: one that was revoked after the
/// backup must not become valid again.
pub fn new_epoch(address: &str, fresh: InitialSecrets) -> Result<(), StoreError> {
    let server = Server::of(address)?;
    let mut connection = connect_patiently(&server)?;
    if schema_version(&mut connection)?.is_none() {
        return Err(StoreError::Failed(NO_OFFICE.to_owned()));
    }
    // Brings an older database up to date.
    migrate(&server, &mut connection)?;
    let update = connection
        .statement("UPDATE meta SET epoch = $1, office_device = $2, office_session = 0")?;
    let delete = connection.statement("DELETE FROM sessions")?;
    let values = values![fresh.epoch, fresh.office_device];
    connection.pipeline(vec![
        Request::Simple("BEGIN"),
        Request::Execute(update, &values),
        Request::Execute(delete, &[]),
        Request::Simple("COMMIT"),
    ])?;
    Ok(())
}
