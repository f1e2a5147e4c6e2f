//! The sums of the dashboard in PostgreSQL.

use std::collections::BTreeMap;

use super::listing::Filter;
use super::tx::Tx;
use super::value::values;
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
                WHERE k.record = v.record AND k.answer = 'fail' AND NOT k.shadow),
               (SELECT count(*) FROM conduct k
                WHERE k.record = v.record AND k.answer = 'unknown' AND NOT k.shadow)
             FROM visit_collectors c JOIN visits v ON v.record = c.record
             WHERE c.collector = $1 AND (v.arrived_at >= $2 AND v.arrived_at < $3
               OR v.promise_due BETWEEN $4 AND $5)",
            values![collector, of.start, of.end, &of.from, &of.to],
            |row| {
                let due: Option<String> = row.get(1)?;
                let open: bool = row.get(2)?;
                Ok(OwnVisit {
                    arrived_at: row.get(0)?,
                    promise: due.map(|due| (due, open)),
                    failed: row.number(3)?,
                    unknown: row.number(4)?,
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

/// Restricts a column of record ids to those of the team.
fn of_team(filter: &mut Filter, query: &ReportQuery, record: &str) {
    if query.collectors.is_empty() {
        return;
    }
    let team = team(filter, query);
    filter.add(&format!(
        "EXISTS (SELECT 1 FROM visit_collectors t
                 WHERE t.record = {record} AND t.collector = ANY ({team}))"
    ));
}

/// The names of the team as a value.
fn team(filter: &mut Filter, query: &ReportQuery) -> String {
    let names: Vec<&str> = query.collectors.iter().map(String::as_str).collect();
    filter.value(names)
}

impl Tx<'_> {
    fn planned(&mut self, query: &ReportQuery) -> Result<(u64, u64), StoreError> {
        let filter = counted(query, Event::Planned);
        self.query_one(
            &format!(
                "SELECT count(*), count(v.arrived_at) FROM visits v
                 WHERE {}",
                filter.sql
            ),
            filter.values,
            |row| Ok((row.number(0)?, row.number(1)?)),
        )
    }

    fn visited(&mut self, query: &ReportQuery) -> Result<Vec<VisitedCount>, StoreError> {
        let filter = counted(query, Event::Visited);
        // In the order of `DpdBucket::ALL`.
        let buckets = DpdBucket::ALL.iter().filter_map(|bucket| bucket.most);
        let bucket: Vec<String> =
            buckets.map(|most| format!("(v.days_past_due > {most})::int::bigint")).collect();
        let sql = format!(
            "SELECT v.disposition, v.overdue_reason, v.person_met, {}, count(*)
             FROM visits v WHERE {} GROUP BY 1, 2, 3, 4",
            bucket.join(" + "),
            filter.sql
        );
        self.query_all(&sql, filter.values, |row| {
            let bucket = usize::try_from(row.number(3)?).unwrap_or_default();
            Ok(VisitedCount {
                disposition: row.word_or_none(0, Disposition::parse)?,
                overdue_reason: row.word_or_none(1, OverdueReason::parse)?,
                person_met: row.word_or_none(2, TargetRole::parse)?,
                dpd: DpdBucket::ALL.get(bucket).copied().unwrap_or(DpdBucket::ALL[0]),
                count: row.number(4)?,
            })
        })
    }

    fn contacts(&mut self, query: &ReportQuery) -> Result<(u64, u64), StoreError> {
        let mut filter = Filter::default();
        let (from, to) = (filter.value(query.period.start), filter.value(query.period.end));
        filter.add(&format!("k.at >= {from} AND k.at < {to} AND k.outcome <> 'sent'"));
        of_team(&mut filter, query, "k.record");
        self.query_one(
            &format!(
                "SELECT count(*), count(*) FILTER (WHERE k.outcome = 'reached')
                 FROM contacts k WHERE {}",
                filter.sql
            ),
            filter.values,
            |row| Ok((row.number(0)?, row.number(1)?)),
        )
    }

    fn promises(&mut self, query: &ReportQuery) -> Result<Vec<PromiseCount>, StoreError> {
        let mut filter = counted(query, Event::Promised);
        let today = filter.value(&query.today);
        let sql = format!(
            "SELECT v.currency, (CASE WHEN NOT v.promise_open THEN 0
                                      WHEN v.promise_due < {today} THEN 2 ELSE 1 END)::bigint,
                    count(*), sum(v.promise_amount)::float8
             FROM visits v WHERE {} GROUP BY 1, 2 ORDER BY v.currency COLLATE \"C\", 2",
            filter.sql
        );
        self.query_all(&sql, filter.values, |row| {
            let state = match row.get::<i64>(1)? {
                0 => PromiseState::Kept,
                1 => PromiseState::Pending,
                2.. | ..0 => PromiseState::Broken,
            };
            // As in SQLite. Exact up to 2^53.
            let amount: f64 = row.get(3)?;
            Ok(PromiseCount {
                currency: row.get(0)?,
                state,
                count: row.number(2)?,
                amount: amount as i64,
            })
        })
    }

    fn holds(&mut self, query: &ReportQuery) -> Result<Vec<(Flag, u64)>, StoreError> {
        let mut filter = Filter::default();
        of_team(&mut filter, query, "h.record");
        self.query_all(
            &format!(
                "SELECT h.flag, count(*) FROM visit_holds h
                 WHERE {} GROUP BY h.flag ORDER BY h.flag COLLATE \"C\"",
                filter.sql
            ),
            filter.values,
            |row| Ok((row.word(0, Flag::parse)?, row.number(1)?)),
        )
    }

    fn conduct_by_rule(&mut self, query: &ReportQuery) -> Result<Vec<RuleCount>, StoreError> {
        let filter = counted(query, Event::Visited);
        self.query_all(
            &format!(
                "SELECT k.rule, count(*) FILTER (WHERE k.answer = 'fail'),
                        count(*) FILTER (WHERE k.answer = 'unknown')
                 FROM visits v
                 JOIN conduct k ON k.record = v.record
                 WHERE {} AND NOT k.shadow GROUP BY k.rule ORDER BY k.rule COLLATE \"C\"",
                filter.sql
            ),
            filter.values,
            |row| {
                Ok(RuleCount { rule: row.get(0)?, failed: row.number(1)?, unknown: row.number(2)? })
            },
        )
    }

    fn load(&mut self, query: &ReportQuery) -> Result<Vec<CollectorLoad>, StoreError> {
        let mut load: BTreeMap<String, CollectorLoad> = BTreeMap::new();
        for of in [Event::Due, Event::Planned, Event::Visited] {
            let mut filter = Filter::default();
            filter.add_event(of, &query.period);
            if !query.collectors.is_empty() {
                let team = team(&mut filter, query);
                filter.add(&format!("c.collector = ANY ({team})"));
            }
            let counts: Vec<(String, u64)> = self.query_all(
                &format!(
                    "SELECT c.collector, count(*) FROM visits v
                     JOIN visit_collectors c ON c.record = v.record
                     WHERE {} GROUP BY c.collector",
                    filter.sql
                ),
                filter.values,
                |row| Ok((row.get(0)?, row.number(1)?)),
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
