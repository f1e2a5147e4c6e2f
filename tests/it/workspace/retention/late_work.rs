//! Work that comes after its record has left the phone.

use std::time::Duration;

use doorstep::record::command::{CasePatch, Command};
use doorstep::record::terms::Role;

use super::{DAY, payment};
use crate::support::office::Pair;

/// The collector is one of the record's still: what a late phone brings is judged like any work,
/// whether the phone was told before that the record has left or not.
#[tokio::test]
async fn f5_late_work_of_its_collector_is_merged_and_leaves_with_the_next_turn() {
    for told in [false, true] {
        let mut pair = Pair::accepted(&["chen.jie"]).await;
        if told {
            // The request goes out before the work is written.
            pair.phone.workspace.sync_now(pair.phone.now);
            pair.phone.run();
        }
        pair.phone.apply(pair.id, &payment("late"));
        assert_eq!(pair.office.expire_accepted(Duration::ZERO).await, Ok(1));
        pair.sync().await;
        assert_eq!(pair.office.visit(pair.id).await.unwrap().payments.len(), 1);
        assert!(pair.office.quarantine().await.unwrap().is_empty());
        assert_eq!(pair.phone.ids(), [pair.id], "submitted, so it is here");
        assert_eq!(pair.office.expire_accepted(Duration::ZERO).await, Ok(1));
        pair.sync().await;
        assert!(pair.phone.ids().is_empty());
    }
}

/// The office has it all and says so; the phone that did not hear the answer gives it up.
#[tokio::test]
async fn f5_work_whose_answer_was_lost_leaves_with_the_record() {
    let mut pair = Pair::accepted(&["chen.jie"]).await;
    pair.phone.apply(pair.id, &payment("late"));
    pair.phone.workspace.sync_now(pair.phone.now);
    pair.phone.run();
    pair.phone.answer(&pair.office).await.expect("merged");
    pair.phone.lose_reply();
    assert_eq!(pair.office.expire_accepted(Duration::ZERO).await, Ok(1));
    pair.phone.now += DAY;
    pair.sync().await;
    assert!(pair.phone.ids().is_empty());
    assert!(pair.office.quarantine().await.unwrap().is_empty());
    assert_eq!(pair.office.visit(pair.id).await.unwrap().payments.len(), 1);
}

/// Unacceptable late changes are kept in quarantine, as with any withdrawn record.
#[tokio::test]
async fn f5_late_work_that_does_not_hold_is_kept_in_quarantine() {
    let mut pair = Pair::accepted(&["chen.jie"]).await;
    pair.phone.claims = Role::Supervisor;
    pair.phone.restart();
    let forgiven = CasePatch { overdue: Some(0), ..Default::default() };
    pair.phone.apply(pair.id, &Command::UpdateCase(Box::new(forgiven)));
    assert_eq!(pair.office.expire_accepted(Duration::ZERO).await, Ok(1));
    pair.phone.claims = Role::Collector;
    pair.phone.restart();
    pair.sync().await;
    assert!(pair.phone.ids().is_empty());
    assert_eq!(pair.office.quarantine().await.unwrap().len(), 1);
}
