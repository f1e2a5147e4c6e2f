//! The tables of a database row by row, for a copy from another kind of store.
//!
//! Until the copy is complete and verified, `meta` has a format that no version of the program knows,
//! so that no office opens it.

use std::pin::pin;
use std::time::Duration;

use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use super::connection::{Connection, Failure, Server, answered, parameters, wait};
use super::row::Row;
use super::value::{Value, values};
use super::{FORMAT, connect_patiently, migrate, schema_version};
use crate::office::store::migrate::Cell;
use crate::office::store::{InitialSecrets, StoreError};

/// The format of a copy that is not complete.
pub(super) const UNFINISHED: i64 = -1;

/// How long one batch, or building the statistics, may take.
const PATIENCE: Duration = Duration::from_secs(3_600);

const IN_USE: &str = "the database holds other data: copy into a new one";

const OTHER_COPY: &str = "the database holds a part of another copy, or the file was used since it was \
     begun: copy into a new database";

/// Tables in the order of their creation: rows refer to earlier ones only.
const TABLES: &str = "SELECT c.relname::text,
        (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
        (SELECT array_agg(a.atttypid ORDER BY a.attnum) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
        (SELECT array_agg(a.attname::text ORDER BY k.n)
         FROM pg_index i, unnest(i.indkey::int[]) WITH ORDINALITY AS k (attnum, n), pg_attribute a
         WHERE i.indrelid = c.oid AND i.indisprimary
             AND a.attrelid = c.oid AND a.attnum = k.attnum)
    FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
        AND c.relname NOT IN
            ('meta', 'health', 'queue_order', 'turns', 'refinery_schema_history', 'migration_source')
    ORDER BY c.oid";

const TRIGGERS: &str = "DO $$ DECLARE t record; BEGIN
    FOR t IN SELECT DISTINCT tgrelid::regclass AS name FROM pg_trigger
        JOIN pg_class c ON c.oid = tgrelid
        WHERE NOT tgisinternal AND c.relnamespace = current_schema()::regnamespace
    LOOP EXECUTE format('ALTER TABLE %s HOW TRIGGER USER', t.name); END LOOP;
END $$";

/// A table: its columns but computed ones, and the columns of its primary key.
pub(in crate::office::store) struct Table {
    pub(in crate::office::store) name: String,
    pub(in crate::office::store) columns: Vec<(String, Type)>,
    pub(in crate::office::store) key: Vec<String>,
}

/// A database that is being filled.
pub(in crate::office::store) struct Tables {
    connection: Connection,
    /// Drives the connection.
    _server: Server,
}

impl Tables {
    /// Prepares an empty database, or continues with one whose copy from the same source was
    /// interrupted.
    pub(in crate::office::store) fn open(
        address: &str,
        source: &str,
        (attestation_key, queue_order): ([u8; 32], String),
        fresh: InitialSecrets,
    ) -> Result<Self, StoreError> {
        let server = Server::of(address)?;
        let mut connection = connect_patiently(&server)?;
        if schema_version(&mut connection)?.is_none() {
            // Tables of others could have the names of ours.
            let sql = "SELECT count(*) FROM pg_class
                WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
                    AND relname <> 'refinery_schema_history'";
            let row = Row(answered(connection.client().query_one(sql, &[]))?);
            if row.get::<i64>(0)? > 0 {
                return Err(StoreError::Failed(IN_USE.to_owned()));
            }
        }
        migrate(&server, &mut connection)?;
        answered(connection.client().batch_execute("SET statement_timeout = 0"))?;
        let mut tables = Self { connection, _server: server };
        let meta = tables.rows("SELECT format FROM meta", &[])?;
        match meta.first().map(|row| row.get::<i64>(0)).transpose()? {
            None => {
                let InitialSecrets { epoch, office_device, .. } = fresh;
                let meta = values![UNFINISHED, epoch, office_device, attestation_key];
                tables.transaction(&[
                    (&TRIGGERS.replace("HOW", "DISABLE"), &[]),
                    (
                        "CREATE TABLE migration_source AS SELECT $1::text AS name",
                        &[Value::from(source)],
                    ),
                    ("UPDATE queue_order SET words = $1", &[Value::from(queue_order)]),
                    (
                        "INSERT INTO meta
                           (one, format, epoch, office_device, office_session, attestation_key)
                         VALUES (1, $1, $2, $3, 0, $4)",
                        &meta,
                    ),
                ])?;
            }
            Some(UNFINISHED) => {
                let begun = tables.rows("SELECT name FROM migration_source", &[])?;
                if begun.first().map(|row| row.get::<&str>(0)).transpose()? != Some(source) {
                    return Err(StoreError::Failed(OTHER_COPY.to_owned()));
                }
            }
            Some(_) => return Err(StoreError::Failed(IN_USE.to_owned())),
        }
        Ok(tables)
    }

    pub(in crate::office::store) fn all(&mut self) -> Result<Vec<Table>, StoreError> {
        let rows = self.rows(TABLES, &[])?;
        let table = |row: &Row| {
            let (names, types): (Vec<String>, Vec<u32>) = (row.get(1)?, row.get(2)?);
            let types = types.into_iter().map(|oid| Type::from_oid(oid).unwrap_or(Type::UNKNOWN));
            let columns = names.into_iter().zip(types).collect();
            Ok(Table { name: row.get(0)?, columns, key: row.get(3)? })
        };
        rows.iter().map(table).collect()
    }

    pub(in crate::office::store) fn count(&mut self, table: &Table) -> Result<u64, StoreError> {
        let rows = self.rows(&format!("SELECT count(*) FROM {}", table.name), &[])?;
        rows.first().map_or(Ok(0), |row| row.number(0))
    }

    /// The key of the last row: rows are copied in this order, so it is where a copy stopped.
    pub(in crate::office::store) fn last_key(
        &mut self,
        table: &Table,
    ) -> Result<Option<Vec<Cell>>, StoreError> {
        let key: Vec<String> =
            table.ordered_key().iter().map(|key| format!("{key} DESC")).collect();
        let sql = format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT 1",
            table.key.join(", "),
            table.name,
            key.join(", ")
        );
        let types = table.key_types();
        self.rows(&sql, &[])?.first().map(|row| cells(row, &types)).transpose()
    }

    /// Rows after a key, in order of the key.
    pub(in crate::office::store) fn read(
        &mut self,
        table: &Table,
        after: Option<&[Cell]>,
        limit: usize,
    ) -> Result<Vec<Vec<Cell>>, StoreError> {
        let key = table.ordered_key().join(", ");
        let behind = after.map_or_else(String::new, |after| {
            let markers: Vec<String> = (1..=after.len()).map(|n| format!("${n}")).collect();
            format!("WHERE ({key}) > ({})", markers.join(", "))
        });
        let sql = format!(
            "SELECT {} FROM {} {behind} ORDER BY {key} LIMIT {limit}",
            table.names().join(", "),
            table.name
        );
        let types = table.key_types();
        let after = after.unwrap_or_default().iter().zip(&types);
        let after = after.map(|(cell, kind)| value(cell, kind)).collect::<Result<Vec<_>, _>>()?;
        let types: Vec<Type> = table.columns.iter().map(|(_, kind)| kind.clone()).collect();
        self.rows(&sql, &after)?.iter().map(|row| cells(row, &types)).collect()
    }

    /// Adds rows: all of them, or none.
    pub(in crate::office::store) fn add(
        &mut self,
        table: &Table,
        rows: &[Vec<Cell>],
    ) -> Result<(), StoreError> {
        let types: Vec<Type> = table.columns.iter().map(|(_, kind)| kind.clone()).collect();
        let sql = format!("COPY {} ({}) FROM STDIN BINARY", table.name, table.names().join(", "));
        let mut encoded = Vec::with_capacity(rows.len());
        for row in rows {
            let row = row.iter().zip(&types).map(|(cell, kind)| value(cell, kind));
            encoded.push(row.collect::<Result<Vec<Value>, _>>()?);
        }
        // One statement is one transaction.
        let client = self.connection.client();
        let copying = async {
            let sink = client.copy_in(&sql).await?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
            for row in &encoded {
                writer.as_mut().write(&parameters(row)).await?;
            }
            writer.finish().await
        };
        patiently(copying).map(drop)
    }

    /// Makes the copy an office's database.
    pub(in crate::office::store) fn finish(&mut self) -> Result<(), StoreError> {
        self.transaction(&[
            (&TRIGGERS.replace("HOW", "ENABLE"), &[]),
            ("DROP TABLE migration_source", &[]),
            ("UPDATE meta SET format = $1", &[Value::from(FORMAT)]),
        ])?;
        // Without statistics, the first hours' plans would be guesses.
        patiently(self.connection.client().batch_execute("ANALYZE"))
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let values = parameters(values);
        let rows = patiently(self.connection.client().query(sql, &values))?;
        Ok(rows.into_iter().map(Row).collect())
    }

    fn transaction(&mut self, statements: &[(&str, &[Value])]) -> Result<(), StoreError> {
        patiently(self.connection.client().batch_execute("BEGIN"))?;
        for (sql, values) in statements {
            let values = parameters(values);
            patiently(self.connection.client().execute(*sql, &values))?;
        }
        patiently(self.connection.client().batch_execute("COMMIT"))
    }
}

/// Waits as long as counting or indexing a large table may take.
fn patiently<T>(
    request: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, StoreError> {
    let done = wait(request, PATIENCE);
    let done = done.ok_or_else(|| StoreError::Unavailable("the server does not answer".into()))?;
    done.map_err(|error| Failure::of(&error).into())
}

impl Table {
    fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The key in the order of SQLite: by bytes, whatever the database's collation is.
    fn ordered_key(&self) -> Vec<String> {
        let ordered = |(name, kind): (&String, Type)| {
            if kind == Type::TEXT { format!("{name} COLLATE \"C\"") } else { name.clone() }
        };
        self.key.iter().zip(self.key_types()).map(ordered).collect()
    }

    fn key_types(&self) -> Vec<Type> {
        let kind = |name: &String| self.columns.iter().find(|(column, _)| column == name);
        self.key
            .iter()
            .map(|name| kind(name).map_or(Type::UNKNOWN, |(_, kind)| kind.clone()))
            .collect()
    }
}

fn cells(row: &Row, types: &[Type]) -> Result<Vec<Cell>, StoreError> {
    types.iter().enumerate().map(|(column, kind)| cell(row, column, kind)).collect()
}

fn cell(row: &Row, column: usize, kind: &Type) -> Result<Cell, StoreError> {
    let cell = if *kind == Type::INT8 {
        row.get::<Option<i64>>(column)?.map(Cell::Integer)
    } else if *kind == Type::TEXT {
        row.get::<Option<String>>(column)?.map(Cell::Text)
    } else if *kind == Type::BYTEA {
        row.get::<Option<Vec<u8>>>(column)?.map(Cell::Blob)
    } else if *kind == Type::BOOL {
        row.get::<Option<bool>>(column)?.map(|flag| Cell::Integer(flag.into()))
    } else if *kind == Type::FLOAT8 {
        row.get::<Option<f64>>(column)?.map(Cell::Real)
    } else {
        return Err(unknown(kind));
    };
    Ok(cell.unwrap_or(Cell::Null))
}

fn value(cell: &Cell, kind: &Type) -> Result<Value, StoreError> {
    Ok(match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) if *kind == Type::INT8 => Value::Int(*number),
        Cell::Integer(number) if *kind == Type::BOOL => Value::Bool(*number != 0),
        Cell::Real(number) if *kind == Type::FLOAT8 => Value::Float(*number),
        Cell::Text(text) if *kind == Type::TEXT => Value::from(text),
        Cell::Blob(bytes) if *kind == Type::BYTEA => Value::Bytes(bytes.clone()),
        Cell::Integer(_) | Cell::Real(_) | Cell::Text(_) | Cell::Blob(_) => {
            return Err(unknown(kind));
        }
    })
}

fn unknown(kind: &Type) -> StoreError {
    StoreError::Damaged(format!("a value of the wrong type for a column of type {kind}"))
}
