//! A new epoch after the database was restored by other means.

use doorstep::office::Office;

use super::{Home, PASSWORD, told};
use crate::support::program::Program;

#[test]
fn a_database_restored_by_other_means_gets_a_new_epoch() {
    let home = Home::new();
    home.run(&["user", "add", "chen.jie", "--role", "collector"], PASSWORD);
    let file = format!("sqlite:{}", home.path("office.db").display());
    begins(&home, &file);
    #[cfg(unix)]
    {
        let database = crate::support::postgres::Database::new();
        let address = database.address();
        let missing = home.run(&["epoch", "new", "--database", address], "");
        assert!(told(&missing).1.is_empty() && missing.status.code() == Some(1), "{missing:?}");
        let add = ["user", "add", "chen.jie", "--role", "collector", "--database", address];
        assert_eq!(home.run(&add, PASSWORD).status.code(), Some(0));
        begins(&home, address);
    }
}

fn begins(home: &Home, address: &str) {
    let command = ["epoch", "new", "--json", "--database", address];
    let before = epoch(address);
    let blobs = home.path("blobs");
    let blobs = blobs.to_str().unwrap();
    let mut office = Program::start(Program::serve(address).args(["--blobs", blobs]));
    let refused = home.run(&command, "");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("in use"), "{said}");
    assert_eq!(epoch(address), before);
    office.kill();
    assert_eq!(home.run(&command, "").status.code(), Some(0));
    assert_ne!(epoch(address), before);
    let verify = home.run(&["verify", "--database", address, "--blobs", blobs], "");
    assert_eq!(verify.status.code(), Some(0), "{verify:?}");
}

fn epoch(address: &str) -> [u8; 16] {
    let office = Office::open_to_read(address, || 0).unwrap();
    office.store().read_with(|reads| reads.epoch()).unwrap()
}
