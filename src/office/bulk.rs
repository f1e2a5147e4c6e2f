//! Reviewing, and placing or lifting holds, for many records at once. Each record goes through the
//! intake pipeline on its own, so one that fails takes no other with it.

use std::collections::BTreeSet;

use automerge::ChangeHash;

use super::intake::edit::Edit;
use super::{OWN_NAME, Office, OfficeError};
use crate::ids::RecordId;
use crate::record::command::Command;
use crate::record::terms::{Flag, ReviewStatus, Role, Stage};
use crate::record::view::{FlagView, VisitView};
use crate::record::{Record, genesis};

/// What is done to each of many records.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum BulkAction {
    /// Place a hold, unless one of its kind is in force.
    PlaceHold {
        /// Which hold.
        flag: Flag,
        /// Since when, ms; tells an undo which hold it is about.
        since: i64,
        /// Until when, ms, if that is known.
        #[serde(default)]
        until: Option<i64>,
        /// Why.
        note: String,
    },
    /// Undo `place_hold`: lift the user's own hold of that time, if it is the only one of its kind.
    UndoHold {
        /// Which hold.
        flag: Flag,
        /// `since` of `place_hold`.
        since: i64,
    },
    /// Lift every hold of a kind.
    LiftHold {
        /// Which hold.
        flag: Flag,
    },
    /// Accept the sealed record.
    Accept {
        /// Time of the review, ms; tells an undo which review it is about.
        at: i64,
    },
    /// Undo `accept`: revert the user's own review of that time.
    UndoAccept {
        /// `at` of `accept`.
        at: i64,
    },
}

/// An action on one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkChange {
    /// The record.
    pub record: RecordId,
    /// What is done to it.
    pub action: BulkAction,
    /// When the office received the state that the user saw, ms. A record that changed after that is
    /// neither accepted nor loses a hold.
    pub seen_at: i64,
}

/// What became of a change of one of many records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkOutcome {
    /// It was made.
    Done,
    /// The record has what was wanted already, for instance since a reply was lost.
    Unchanged,
    /// Nothing was written: another user has changed the record.
    Moved,
}

/// What an action means for the present state of a record.
enum Effect {
    Nothing,
    Moved,
    Apply(Command),
    /// The same, if the record is as the user saw it.
    ApplyToSeen(Command),
}

impl Office {
    /// Carries out an action on one record, unless another user changed it meanwhile.
    ///
    /// # Errors
    /// As for [`Office::command`].
    pub async fn bulk(
        &self,
        change: BulkChange,
        user: &str,
        role: Role,
    ) -> Result<BulkOutcome, OfficeError> {
        let BulkChange { record: id, action, seen_at } = change;
        let seen = self.blocking(move |office| office.changes_until(id, seen_at)).await?;
        let name = user.to_owned();
        let edit = Edit::new(user, role, move |record, author| {
            let command = match effect(&action, &record.view(), &name, author.now_ms) {
                Effect::Nothing => return Ok((Vec::new(), BulkOutcome::Unchanged)),
                Effect::Moved => return Ok((Vec::new(), BulkOutcome::Moved)),
                Effect::ApplyToSeen(_) if has_others_than(record, &seen) => {
                    return Ok((Vec::new(), BulkOutcome::Moved));
                }
                Effect::Apply(command) | Effect::ApplyToSeen(command) => command,
            };
            let changes = record.apply(&command, author)?;
            Ok((Vec::from_iter(changes), BulkOutcome::Done))
        });
        Ok(self.intake_one(edit, id, ()).await?.1)
    }

    /// The changes of a record that were received until a time. Blocks.
    fn changes_until(
        &self,
        record: RecordId,
        at: i64,
    ) -> Result<BTreeSet<ChangeHash>, OfficeError> {
        let times = self.store.read_with(|reads| reads.change_times(record))?;
        let seen = times.into_iter().filter(|(_, received_at)| *received_at <= at);
        Ok(seen.map(|(hash, _)| hash).collect())
    }
}

/// Whether a user has written other changes. The office's own evaluations follow every change within
/// seconds and say nothing new about the visit.
fn has_others_than(record: &Record, seen: &BTreeSet<ChangeHash>) -> bool {
    let known = |hash: ChangeHash| hash == genesis::hash() || seen.contains(&hash);
    let changes = record.document().get_changes(&[]);
    changes
        .iter()
        .any(|change| !known(change.hash()) && change.message().is_none_or(|by| by != OWN_NAME))
}

fn effect(action: &BulkAction, view: &VisitView, user: &str, now: i64) -> Effect {
    let holds = |flag: Flag| view.case.flags.iter().filter(move |hold| hold.flag == flag);
    let in_force = |hold: &FlagView| hold.until.is_none_or(|until| until > now);
    let review = &view.review;
    match action {
        BulkAction::PlaceHold { flag, .. } if holds(*flag).any(in_force) => Effect::Nothing,
        BulkAction::PlaceHold { flag, since, until, note } => Effect::Apply(Command::RaiseHold {
            flag: *flag,
            since: *since,
            until: *until,
            note: note.clone(),
        }),
        BulkAction::UndoHold { flag, since } => {
            let all = Vec::from_iter(holds(*flag));
            match all.as_slice() {
                [] => Effect::Nothing,
                [own] if own.by == user && own.since == *since => {
                    Effect::Apply(Command::LiftHold { flag: *flag })
                }
                [..] => Effect::Moved,
            }
        }
        BulkAction::LiftHold { flag } if holds(*flag).next().is_none() => Effect::Nothing,
        BulkAction::LiftHold { flag } => Effect::ApplyToSeen(Command::LiftHold { flag: *flag }),
        BulkAction::Accept { .. } if review.status == ReviewStatus::Accepted => Effect::Nothing,
        BulkAction::Accept { at } if view.stage == Stage::Sealed => {
            Effect::ApplyToSeen(reviewed(ReviewStatus::Accepted, *at))
        }
        BulkAction::Accept { .. } => Effect::Moved,
        BulkAction::UndoAccept { at } => match review.status {
            ReviewStatus::Pending => Effect::Nothing,
            ReviewStatus::Accepted if review.by == user && review.at == Some(*at) => {
                Effect::Apply(reviewed(ReviewStatus::Pending, now))
            }
            ReviewStatus::Accepted | ReviewStatus::Returned => Effect::Moved,
        },
    }
}

fn reviewed(status: ReviewStatus, at: i64) -> Command {
    Command::Review { status, remark: String::new(), marks: Vec::new(), at }
}
