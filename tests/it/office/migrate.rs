//! From SQLite to PostgreSQL: interrupted anywhere, complete at the end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doorstep::office::auth::{Accounts, Hasher, NewUser};
use doorstep::office::store::postgres::{demand_unused, run_script};
use doorstep::office::{Migrated, MigrationStep, Office, OfficeError};
use doorstep::record::command::{CasePatch, Command};
use doorstep::record::terms::{Flag, Role};
use doorstep::sync::message::Outcome;
use tokio::runtime::Runtime;

use crate::support::office::TestOffice;
use crate::support::phone::NOW;
use crate::support::postgres::Database;
use crate::support::sync_client::{START, SyncClient, contact, notes, payment};

/// More than a batch has.
const RECORDS: usize = 520;

fn migrate(
    runtime: &Runtime,
    from: &str,
    to: &str,
    progress: &dyn Fn(MigrationStep, u64, u64),
) -> Result<Migrated, OfficeError> {
    runtime.block_on(Office::migrate(from, to, None, Arc::new(|| NOW), progress))
}

#[test]
fn a_copy_that_is_killed_again_and_again_is_complete_at_the_end() {
    let runtime = Runtime::new().unwrap();
    let (mut office, mut phone) = runtime.block_on(office_with_work());
    let from = office.address();
    let database = Database::new();
    let to = database.address();
    let in_use = migrate(&runtime, &from, to, &|_, _, _| ()).unwrap_err();
    assert!(in_use.to_string().contains("in use"), "{in_use}");
    office.stop();

    // Each attempt dies a little later than the last.
    let mut deaths = 0;
    let migrated = loop {
        let left = AtomicU32::new(deaths * 20 + 1);
        let progress = |_, _, _| {
            assert!(left.fetch_sub(1, Ordering::Relaxed) > 0, "the process dies here");
        };
        let attempt = catch_unwind(AssertUnwindSafe(|| migrate(&runtime, &from, to, &progress)));
        match attempt {
            Ok(migrated) => break migrated.unwrap(),
            Err(_) => deaths += 1,
        }
        let early = Office::open(to, || NOW).err().unwrap();
        assert!(early.to_string().contains("is not complete"), "{early}");
    };
    assert!(deaths > 3, "{deaths}");
    assert!(migrated.verified.ok, "{:?}", migrated.verified.problems);
    assert_eq!(migrated.verified.records, RECORDS as u64);
    let again = migrate(&runtime, &from, to, &|_, _, _| ()).unwrap_err();
    assert!(again.to_string().contains("other data"), "{again}");

    // Phones go on where they were, with what they had not sent.
    let office = TestOffice::over(Office::open(to, || NOW).unwrap());
    let id = phone.ids()[0];
    phone.write(id, contact(99));
    runtime.block_on(async {
        let reply = phone.sync(&office).await;
        assert!(matches!(reply.results[..], [Outcome::Merged { .. }]), "{:?}", reply.results);
        while phone.sync(&office).await.remaining > 0 {}
        let reply = phone.sync(&office).await;
        phone.assert_in_step(&reply);
        let id = office.add_visit("C-new", &["chen.jie"]).await;
        phone.sync(&office).await;
        assert!(phone.ids().contains(&id));
        office.assert_sound().await;
    });
}

#[test]
fn a_file_that_was_used_meanwhile_and_a_database_with_data_are_refused() {
    let runtime = Runtime::new().unwrap();
    let mut office = TestOffice::open();
    let from = office.address();
    office.stop();
    let database = Database::new();
    let died = catch_unwind(AssertUnwindSafe(|| {
        migrate(&runtime, &from, database.address(), &|_, _, _| panic!("the process dies here"))
    }));
    assert!(died.is_err());
    office.start();
    office.stop();
    let used = migrate(&runtime, &from, database.address(), &|_, _, _| ()).unwrap_err();
    assert!(used.to_string().contains("was used since"), "{used}");

    let other = Database::new();
    run_script(other.address(), "CREATE TABLE visits (id BIGINT)").unwrap();
    let refused = migrate(&runtime, &from, other.address(), &|_, _, _| ()).unwrap_err();
    assert!(refused.to_string().contains("other data"), "{refused}");
    let office = Database::new();
    drop(Office::open(office.address(), || NOW).unwrap());
    demand_unused(office.address()).unwrap();
    let refused = migrate(&runtime, &from, office.address(), &|_, _, _| ()).unwrap_err();
    assert!(refused.to_string().contains("other data"), "{refused}");
    let wrong = migrate(&runtime, database.address(), &from, &|_, _, _| ()).unwrap_err();
    assert!(wrong.to_string().contains("from sqlite:"), "{wrong}");
}

/// Records of a collector, with work of his phone: visits, money, a hold, refused work, and a user.
async fn office_with_work() -> (TestOffice, SyncClient) {
    let (office, _) = TestOffice::with_records(RECORDS).await;
    let accounts = Accounts::new(office.store().clone(), Arc::new(|| NOW), Hasher::for_tests());
    let user = NewUser {
        name: "chen.jie".into(),
        display_name: "陈杰".into(),
        role: Role::Collector,
        password: Some("correct horse".into()),
    };
    accounts.add_user(user).await.unwrap();
    let mut phone = SyncClient::new("chen.jie", 1);
    while phone.sync(&office).await.remaining > 0 {}
    let ids = phone.ids();
    for (n, id) in (0..).zip(&ids[..3]) {
        phone.write(*id, contact(n));
        phone.write(*id, payment(n, 500));
        let text = notes(&phone, *id, "wei\0rd 备注");
        phone.write(*id, text);
        phone.write(*id, hold());
        phone.sync(&office).await;
    }
    let overdue = CasePatch { overdue: Some(7), ..CasePatch::default() };
    phone.force(ids[4], Command::UpdateCase(Box::new(overdue)));
    let reply = phone.sync(&office).await;
    assert!(matches!(reply.results[..], [Outcome::Refused { .. }]), "{:?}", reply.results);
    office.assign(ids[5], &[]).await;
    phone.sync(&office).await;
    (office, phone)
}

fn hold() -> Command {
    Command::RaiseHold { flag: Flag::Dispute, since: START, until: None, note: "owes".into() }
}
