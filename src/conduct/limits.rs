//! The strictest value of each parameter, and the layer that sets it.

use std::collections::BTreeMap;

use super::policy::{Days, Requirement, Within};
use super::requirement::name;
use super::select::SelectedLayers;
use super::terms::{LegalStatus, Scope};
use super::time::{Day, show_minutes};
use super::view::Limit;

/// The strictest values, each with the layers and rules that set it.
#[derive(Debug, Default)]
struct Strictest {
    /// The start of a window, or a single value.
    low: Option<(i64, Vec<(String, String)>)>,
    /// The end of a window.
    high: Option<(i64, Vec<(String, String)>)>,
}

/// Windows intersect; of caps the smallest value counts, of minimums the largest.
pub(super) fn limits(selected: &SelectedLayers<'_>, day: Option<Day>) -> Vec<Limit> {
    let mut limits: BTreeMap<String, Strictest> = BTreeMap::new();
    for layer in &selected.layers {
        for rule in &layer.rules {
            let early = rule.from.zip(day).is_some_and(|(from, day)| day < from);
            let late = rule.until.zip(day).is_some_and(|(until, day)| day >= until);
            if rule.status == LegalStatus::Draft || early || late {
                continue;
            }
            let who = (layer.id.clone(), rule.id.clone());
            for requirement in &rule.requirements {
                tighten(&mut limits, requirement, &who);
            }
        }
    }
    limits.into_iter().filter_map(|(parameter, tightest)| tightest.show(parameter)).collect()
}

fn tighten(
    limits: &mut BTreeMap<String, Strictest>,
    requirement: &Requirement,
    who: &(String, String),
) {
    let mut most = |parameter: String, value: i64| {
        take(&mut limits.entry(parameter).or_default().low, value, who, i64::gt);
    };
    match requirement {
        Requirement::Visitors { least } => most("visitors".into(), *least),
        Requirement::Retention { months } => most("retention_months".into(), *months),
        Requirement::Cooldown { days } => most("cooldown_days".into(), i64::from(*days)),
        Requirement::NoticeBeforeVisit { about, hours } => {
            most(format!("notice_{about}_hours"), *hours)
        }
        Requirement::Cap { count, within, most } => {
            let parameter = match within {
                Within::Days(days) => format!("{}_{days}d", name(*count)),
                Within::Month => format!("{}_month", name(*count)),
            };
            take(&mut limits.entry(parameter).or_default().low, *most, who, i64::lt);
        }
        Requirement::Leave { minutes } => {
            take(
                &mut limits.entry("leave_minutes".into()).or_default().low,
                *minutes,
                who,
                i64::lt,
            );
        }
        Requirement::PlanLength { months } => {
            take(&mut limits.entry("plan_months".into()).or_default().low, *months, who, i64::lt);
        }
        Requirement::Window { on, days, from, to } => {
            let days = match days {
                Days::All => &["weekdays", "weekends"][..],
                Days::Weekdays => &["weekdays"],
                Days::Weekends => &["weekends"],
            };
            let kinds = match on {
                Scope::Visit => &["visit"][..],
                Scope::Call => &["call"],
                Scope::Both => &["visit", "call"],
            };
            for kind in kinds {
                for days in days {
                    let tightest = limits.entry(format!("{kind}_window_{days}")).or_default();
                    take(&mut tightest.low, *from, who, i64::gt);
                    take(&mut tightest.high, *to, who, i64::lt);
                }
            }
        }
        Requirement::Holidays
        | Requirement::Check { .. }
        | Requirement::VerifiedFirst
        | Requirement::EntryConsent
        | Requirement::OnRequest
        | Requirement::Hold { .. }
        | Requirement::AgreedDespite { .. }
        | Requirement::ThirdParty { .. }
        | Requirement::Unreachable { .. }
        | Requirement::ThirdPartyRefusal
        | Requirement::Decent
        | Requirement::NoticeBeforeContact { .. }
        | Requirement::NoticeAfterContact { .. }
        | Requirement::Channels { .. }
        | Requirement::OnePosition
        | Requirement::ComplaintDecided { .. }
        | Requirement::Wishes
        | Requirement::Permission => {}
    }
}

fn take(
    slot: &mut Option<(i64, Vec<(String, String)>)>,
    value: i64,
    who: &(String, String),
    stricter: fn(&i64, &i64) -> bool,
) {
    match slot {
        Some((held, by)) if *held == value => by.push(who.clone()),
        Some((held, _)) if !stricter(&value, held) => {}
        Some(_) | None => *slot = Some((value, vec![who.clone()])),
    }
}

impl Strictest {
    fn show(self, parameter: String) -> Option<Limit> {
        let (low, mut by) = self.low?;
        let value = match self.high {
            None => low.to_string(),
            Some((high, others)) => {
                by.extend(others);
                format!("{}–{}", show_minutes(low), show_minutes(high))
            }
        };
        by.sort_unstable();
        by.dedup();
        let (mut layers, rules): (Vec<_>, Vec<_>) = by.into_iter().unzip();
        layers.dedup();
        Some(Limit { parameter, value, layers, rules })
    }
}
