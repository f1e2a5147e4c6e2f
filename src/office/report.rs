//! The dashboard: figures over a period and a team, from the rows of records.
//!
//! Each figure has a filter of the list that gives exactly the records it counts; docs/REPORTS.md
//! defines them.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Serialize;

use super::auth::is_out_of_touch;
use super::store::{
    CollectorLoad, DpdBucket, Period, PromiseCount, PromiseState, Reads, ReportQuery, RuleCount,
    StoreError, VisitedCount,
};
use super::{Office, OfficeError, time};
use crate::record::terms::{Role, TargetRole};

/// A device that was seen within this time was seen today, ms.
const A_DAY: i64 = 24 * 60 * 60 * 1000;

/// The dashboard.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Report {
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Agreed appointments that start in the period.
    pub planned: u64,
    /// Of those, records with an arrival.
    pub planned_visited: u64,
    /// Visits with an arrival in the period.
    pub visited: u64,
    /// Of those, visits at which the borrower, a guarantor or a representative was met.
    pub met: u64,
    /// Contact attempts in the period, other than messages that expect no answer.
    pub contacts: u64,
    /// Of those, contacts that reached the right party.
    pub reached: u64,
    /// Promises due in the period, by currency and state.
    pub promises: Vec<PromiseLine>,
    /// Reasons for late payment of the visits; empty name: none recorded.
    pub reasons: Vec<Named>,
    /// Outcomes of the visits; empty name: none recorded.
    pub outcomes: Vec<Named>,
    /// Visits by days past due.
    pub dpd: Vec<Named>,
    /// Holds in force now.
    pub holds: Vec<Named>,
    /// Conduct of the visits, by rule; only rules with answers other than "kept".
    pub conduct: Vec<RuleCount>,
    /// Work by collector, in order of their names.
    pub load: Vec<CollectorLoad>,
    /// Devices and refused work now.
    pub sync: SyncHealth,
}

/// Promises in one currency.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PromiseLine {
    /// ISO 4217 code.
    pub currency: String,
    /// kept, pending or broken.
    pub state: String,
    /// How many.
    pub count: u64,
    /// Sum of the promised amounts, minor units.
    pub amount: i64,
}

/// A count with the stable name of what it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Named {
    /// The name.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// Whether the phones reach the office.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct SyncHealth {
    /// Devices of collectors that are not revoked.
    pub devices: u64,
    /// Of those, seen in the last 24 hours.
    pub seen_today: u64,
    /// Of those, not seen for three days.
    pub out_of_touch: u64,
    /// Undecided pieces of refused work.
    pub quarantined: u64,
}

impl Office {
    /// The figures of a period and a team; everybody's work if `collectors` is empty.
    pub async fn report(
        &self,
        period: Period,
        zone: Tz,
        collectors: Vec<String>,
    ) -> Result<Report, OfficeError> {
        let now = self.now();
        let query = ReportQuery { period, today: time::today(now, zone), collectors };
        self.blocking(move |office| {
            let (sums, sync) = office.store.read_with(|reads| {
                Ok((reads.report(&query)?, sync_health(reads, &query.collectors, now)?))
            })?;
            let visited = &sums.visited;
            let by = |name: fn(&VisitedCount) -> String| {
                let mut counts: BTreeMap<String, u64> = BTreeMap::new();
                for line in visited {
                    *counts.entry(name(line)).or_default() += line.count;
                }
                counts
            };
            let dpd = by(|line| line.dpd.name());
            let all_buckets = DpdBucket::ALL.into_iter().map(|bucket| {
                let name = bucket.name();
                let count = dpd.get(&name).copied().unwrap_or(0);
                Named { name, count }
            });
            let met = visited.iter().filter(|line| line.person_met.is_some_and(is_other_side));
            Ok(Report {
                from: query.period.from.clone(),
                to: query.period.to.clone(),
                planned: sums.planned,
                planned_visited: sums.planned_visited,
                visited: visited.iter().map(|line| line.count).sum(),
                met: met.map(|line| line.count).sum(),
                contacts: sums.contacts,
                reached: sums.reached,
                reasons: named(by(|line| line.overdue_reason.map_or("", |it| it.as_str()).into())),
                outcomes: named(by(|line| line.disposition.map_or("", |it| it.as_str()).into())),
                dpd: all_buckets.collect(),
                promises: sums.promises.into_iter().map(promise_line).collect(),
                holds: sums
                    .holds
                    .into_iter()
                    .map(|(flag, count)| Named { name: flag.to_string(), count })
                    .collect(),
                conduct: sums.conduct,
                load: sums.load,
                sync,
            })
        })
        .await
    }
}

/// The borrower, or a person who may speak for them.
fn is_other_side(person: TargetRole) -> bool {
    match person {
        TargetRole::Borrower | TargetRole::Guarantor | TargetRole::Representative => true,
        TargetRole::ThirdParty | TargetRole::Nobody => false,
    }
}

fn promise_line(line: PromiseCount) -> PromiseLine {
    let state = match line.state {
        PromiseState::Kept => "kept",
        PromiseState::Pending => "pending",
        PromiseState::Broken => "broken",
    };
    let PromiseCount { currency, count, amount, .. } = line;
    PromiseLine { currency, state: state.to_owned(), count, amount }
}

/// Most frequent first.
fn named(counts: BTreeMap<String, u64>) -> Vec<Named> {
    let mut named: Vec<_> = counts.into_iter().map(|(name, count)| Named { name, count }).collect();
    named.sort_by_key(|line| std::cmp::Reverse(line.count));
    named
}

fn sync_health(reads: &mut dyn Reads, team: &[String], now: i64) -> Result<SyncHealth, StoreError> {
    let of_team = |user: &String| team.is_empty() || team.contains(user);
    let collectors: BTreeSet<String> = reads
        .users()?
        .into_iter()
        .filter(|user| user.role == Role::Collector && user.disabled_at.is_none())
        .map(|user| user.name)
        .filter(of_team)
        .collect();
    let mut health = SyncHealth::default();
    for device in reads.devices()? {
        if device.revoked_at.is_some() || !collectors.contains(&device.user) {
            continue;
        }
        health.devices += 1;
        health.seen_today += u64::from(now.saturating_sub(device.last_seen_at) < A_DAY);
        health.out_of_touch += u64::from(is_out_of_touch(&device, now));
    }
    let shares = reads.quarantine_shares()?.into_iter().filter(|share| of_team(&share.user));
    health.quarantined = shares.map(|share| share.open.pieces).sum();
    Ok(health)
}
