//! The simulated office's store in PostgreSQL: a schema for each thread, and copies of it.
//!
//! The simulator clears what it finds there, so it accepts only a database without other tables.

use crate::office::store::InitialSecrets;
use crate::office::store::StoreError;
use crate::office::store::postgres::{Postgres, run_script};

/// The schemas of the simulator: this and the number of a thread.
const PREFIX: &str = "doorstep_simulation_";

/// Finds tables and views that are neither the server's nor an extension's nor the simulator's.
const DEMAND_EMPTY: &str = r"DO $$ BEGIN
    IF EXISTS (
        SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
            AND n.nspname !~ '^(pg_|information_schema$|doorstep_simulation_)'
            AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'))
    THEN RAISE EXCEPTION 'the simulation needs an empty database, and this one holds tables'; END IF;
END $$";

/// Copies every table into another schema, which needs no constraints: TO and FROM are replaced.
const SAVE: &str = r"CREATE SCHEMA IF NOT EXISTS TO;
DO $$ DECLARE t record; BEGIN
    FOR t IN TABLES LOOP
        EXECUTE format('CREATE TABLE IF NOT EXISTS TO.%I AS TABLE FROM.%I WITH NO DATA', t.name, t.name);
        EXECUTE format('DELETE FROM TO.%I', t.name);
        EXECUTE format('INSERT INTO TO.%I (%s) SELECT %s FROM FROM.%I', t.name, t.columns, t.columns, t.name);
    END LOOP;
END $$";

/// Puts a copy back. Triggers would count rows again that the copy has counted.
const LOAD: &str = r"DO $$ DECLARE t record; BEGIN
    FOR t IN TABLES DESC LOOP
        EXECUTE format('ALTER TABLE TO.%I DISABLE TRIGGER USER', t.name);
        EXECUTE format('DELETE FROM TO.%I', t.name);
    END LOOP;
    FOR t IN TABLES LOOP
        EXECUTE format('INSERT INTO TO.%I (%s) SELECT %s FROM FROM.%I', t.name, t.columns, t.columns, t.name);
        EXECUTE format('ALTER TABLE TO.%I ENABLE TRIGGER USER', t.name);
    END LOOP;
END $$";

/// The office's tables in the order in which they were created, so that no row comes before those that
/// it refers to, with the columns that are not computed.
const TABLES: &str = r"SELECT c.relname AS name,
        (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')
         AS columns
    FROM pg_class c
    WHERE c.relnamespace = 'OFFICE'::regnamespace AND c.relkind = 'r'
        AND c.relname <> 'refinery_schema_history'
    ORDER BY c.oid";

/// A schema of the simulator, dropped with it.
pub(super) struct Schema {
    database: String,
    name: String,
}

impl Schema {
    /// Fails if the database holds what is not the simulator's.
    pub(super) fn demand_empty(database: &str) -> Result<(), StoreError> {
        run_script(database, DEMAND_EMPTY)
    }

    /// A new office's tables for a thread, and a copy of them as [`Copy::Empty`]. Drops what an
    /// earlier simulation has left.
    pub(super) fn new(
        database: &str,
        thread: usize,
        secrets: InitialSecrets,
    ) -> Result<Self, StoreError> {
        let schema = Self { database: database.to_owned(), name: format!("{PREFIX}{thread}") };
        schema.drop_all()?;
        run_script(database, &format!("CREATE SCHEMA {}", schema.name))?;
        drop(Postgres::open(&schema.address(), secrets)?);
        schema.save(Copy::Empty)?;
        Ok(schema)
    }

    /// The address of a store in this schema.
    pub(super) fn address(&self) -> String {
        let sign = if self.database.contains('?') { '&' } else { '?' };
        format!("{}{sign}options=-c%20search_path%3D{}", self.database, self.name)
    }

    /// Copies the store as it is now. Endpoints may be running.
    pub(super) fn save(&self, copy: Copy) -> Result<(), StoreError> {
        self.run(SAVE, &copy.of(&self.name), &self.name)
    }

    /// Replaces the store by a copy. No endpoint may be running.
    pub(super) fn load(&self, copy: Copy) -> Result<(), StoreError> {
        self.run(LOAD, &self.name, &copy.of(&self.name))
    }

    fn run(&self, script: &str, to: &str, from: &str) -> Result<(), StoreError> {
        let script = script
            .replace("TO.", &format!("{to}."))
            .replace("EXISTS TO;", &format!("EXISTS {to};"))
            .replace("FROM.", &format!("{from}."))
            .replace("TABLES", &TABLES.replace("OFFICE", &self.name));
        run_script(&self.database, &script)
    }

    fn drop_all(&self) -> Result<(), StoreError> {
        let copies = [Copy::Empty, Copy::Backup].map(|copy| copy.of(&self.name));
        let [empty, backup] = &copies;
        let names = format!("{}, {empty}, {backup}", self.name);
        run_script(&self.database, &format!("DROP SCHEMA IF EXISTS {names} CASCADE"))
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // What stays is dropped by the next simulation.
        drop(self.drop_all());
    }
}

/// A copy of the store.
#[derive(Clone, Copy)]
pub(super) enum Copy {
    /// As it was created.
    Empty,
    /// The last backup.
    Backup,
}

impl Copy {
    fn of(self, schema: &str) -> String {
        match self {
            Self::Empty => format!("{schema}_empty"),
            Self::Backup => format!("{schema}_backup"),
        }
    }
}
