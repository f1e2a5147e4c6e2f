//! The sums of the dashboard in SQLite.
//!
//! Every statement starts from the index of its date, so its cost depends on the period and not on
//! what is stored.

use std::collections::BTreeMap;

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::Tx;
use super::convert::{number, word, word_or_none};
use super::filters::{Filter, text};
use crate::office::store::{
    CollectorLoad, DpdBucket, Event, OwnVisit, Period, PromiseCount, PromiseState, ReportQuery,
    ReportReads, ReportSums, RuleCount, StoreError, VisitedCount,
};
use crate::record::terms::{Disposition, Flag, OverdueReason, TargetRole};

impl ReportReads for Tx<'_> {
    fn own_visits(&mut self, collector: &str, of: &Period) -> Result<Vec<OwnVisit>, StoreError> {
        self.query_all(
            "SELECT v.arrived_at, v.promise_due, v.promise_open,
               (SELECT count(*) FROM conduct k
                WHERE k.record = v.record AND k.answer = 'fail' AND k.shadow = 0),
               (SELECT count(*) FROM conduct k
                WHERE k.record = v.record AND k.answer = 'unknown' AND k.shadow = 0)
             FROM visit_collectors c INDEXED BY visits_by_collector
             CROSS JOIN visits v ON v.record = c.record
             WHERE c.collector = ?1 AND (v.arrived_at >= ?2 AND v.arrived_at < ?3
               OR v.promise_due BETWEEN ?4 AND ?5)",
            (collector, of.start, of.end, &of.from, &of.to),
            |row| {
                let due: Option<String> = row.get(1)?;
                let open: bool = row.get(2)?;
                Ok(OwnVisit {
                    arrived_at: row.get(0)?,
                    promise: due.map(|due| (due, open)),
                    failed: number(row, 3)?,
                    unknown: number(row, 4)?,
                })
            },
        )
    }

    fn report(&mut self, query: &ReportQuery) -> Result<ReportSums, StoreError> {
        let (planned, planned_visited) = self.planned(query)?;
        let (contacts, reached) = self.contacts(query)?;
        Ok(ReportSums {
            planned,
            planned_visited,
            visited: self.visited(query)?,
            contacts,
            reached,
            promises: self.promises(query)?,
            holds: self.holds(query)?,
            conduct: self.conduct_by_rule(query)?,
            load: self.load(query)?,
        })
    }
}

/// The records of an event in the period, of the team.
fn counted(query: &ReportQuery, of: Event) -> Filter {
    let mut filter = Filter::default();
    filter.add_event(of, &query.period);
    of_team(&mut filter, query, "v.record");
    filter
}

/// Restricts a column of record ids to those of the team. By key for each row: the index of the
/// date leads.
fn of_team(filter: &mut Filter, query: &ReportQuery, record: &str) {
    if query.collectors.is_empty() {
        return;
    }
    let markers = vec!["?"; query.collectors.len()].join(", ");
    filter.add(
        &format!(
            "EXISTS (SELECT 1 FROM visit_collectors t
                     WHERE t.record = {record} AND t.collector IN ({markers}))"
        ),
        query.collectors.iter().map(|name| text(name)),
    );
}

impl Tx<'_> {
    fn planned(&mut self, query: &ReportQuery) -> Result<(u64, u64), StoreError> {
        let filter = counted(query, Event::Planned);
        self.query_one(
            &format!(
                "SELECT count(*), count(v.arrived_at) FROM visits v INDEXED BY visits_by_start
                 WHERE {}",
                filter.sql
            ),
            params_from_iter(&filter.values),
            |row| Ok((number(row, 0)?, number(row, 1)?)),
        )
    }

    fn visited(&mut self, query: &ReportQuery) -> Result<Vec<VisitedCount>, StoreError> {
        let filter = counted(query, Event::Visited);
        // In the order of `DpdBucket::ALL`.
        let buckets = DpdBucket::ALL.iter().filter_map(|bucket| bucket.most);
        let bucket: Vec<String> =
            buckets.map(|most| format!("(v.days_past_due > {most})")).collect();
        let sql = format!(
            "SELECT v.disposition, v.overdue_reason, v.person_met, {}, count(*)
             FROM visits v INDEXED BY visits_by_arrival WHERE {} GROUP BY 1, 2, 3, 4",
            bucket.join(" + "),
            filter.sql
        );
        self.query_all(&sql, params_from_iter(&filter.values), |row| {
            let bucket = usize::from(row.get::<_, u8>(3)?);
            Ok(VisitedCount {
                disposition: word_or_none(row, 0, Disposition::parse)?,
                overdue_reason: word_or_none(row, 1, OverdueReason::parse)?,
                person_met: word_or_none(row, 2, TargetRole::parse)?,
                dpd: DpdBucket::ALL.get(bucket).copied().unwrap_or(DpdBucket::ALL[0]),
                count: number(row, 4)?,
            })
        })
    }

    fn contacts(&mut self, query: &ReportQuery) -> Result<(u64, u64), StoreError> {
        let mut filter = Filter::default();
        let times = [Value::Integer(query.period.start), Value::Integer(query.period.end)];
        filter.add("k.at >= ? AND k.at < ? AND k.outcome <> 'sent'", times);
        of_team(&mut filter, query, "k.record");
        self.query_one(
            &format!(
                "SELECT count(*), count(*) FILTER (WHERE k.outcome = 'reached')
                 FROM contacts k INDEXED BY contacts_by_time WHERE {}",
                filter.sql
            ),
            params_from_iter(&filter.values),
            |row| Ok((number(row, 0)?, number(row, 1)?)),
        )
    }

    fn promises(&mut self, query: &ReportQuery) -> Result<Vec<PromiseCount>, StoreError> {
        let filter = counted(query, Event::Promised);
        let sql = format!(
            "SELECT v.currency, iif(v.promise_open, iif(v.promise_due < ?, 2, 1), 0) AS state,
                    count(*), total(v.promise_amount)
             FROM visits v INDEXED BY visits_by_promise WHERE {} GROUP BY 1, 2 ORDER BY 1, 2",
            filter.sql
        );
        let values = std::iter::once(text(&query.today)).chain(filter.values);
        self.query_all(&sql, params_from_iter(values), |row| {
            let state = match row.get(1)? {
                0 => PromiseState::Kept,
                1 => PromiseState::Pending,
                2.. | ..0 => PromiseState::Broken,
            };
            // A float: a sum of invented amounts must not overflow. Exact up to 2^53.
            let amount: f64 = row.get(3)?;
            Ok(PromiseCount {
                currency: row.get(0)?,
                state,
                count: number(row, 2)?,
                amount: amount as i64,
            })
        })
    }

    fn holds(&mut self, query: &ReportQuery) -> Result<Vec<(Flag, u64)>, StoreError> {
        let mut filter = Filter::default();
        of_team(&mut filter, query, "h.record");
        self.query_all(
            &format!(
                "SELECT h.flag, count(*) FROM visit_holds h INDEXED BY visit_holds_by_flag
                 WHERE {} GROUP BY h.flag ORDER BY h.flag",
                filter.sql
            ),
            params_from_iter(&filter.values),
            |row| Ok((word(row, 0, Flag::parse)?, number(row, 1)?)),
        )
    }

    fn conduct_by_rule(&mut self, query: &ReportQuery) -> Result<Vec<RuleCount>, StoreError> {
        let filter = counted(query, Event::Visited);
        self.query_all(
            &format!(
                "SELECT k.rule, count(*) FILTER (WHERE k.answer = 'fail'),
                        count(*) FILTER (WHERE k.answer = 'unknown')
                 FROM visits v INDEXED BY visits_by_arrival
                 CROSS JOIN conduct k ON k.record = v.record
                 WHERE {} AND k.shadow = 0 GROUP BY k.rule ORDER BY k.rule",
                filter.sql
            ),
            params_from_iter(&filter.values),
            |row| {
                Ok(RuleCount {
                    rule: row.get(0)?,
                    failed: number(row, 1)?,
                    unknown: number(row, 2)?,
                })
            },
        )
    }

    fn load(&mut self, query: &ReportQuery) -> Result<Vec<CollectorLoad>, StoreError> {
        let mut load: BTreeMap<String, CollectorLoad> = BTreeMap::new();
        for (of, index) in [
            (Event::Due, "visits_by_due"),
            (Event::Planned, "visits_by_start"),
            (Event::Visited, "visits_by_arrival"),
        ] {
            let mut filter = Filter::default();
            filter.add_event(of, &query.period);
            if !query.collectors.is_empty() {
                let markers = vec!["?"; query.collectors.len()].join(", ");
                filter.add(
                    &format!("c.collector IN ({markers})"),
                    query.collectors.iter().map(|name| text(name)),
                );
            }
            let counts: Vec<(String, u64)> = self.query_all(
                &format!(
                    "SELECT c.collector, count(*) FROM visits v INDEXED BY {index}
                     CROSS JOIN visit_collectors c ON c.record = v.record
                     WHERE {} GROUP BY c.collector",
                    filter.sql
                ),
                params_from_iter(&filter.values),
                |row| Ok((row.get(0)?, number(row, 1)?)),
            )?;
            for (collector, count) in counts {
                let line = load.entry(collector).or_default();
                match of {
                    Event::Due => line.due = count,
                    Event::Planned => line.planned = count,
                    Event::Visited => line.visited = count,
                    Event::Contacted | Event::Reached | Event::Promised => {}
                }
            }
        }
        let line = |(collector, line)| CollectorLoad { collector, ..line };
        Ok(load.into_iter().map(line).collect())
    }
}
