//! Records that an office holds beside those of the load.

use doorstep::office::Office;
use tokio_postgres::NoTls;

use crate::phone::{new_visit, now};

/// Copies all rows of a record: RECORD is its id in hex, COUNT the number of copies. Copies have ids and
/// case numbers of their own and are in feeds of 200 records each.
const COPY: &str = r"SET statement_timeout = 0;
DO $$ DECLARE t record; BEGIN
    FOR t IN
        SELECT c.relname AS name,
            string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns,
            string_agg(CASE
                WHEN a.attname = 'record' OR c.relname = 'records' AND a.attname = 'id'
                    THEN 'decode(md5(''stored'' || copied), ''hex'')'
                WHEN a.attname = 'case_no' THEN '''S-'' || copied'
                WHEN a.attname IN ('collector', 'feed') THEN '''stored'' || copied / 200'
                WHEN c.relname = 'feed_entries' AND a.attname = 'seq' THEN 'copied % 200 + 1'
                ELSE quote_ident(a.attname) END, ', ' ORDER BY a.attnum) AS copies,
            CASE c.relname WHEN 'records' THEN 'id' ELSE 'record' END AS key
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
            AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
            AND c.relname NOT IN ('receipts', 'quarantine', 'proposals', 'complaints', 'visit_search')
            AND (c.relname = 'records' OR EXISTS (SELECT 1 FROM pg_attribute r
                WHERE r.attrelid = c.oid AND r.attname = 'record' AND NOT r.attisdropped))
        GROUP BY c.oid, c.relname ORDER BY c.oid
    LOOP
        EXECUTE format('INSERT INTO %I (%s) SELECT %s FROM %I, generate_series(0, COUNT - 1) copied
            WHERE %I = decode(''RECORD'', ''hex'')', t.name, t.columns, t.copies, t.name, t.key);
    END LOOP;
    INSERT INTO feeds (feed, seq, count, sum)
        SELECT 'stored' || n, 200, 200, decode(repeat('00', 32), 'hex')
        FROM generate_series(0, (COUNT - 1) / 200) n;
END $$";

/// Fills a PostgreSQL database with copies of a record.
pub(crate) async fn fill(database: &str, count: usize) {
    let office = Office::open(database, now).expect("opens");
    let visit = new_visit("S", "stored");
    let created = office.create_visits(vec![visit], "lin.yue").await.expect("created");
    let Some(doorstep::office::Created::New(record)) = created.into_iter().next() else {
        panic!("exists")
    };
    // Or the endpoints would evaluate all copies during the measurement.
    office.keep_conduct(|_| ()).await.expect("evaluated");
    office.close();
    let (client, connection) =
        tokio_postgres::connect(database, NoTls).await.expect("the database answers");
    let connection = tokio::spawn(connection);
    let hex: String = record.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let script = COPY.replace("COUNT", &count.to_string()).replace("RECORD", &hex);
    client.batch_execute(&script).await.expect("copied");
    // Or the server would do it during the measurement.
    client.batch_execute("VACUUM ANALYZE").await.expect("tidied");
    client.batch_execute("CHECKPOINT").await.expect("written");
    drop(client);
    drop(connection.await);
}
