//! The dashboard's figures, against figures that are computed from the JSON lines of an export.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate};
use chrono_tz::Asia::Shanghai;
use doorstep::office::demo;
use serde_json::{Value, json};

use crate::support::http_office::{HttpOffice, NOW};
use crate::support::sync_client::payment;

const DAY: i64 = 24 * 60 * 60 * 1000;
const TEAM: [&str; 2] = ["chen.jie", "wu.min"];

/// The demo, with some promises kept.
async fn office() -> HttpOffice {
    let http = HttpOffice::open().await;
    demo::fill(&http.office, &http.accounts).await.unwrap();
    http.office.keep_conduct(|_| {}).await.unwrap();
    let token = http.token("gu.an").await;
    let lines = Lines::of(&http, &token).await;
    let promised = lines.visits.iter().filter(|visit| !visit["talk"]["promise"].is_null());
    for (n, visit) in promised.enumerate() {
        let amount = match n % 3 {
            0 => 100_000,
            1 => 99_999,
            _ => continue,
        };
        let id = visit["id"].as_str().unwrap().parse().unwrap();
        http.office.supervise(id, payment(n as u64, amount)).await;
    }
    http.office.keep_conduct(|_| {}).await.unwrap();
    http
}

#[tokio::test]
async fn every_figure_is_that_of_the_exported_lines() {
    let http = office().await;
    let token = http.token("gu.an").await;
    let mut seen = BTreeSet::new();
    for days_later in [0, 16] {
        http.office.advance(days_later * DAY);
        let token = if days_later == 0 { token.clone() } else { http.token_again("gu.an").await };
        let lines = Lines::of(&http, &token).await;
        let today = NOW + days_later * DAY;
        for (from, to) in [(-9, 20), (0, 0), (-1, -1), (-3, -2), (1, 3), (12, 14)] {
            for team in [&[][..], &TEAM[..1], &TEAM] {
                let query = query(from, to, team);
                let report = http.get(&format!("/api/report?{query}"), Some(&token)).await.json();
                let expected = lines.report(from, to, team, today);
                for (name, value) in expected.as_object().unwrap() {
                    assert_eq!(&report[name], value, "{name} of {query}");
                    if value != 0 && value.as_array().is_none_or(|lines| !lines.is_empty()) {
                        seen.insert(name.clone());
                    }
                }
                every_link_counts_the_same(&http, &token, &query, &report, team).await;
            }
        }
    }
    let all: BTreeSet<String> =
        Lines::default().report(0, 0, &[], NOW).as_object().unwrap().keys().cloned().collect();
    assert_eq!(seen, all, "every figure was more than nothing in some period");
}

#[tokio::test]
async fn a_collectors_own_figures_are_those_of_the_report() {
    let http = office().await;
    let mut sums = (0, 0);
    for (days_later, month, last) in [(0, "2026-11", 30), (16, "2026-12", 31)] {
        http.office.advance(days_later * DAY);
        let desk = http.token_again("gu.an").await;
        for collector in TEAM {
            let days = format!("from={month}-01&to={month}-{last}&zone=Asia/Shanghai");
            let path = format!("/api/report?{days}&collector={collector}");
            let report = http.get(&path, Some(&desk)).await.json();
            let phone = http.token_again(collector).await;
            let own = http.get("/api/own-figures?zone=Asia/Shanghai", Some(&phone)).await.json();
            assert_eq!(own["months"].as_array().unwrap().len(), 6);
            let own = &own["months"][0];
            assert_eq!(own["month"], month);
            assert_eq!(own["visits"], report["visited"], "{collector}");
            let promises = |states: &[&str]| -> u64 {
                let lines = report["promises"].as_array().unwrap().iter();
                let of = lines.filter(|line| states.contains(&line["state"].as_str().unwrap()));
                of.map(|line| line["count"].as_u64().unwrap()).sum()
            };
            assert_eq!(own["promises"], promises(&["kept", "pending", "broken"]), "{collector}");
            assert_eq!(own["promises_kept"], promises(&["kept"]), "{collector}");
            assert_eq!(own["promises_broken"], promises(&["broken"]), "{collector}");
            let rules = report["conduct"].as_array().unwrap();
            let failed = rules.iter().any(|rule| rule["failed"].as_u64() > Some(0));
            assert_eq!(own["visits_failed"].as_u64() > Some(0), failed, "{collector}");
            sums.0 += own["visits"].as_u64().unwrap();
            sums.1 += own["promises"].as_u64().unwrap();
        }
        let auditor = http.get("/api/own-figures", Some(&desk)).await;
        assert_eq!(auditor.status, 403, "an auditor has no figures of their own");
    }
    assert!(sums.0 > 0 && sums.1 > 0, "{sums:?}");
}

#[tokio::test]
async fn a_malformed_period_is_refused() {
    let http = HttpOffice::open().await;
    let token = http.token("gu.an").await;
    for (wrong, path) in [
        ("", "from"),
        ("from=2026-11-23", "from"),
        ("from=2026-11-23&to=2026-11-22", "from"),
        ("from=2025-11-23&to=2026-11-24", "from"),
        ("from=2026-11-23&to=2026-11-23&zone=Mars/Base", "zone"),
    ] {
        let answer = http.get(&format!("/api/report?{wrong}"), Some(&token)).await;
        assert_eq!(answer.code(), (422, "invalid_value".into()), "{wrong}");
        assert_eq!(answer.json()["path"], path, "{wrong}");
    }
    for wrong in ["event=planned", "event=x", "dpd=7", "promise=x", "answer=pass", "outcome=x"] {
        let answer = http.get(&format!("/api/visits?{wrong}"), Some(&token)).await;
        assert_eq!(answer.code(), (422, "invalid_value".into()), "{wrong}");
    }
}

/// Days from `NOW`.
fn date(days: i64) -> NaiveDate {
    local(NOW + days * DAY)
}

fn local(ms: i64) -> NaiveDate {
    DateTime::from_timestamp_millis(ms).unwrap().with_timezone(&Shanghai).date_naive()
}

fn query(from: i64, to: i64, team: &[&str]) -> String {
    let (from, to, team) = (date(from), date(to), team.join(","));
    format!("from={from}&to={to}&zone=Asia/Shanghai&collector={team}")
}

/// The list that a figure links to has as many records as the figure says.
async fn every_link_counts_the_same(
    http: &HttpOffice,
    token: &str,
    query: &str,
    report: &Value,
    team: &[&str],
) {
    let count = async |filter: &str| {
        let page = http.get(&format!("/api/visits?limit=1&{filter}"), Some(token)).await;
        page.json()["total"].as_u64().unwrap()
    };
    let mut links: Vec<(String, &Value)> = vec![
        (format!("{query}&event=planned"), &report["planned"]),
        (format!("{query}&event=planned&visited=1"), &report["planned_visited"]),
        (format!("{query}&event=visited"), &report["visited"]),
        (format!("{query}&event=visited&met=1"), &report["met"]),
    ];
    let named = |name: &Value| match name.as_str().unwrap() {
        "" => "none".to_owned(),
        name => name.to_owned(),
    };
    for (list, filter) in [("reasons", "reason"), ("outcomes", "outcome"), ("dpd", "dpd")] {
        for line in report[list].as_array().unwrap() {
            let name = named(&line["name"]);
            links.push((format!("{query}&event=visited&{filter}={name}"), &line["count"]));
        }
    }
    for line in report["conduct"].as_array().unwrap() {
        let rule = line["rule"].as_str().unwrap();
        for (answer, figure) in [("fail", "failed"), ("unknown", "unknown")] {
            let filter = format!("{query}&event=visited&rule={rule}&answer={answer}");
            links.push((filter, &line[figure]));
        }
    }
    for line in report["promises"].as_array().unwrap() {
        let state = line["state"].as_str().unwrap();
        links.push((format!("{query}&event=promised&promise={state}"), &line["count"]));
    }
    for line in report["holds"].as_array().unwrap() {
        let hold = line["name"].as_str().unwrap();
        links.push((format!("collector={}&hold={hold}", team.join(",")), &line["count"]));
    }
    for line in report["load"].as_array().unwrap() {
        let collector = line["collector"].as_str().unwrap();
        let period = query.split("&collector").next().unwrap();
        for event in ["due", "planned", "visited"] {
            links.push((format!("{period}&collector={collector}&event={event}"), &line[event]));
        }
    }
    for (filter, figure) in links {
        assert_eq!(&json!(count(&filter).await), figure, "{filter}");
    }
}

/// The lines of the exports.
#[derive(Default)]
struct Lines {
    visits: Vec<Value>,
    conduct: Vec<Value>,
}

impl Lines {
    async fn of(http: &HttpOffice, token: &str) -> Self {
        let text = http.get("/api/export?format=jsonl", Some(token)).await.text();
        let visits = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (mut conduct, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/conduct?limit=200&after={after}");
            let page = http.get(&path, Some(token)).await.json();
            conduct.extend(page["rows"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => return Self { visits, conduct },
            }
        }
    }

    fn report(&self, from: i64, to: i64, team: &[&str], now: i64) -> Value {
        let (first, last) = (date(from), date(to));
        let within = |day: NaiveDate| (first..=last).contains(&day);
        let at = |time: &Value| time.as_i64().is_some_and(|ms| within(local(ms)));
        let on = |day: &Value| day.as_str().unwrap().parse::<NaiveDate>().is_ok_and(within);
        let collectors = |visit: &Value| -> Vec<String> {
            let names = visit["assignment"]["collectors"].as_array().unwrap();
            names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let of_team = |visit: &&Value| {
            team.is_empty() || collectors(visit).iter().any(|name| team.contains(&name.as_str()))
        };
        let visits: Vec<&Value> = self.visits.iter().filter(of_team).collect();
        let is_planned = |visit: &Value| {
            visit["appointment"]["status"] == "agreed" && at(&visit["appointment"]["starts_at"])
        };
        let is_due =
            |visit: &Value| visit["stage"] != "reviewed" && on(&visit["assignment"]["due_by"]);
        let is_visited = |visit: &Value| at(&visit["visit"]["arrived_at"]);
        let planned: Vec<_> = visits.iter().filter(|visit| is_planned(visit)).collect();
        let visited: Vec<_> = visits.iter().filter(|visit| is_visited(visit)).collect();
        let met = visited.iter().filter(|visit| {
            let met = visit["visit"]["person_met"].as_str().unwrap_or("");
            ["borrower", "guarantor", "representative"].contains(&met)
        });
        let contacts = visits.iter().flat_map(|visit| visit["contacts"].as_array().unwrap());
        let contacts: Vec<_> =
            contacts.filter(|contact| at(&contact["at"]) && contact["outcome"] != "sent").collect();
        let by = |path: &str| {
            let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
            for visit in &visited {
                *counts.entry(visit.pointer(path).unwrap().as_str().unwrap_or("")).or_default() +=
                    1;
            }
            let mut counts: Vec<_> = counts.into_iter().collect();
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let named = |(name, count)| json!({ "name": name, "count": count });
            counts.into_iter().map(named).collect::<Vec<_>>()
        };
        let buckets = [(i64::MIN, 0), (1, 30), (31, 60), (61, 90), (91, 180), (181, i64::MAX)];
        let names = ["0", "1-30", "31-60", "61-90", "91-180", "181-"];
        let dpd = buckets.iter().zip(names).map(|((least, most), name)| {
            let days = |visit: &Value| visit["case"]["days_past_due"].as_i64().unwrap();
            let held = visited.iter().filter(|visit| (*least..=*most).contains(&days(visit)));
            json!({ "name": name, "count": held.count() })
        });
        let mut promises: BTreeMap<(String, u8), (u64, i64)> = BTreeMap::new();
        for visit in &visits {
            let promise = &visit["talk"]["promise"];
            if promise.is_null() || !on(&promise["due_date"]) {
                continue;
            }
            let amount = |of: &Value| of["amount"].as_i64().unwrap();
            let paid: i64 = visit["payments"].as_array().unwrap().iter().map(amount).sum();
            let due: NaiveDate = promise["due_date"].as_str().unwrap().parse().unwrap();
            let state = match (paid >= amount(promise), due < local(now)) {
                (true, _) => 0,
                (false, false) => 1,
                (false, true) => 2,
            };
            let currency = visit["case"]["currency"].as_str().unwrap().to_owned();
            let sums = promises.entry((currency, state)).or_default();
            *sums = (sums.0 + 1, sums.1 + amount(promise));
        }
        let promises = promises.into_iter().map(|((currency, state), (count, amount))| {
            let state = ["kept", "pending", "broken"][usize::from(state)];
            json!({ "currency": currency, "state": state, "count": count, "amount": amount })
        });
        let mut holds: BTreeMap<String, u64> = BTreeMap::new();
        for visit in &visits {
            let flags = visit["case"]["flags"].as_array().unwrap().iter();
            let flags: BTreeSet<_> = flags.map(|flag| flag["flag"].as_str().unwrap()).collect();
            for flag in flags {
                *holds.entry(flag.to_owned()).or_default() += 1;
            }
        }
        let holds = holds.into_iter().map(|(name, count)| json!({ "name": name, "count": count }));
        let ids: BTreeSet<_> = visited.iter().map(|visit| visit["id"].as_str().unwrap()).collect();
        let mut conduct: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
        for row in &self.conduct {
            if row["shadow"] == false && ids.contains(row["record"].as_str().unwrap()) {
                let answer = usize::from(row["answer"] == "unknown");
                conduct.entry(row["rule"].as_str().unwrap()).or_default()[answer] += 1;
            }
        }
        let conduct = conduct.into_iter().map(
            |(rule, [failed, unknown])| json!({ "rule": rule, "failed": failed, "unknown": unknown }),
        );
        let mut load: BTreeMap<String, [u64; 3]> = BTreeMap::new();
        for visit in &visits {
            let counted = [is_due(visit), is_planned(visit), is_visited(visit)];
            for name in collectors(visit) {
                if counted.contains(&true) && (team.is_empty() || team.contains(&name.as_str())) {
                    let line = load.entry(name).or_default();
                    for (sum, counts) in line.iter_mut().zip(counted) {
                        *sum += u64::from(counts);
                    }
                }
            }
        }
        let load = load.into_iter().map(|(collector, [due, planned, visited])| {
            json!({ "collector": collector, "due": due, "planned": planned, "visited": visited })
        });
        let arrived = planned.iter().filter(|visit| !visit["visit"]["arrived_at"].is_null());
        let reached = contacts.iter().filter(|contact| contact["outcome"] == "reached");
        json!({
            "planned": planned.len(),
            "planned_visited": arrived.count(),
            "visited": visited.len(),
            "met": met.count(),
            "contacts": contacts.len(),
            "reached": reached.count(),
            "reasons": by("/talk/overdue_reason"),
            "outcomes": by("/talk/disposition"),
            "dpd": dpd.collect::<Vec<_>>(),
            "promises": promises.collect::<Vec<_>>(),
            "holds": holds.collect::<Vec<_>>(),
            "conduct": conduct.collect::<Vec<_>>(),
            "load": load.collect::<Vec<_>>(),
        })
    }
}
