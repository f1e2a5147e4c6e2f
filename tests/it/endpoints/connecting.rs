//! How endpoints reach the database: all at once, and encrypted.

use doorstep::office::Office;
use doorstep::office::store::postgres::{Postgres, run_script};
use doorstep::office::store::{InitialSecrets, Store, StoreError};
use rcgen::{CertificateParams, KeyPair};

use crate::support::postgres::{Cluster, Database};
use crate::support::sync_client::START;

/// Fails unless the connection is encrypted.
const DEMAND_ENCRYPTED: &str = "DO $$ BEGIN
    IF NOT (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())
    THEN RAISE EXCEPTION 'not encrypted'; END IF;
END $$";

/// Endpoints that start in the same moment create the tables once, and all of them serve.
#[test]
fn endpoints_that_start_together_create_one_office() {
    let database = Database::new();
    let devices = std::thread::scope(|scope| {
        let start = |n: u8| {
            let address = database.address();
            move || {
                let secrets = InitialSecrets {
                    epoch: [n; 16],
                    office_device: [n; 16],
                    attestation_key: [n; 32],
                };
                let store: Box<dyn Store> = Box::new(Postgres::open(address, secrets).unwrap());
                store.read_with(|reads| Ok((reads.epoch()?, reads.office_device()?))).unwrap()
            }
        };
        let started: Vec<_> = (1..=5).map(|n| scope.spawn(start(n))).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(devices.iter().all(|device| *device == devices[0]), "{devices:?}");
}

#[test]
fn a_connection_is_encrypted_and_the_server_verified_as_the_address_demands() {
    let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
    let pair = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let names = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (names.self_signed(&key).unwrap().pem(), key.serialize_pem())
    };
    let (certificate, key) = pair("localhost");
    let cluster = Cluster::with_tls(folder.path(), &certificate, &key);
    cluster.create("office");
    let file = |name: &str, text: &str| {
        let path = std::env::temp_dir().join(format!("{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        path.display().to_string().replace('/', "%2F")
    };
    let (own, other) = (file("own.pem", &certificate), file("other.pem", &pair("localhost").0));
    let at = |host: &str, query: &str| {
        format!("postgres://doorstep@{host}:{}/office?{query}", cluster.port())
    };
    for query in [
        format!("sslmode=verify-full&sslrootcert={own}"),
        format!("sslmode=require&sslrootcert={own}"),
        format!("sslrootcert={own}"),
        "sslmode=require".to_owned(),
        "sslmode=prefer".to_owned(),
    ] {
        run_script(&at("localhost", &query), DEMAND_ENCRYPTED).unwrap();
    }
    let plain = run_script(&at("localhost", "sslmode=disable"), DEMAND_ENCRYPTED).unwrap_err();
    assert!(plain.to_string().contains("not encrypted"), "{plain}");
    for address in [
        at("localhost", &format!("sslmode=verify-full&sslrootcert={other}")),
        at("127.0.0.1", &format!("sslmode=verify-full&sslrootcert={own}")),
        at("localhost", &format!("sslmode=require&sslrootcert={other}")),
    ] {
        let refused = run_script(&address, "SELECT 1").unwrap_err();
        assert!(matches!(refused, StoreError::Failed(_)), "{address}: {refused:?}");
    }
    // A whole office, whose announcements use a connection of their own.
    let address = at("localhost", &format!("sslmode=verify-full&sslrootcert={own}"));
    Office::open(&address, || START).unwrap().close();
    for file in [own, other] {
        std::fs::remove_file(file.replace("%2F", "/")).unwrap();
    }
}
