//! What the contract says of saved views and of tokens for reports.

use doorstep::office::store::{ReportToken, SavedView};

use super::samples::Engine;

fn view(n: u8, owner: &str, name: &str, shared: bool) -> SavedView {
    SavedView { id: [n; 16], owner: owner.into(), name: name.into(), search: "q=x".into(), shared }
}

fn token(n: u8, user: &str) -> ReportToken {
    let (name, at) = (format!("token {n}"), i64::from(n));
    let (id, hash) = ([n; 16], [n; 32]);
    let user = user.into();
    ReportToken { id, hash, user, name, created_at: at, expires_at: 99, used_at: None }
}

pub(crate) fn views_are_own_or_shared_and_tokens_are_found_by_their_hash(engine: &Engine) {
    let store = &engine.store;
    store
        .write_now(|tx| {
            tx.put_saved_view(&view(1, "lin.yue", "b", false))?;
            tx.put_saved_view(&view(2, "gu.an", "a", true))?;
            tx.put_saved_view(&view(3, "gu.an", "c", false))?;
            // The owner stays.
            tx.put_saved_view(&SavedView { search: "q=y".into(), ..view(1, "gu.an", "b", false) })?;
            tx.add_report_token(&token(2, "lin.yue"))?;
            tx.add_report_token(&token(1, "lin.yue"))?;
            tx.add_report_token(&token(3, "gu.an"))?;
            tx.note_report_token([3; 16], 50)
        })
        .unwrap();
    let own = SavedView { search: "q=y".into(), ..view(1, "lin.yue", "b", false) };
    let used = ReportToken { used_at: Some(50), ..token(3, "gu.an") };
    store
        .read_with(|reads| {
            assert_eq!(reads.saved_views("lin.yue")?, [view(2, "gu.an", "a", true), own.clone()]);
            assert_eq!(reads.saved_view([1; 16])?, Some(own.clone()));
            assert_eq!(reads.saved_view([9; 16])?, None);
            assert_eq!(reads.report_tokens("lin.yue")?, [token(1, "lin.yue"), token(2, "lin.yue")]);
            assert_eq!(reads.report_token(&[3; 32])?, Some(used.clone()));
            assert_eq!(reads.report_token(&[9; 32])?, None);
            Ok(())
        })
        .unwrap();
    let deleted = store.write_now(|tx| {
        tx.delete_saved_view([2; 16])?;
        Ok([
            tx.delete_report_token([3; 16], "lin.yue")?,
            tx.delete_report_token([3; 16], "gu.an")?,
            tx.delete_report_token([3; 16], "gu.an")?,
        ])
    });
    assert_eq!(deleted.unwrap(), [0, 1, 0]);
    store
        .read_with(|reads| {
            assert_eq!(reads.saved_view([2; 16])?, None);
            assert_eq!(reads.report_token(&[3; 32])?, None);
            Ok(())
        })
        .unwrap();
}
