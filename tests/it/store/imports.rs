//! What the contract says of imports.

use doorstep::office::store::{ImportRow, StoredImport};

use super::samples::Engine;

fn import(n: u8, user: &str, claimed_until: Option<i64>) -> StoredImport {
    let state = format!("state {n}");
    StoredImport { id: [n; 16], user: user.into(), created_at: n.into(), claimed_until, state }
}

fn row(row: u64, outcome: &str) -> ImportRow {
    ImportRow { row, outcome: outcome.into(), report: format!("{outcome} {row}") }
}

pub(crate) fn imports_have_files_rows_and_claims(engine: &Engine) {
    let store = &engine.store;
    store
        .write_now(|tx| {
            tx.add_import(&import(1, "lin.yue", None), b"one")?;
            tx.add_import(&import(2, "lin.yue", Some(50)), b"two")?;
            tx.add_import(&import(3, "gu.an", Some(40)), b"three")?;
            tx.replace_import_rows([2; 16], 1, 3, &[row(1, "created"), row(3, "refused")])?;
            tx.replace_import_rows([2; 16], 4, 9, &[row(5, "created")])?;
            // A batch that is repeated.
            tx.replace_import_rows([2; 16], 1, 3, &[row(1, "updated"), row(2, "refused")])
        })
        .unwrap();
    store
        .read_with(|reads| {
            assert_eq!(reads.import([2; 16])?, Some(import(2, "lin.yue", Some(50))));
            assert_eq!(reads.import([9; 16])?, None);
            let ids: Vec<u8> =
                reads.imports_of("lin.yue")?.iter().map(|import| import.id[0]).collect();
            assert_eq!(ids, vec![2, 1]);
            assert_eq!(reads.import_file([3; 16])?, Some(b"three".to_vec()));
            let all = reads.import_rows([2; 16], "", 0, 9)?;
            assert_eq!(all, [row(1, "updated"), row(2, "refused"), row(5, "created")]);
            assert_eq!(reads.import_rows([2; 16], "", 1, 1)?, [row(2, "refused")]);
            assert_eq!(reads.import_rows([2; 16], "created", 0, 9)?, [row(5, "created")]);
            assert_eq!(reads.abandoned_imports(39)?, [[0_u8; 16]; 0]);
            assert_eq!(reads.abandoned_imports(50)?, [[2; 16], [3; 16]]);
            Ok(())
        })
        .unwrap();
    store
        .write_now(|tx| {
            tx.update_import(&import(2, "lin.yue", None))?;
            tx.delete_import([1; 16])?;
            tx.put_import_columns("lin.yue", "a", 1)?;
            tx.put_import_columns("gu.an", "b", 2)?;
            tx.put_import_columns("chen", "c", 3)?;
            tx.put_import_columns("lin.yue", "d", 1)
        })
        .unwrap();
    store
        .read_with(|reads| {
            assert_eq!(reads.abandoned_imports(99)?, [[3; 16]]);
            assert_eq!((reads.import([1; 16])?, reads.import_file([1; 16])?), (None, None));
            assert_eq!(reads.import_columns("lin.yue")?, ["d", "c"]);
            assert_eq!(reads.import_columns("new")?, ["c", "b"]);
            Ok(())
        })
        .unwrap();
    store.write_now(|tx| tx.delete_imports_before(3)).unwrap();
    let left = store.read_with(|reads| {
        Ok((reads.import([2; 16])?, reads.import_rows([2; 16], "", 0, 9)?, reads.import([3; 16])?))
    });
    assert_eq!(left.unwrap(), (None, vec![], Some(import(3, "gu.an", Some(40)))));
}
