//! A search in PostgreSQL reads the rows that it finds, not the table: the server's own counters.

use std::sync::Arc;

use doorstep::office::store::postgres::{Postgres, demand_unused, run_script};
use doorstep::office::store::{InitialSecrets, Listing, MAX_TOTAL, Queue, Sort, Store};

use super::samples::{id, record, rows};
use crate::support::postgres::Database;

const SECRETS: InitialSecrets =
    InitialSecrets { epoch: [1; 16], office_device: [2; 16], attestation_key: [3; 32] };

/// Rows of the table, many more than a search finds.
const ROWS: u32 = MAX_TOTAL + 2_000;

/// More records like the first, each with a name of its own.
const FILL: &str = "
    SET statement_timeout = 0;
    CREATE TEMP TABLE v AS TABLE visits;
    ALTER TABLE v DROP COLUMN due_key;
    INSERT INTO records SELECT decode(lpad(to_hex(n), 32, '0'), 'hex'), 'D-' || n, heads, max_op,
        changes, created_at, updated_at, document FROM records, generate_series(1, ROWS) n;
    DO $$ DECLARE columns TEXT; BEGIN
        SELECT string_agg(attname, ', ') INTO columns FROM pg_attribute
            WHERE attrelid = 'v'::regclass AND attnum > 0 AND NOT attisdropped
            AND attname NOT IN ('record', 'case_no', 'borrower_name');
        EXECUTE format('INSERT INTO visits (record, case_no, borrower_name, %s)
            SELECT decode(lpad(to_hex(n), 32, ''0''), ''hex''), ''D-'' || n, ''Wang '' || n, %s
            FROM v, generate_series(1, ROWS) n', columns, columns);
    END $$;";

#[tokio::test(flavor = "multi_thread")]
async fn a_search_reads_the_rows_that_it_finds() {
    let database = Database::new();
    let address = database.address();
    let store = open(address);
    store
        .write_now(|tx| {
            tx.put_record(id(0xee), &record("C-1", 1))?;
            tx.put_rows(id(0xee), &rows(id(0xee), "C-1"))
        })
        .unwrap();
    drop(store);
    run_script(address, &FILL.replace("ROWS", &ROWS.to_string())).unwrap();
    for statistics in ["", "ANALYZE"] {
        run_script(address, statistics).unwrap();
        let before = rows_read(address).await;
        let mut lists = 0;
        let store = open(address);
        for (text, found) in [
            ("娜", 1),
            ("娜娜", 1),
            ("欧阳娜娜", 1),
            ("wang 777", 11),
            ("D-11999", 1),
            ("wangx", 0),
        ] {
            for sort in [Sort::Updated, Sort::Due, Sort::CaseNo, Sort::Overdue, Sort::Queue] {
                for queue in [None, Some(Queue::Holds)] {
                    let listing =
                        Listing { text: text.into(), sort, queue, limit: 50, ..Listing::default() };
                    let page = store.read_with(|reads| reads.list(&listing)).unwrap();
                    assert_eq!(page.rows.len() as u64, page.total);
                    if queue.is_none() {
                        assert_eq!(page.total, found, "{text}");
                    }
                    lists += 1;
                }
            }
        }
        // The daily walk does not look at accepted records up to its position (rule F5).
        let after = (rows(id(0xee), "C-1").accepted_at.unwrap(), id(0xff));
        let expiring = store.read_with(|reads| reads.expiring(after, i64::MAX, 200)).unwrap();
        assert_eq!(expiring, []);
        drop(store);
        let (scanned, fetched) = rows_read(address).await;
        assert_eq!(scanned - before.0, 0, "rows of sequential scans");
        let fetched = fetched - before.1;
        assert!(fetched < lists * 100, "{fetched} rows for {lists} lists");
    }
    // A text that more records have than are counted.
    let store = open(address);
    let listing =
        Listing { text: "wang".into(), sort: Sort::CaseNo, limit: 2, ..Listing::default() };
    let page = store.read_with(|reads| reads.list(&listing)).unwrap();
    let found: Vec<&str> = page.rows.iter().map(|row| row.summary.case_no.as_str()).collect();
    assert_eq!((page.total, &found[..]), (u64::from(MAX_TOTAL), &["D-1", "D-10"][..]));
}

fn open(address: &str) -> Arc<dyn Store> {
    Arc::new(Postgres::open(address, SECRETS).unwrap())
}

/// Rows of `visits` and of the search index's table that were read by scans, and by indexes.
async fn rows_read(address: &str) -> (i64, i64) {
    // Connections report when they end.
    demand_unused(address).unwrap();
    let (client, connection) =
        tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let row = client
        .query_one(
            "SELECT sum(seq_tup_read)::bigint, sum(idx_tup_fetch)::bigint FROM pg_stat_user_tables
             WHERE relname IN ('visits', 'visit_search')",
            &[],
        )
        .await
        .unwrap();
    (row.get(0), row.get(1))
}
