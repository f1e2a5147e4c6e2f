//! Parses and checks a layer in TOML. Errors carry their line.

mod fields;

use toml::de::DeTable;

use super::policy::{Count, Days, Layer, Met, Requirement, Rule, Within};
use super::terms::{Confidence, LegalStatus, Scope, Severity};
use super::time::{Day, parse_day};
use crate::record::terms::{CheckItem, Flag, NoticeAbout};
use fields::{Fields, Found, words};

/// An error in a layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct LayerError {
    /// From 1.
    pub line: usize,
    /// One sentence.
    pub message: String,
}

/// Reads and checks a layer.
///
/// # Errors
/// All errors, in order of lines.
pub fn parse(text: &str) -> Result<Layer, Vec<LayerError>> {
    let line = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
    let mut found: Found = Vec::new();
    let layer = match DeTable::parse(text) {
        Ok(table) => layer(Fields::new(table.get_ref(), table.span(), "the layer"), &mut found),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            found.push((at, error.message().to_owned()));
            None
        }
    };
    match layer.filter(|_| found.is_empty()) {
        Some(layer) => Ok(layer),
        None => {
            let mut wrong: Vec<LayerError> = found
                .into_iter()
                .map(|(at, message)| LayerError { line: line(at), message })
                .collect();
            wrong.sort_by_key(|wrong| wrong.line);
            Err(wrong)
        }
    }
}

fn layer(mut fields: Fields<'_>, found: &mut Found) -> Option<Layer> {
    let defaults = Defaults {
        status: fields.word("status", LegalStatus::parse, LegalStatus::ALL, found),
        from: fields.day("from", found),
        until: fields.day("until", found),
    };
    let (holidays, holidays_known) = holidays(&mut fields, found);
    let layer = Layer {
        id: fields.need("id", Fields::text, found).unwrap_or_default(),
        version: fields.need("version", Fields::text, found).unwrap_or_default(),
        title: fields.need("title", Fields::text, found).unwrap_or_default(),
        jurisdiction: fields.text("jurisdiction", found).unwrap_or_default(),
        max_age_hours: fields.number("max_age_hours", 1..=8_760, found),
        holidays,
        holidays_known,
        rules: fields
            .tables("rule", found)
            .into_iter()
            .filter_map(|rule| self::rule(rule, &defaults, found))
            .collect(),
    };
    let start = fields.span.start;
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    for (name, value) in [("id", &layer.id), ("version", &layer.version)] {
        if !plain(value) {
            found.push((start, format!("`{name}` holds letters, digits, `-`, `_` and `.` only")));
        }
    }
    if layer.rules.is_empty() {
        found.push((start, "a layer has at least one [[rule]]".to_owned()));
    }
    let mut ids: Vec<&str> = layer.rules.iter().map(|rule| rule.id.as_str()).collect();
    ids.sort_unstable();
    for pair in ids.windows(2) {
        if let [one, other] = pair
            && one == other
        {
            found.push((start, format!("two rules are called `{one}`")));
        }
    }
    let asks_holidays =
        layer.rules.iter().any(|rule| rule.requirements.contains(&Requirement::Holidays));
    if asks_holidays && layer.holidays_known.is_none() && layer.jurisdiction.is_empty() {
        let what = "a rule asks for holidays: name them, or the `jurisdiction` whose they are";
        found.push((start, what.to_owned()));
    }
    fields.end(found);
    Some(layer)
}

fn holidays(fields: &mut Fields<'_>, found: &mut Found) -> (Vec<Day>, Option<(Day, Day)>) {
    let mut days = Vec::new();
    for (text, at) in fields.texts("holidays", found) {
        match parse_day(&text) {
            Some(day) => days.push(day),
            None => found.push((at, format!("`{text}` is no date such as 2026-12-25"))),
        }
    }
    days.sort_unstable();
    days.dedup();
    let known = (fields.day("holidays_from", found), fields.day("holidays_until", found));
    match known {
        (Some(from), Some(until)) if from < until => (days, Some((from, until))),
        (None, None) if days.is_empty() => (days, None),
        _ => {
            let what =
                "holidays come with `holidays_from` and `holidays_until`, one before the other";
            found.push((fields.span.start, what.to_owned()));
            (days, None)
        }
    }
}

/// Values of the layer for rules without their own.
struct Defaults {
    status: Option<LegalStatus>,
    from: Option<Day>,
    until: Option<Day>,
}

fn rule(mut fields: Fields<'_>, defaults: &Defaults, found: &mut Found) -> Option<Rule> {
    let start = fields.span.start;
    let id = fields.need("id", Fields::text, found);
    if let Some(id) = &id {
        fields.name = format!("rule {id}");
        if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') || id.len() > 32 {
            found.push((
                start,
                format!("`{id}`: a rule's id holds letters, digits and `-`, 32 at most"),
            ));
        }
    }
    let status = fields.word("status", LegalStatus::parse, LegalStatus::ALL, found);
    let status = status.or(defaults.status);
    if status.is_none() {
        found.push((start, format!("{}: `status` is missing here and in the layer", fields.name)));
    }
    let confidence = fields.word("confidence", Confidence::parse, Confidence::ALL, found);
    let severity = fields.word("severity", Severity::parse, Severity::ALL, found);
    let scope = fields.word("scope", Scope::parse, Scope::ALL, found);
    for (name, there) in [
        ("confidence", confidence.is_some()),
        ("severity", severity.is_some()),
        ("scope", scope.is_some()),
    ] {
        if !there && !fields.used.iter().any(|used| used == name && fields.table.contains_key(name))
        {
            found.push((start, format!("{}: `{name}` is missing", fields.name)));
        }
    }
    let name = fields.name.clone();
    let asked = fields.tables("duty", found);
    if asked.is_empty() {
        found.push((start, format!("{name}: a rule has at least one [[rule.duty]]")));
    }
    let mut requirements: Vec<Requirement> = Vec::new();
    for mut asked in asked {
        asked.name = format!("{name}, a duty");
        requirements.extend(requirement(asked, found));
    }
    let rule = Rule {
        id: id.unwrap_or_default(),
        title: fields.text("title", found).unwrap_or_default(),
        scope: scope.unwrap_or(Scope::Both),
        status: status.unwrap_or(LegalStatus::Lender),
        confidence: confidence.unwrap_or(Confidence::M),
        citation: fields.need("citation", Fields::text, found).unwrap_or_default(),
        from: fields.day("from", found).or(defaults.from),
        until: fields.day("until", found).or(defaults.until),
        severity: severity.unwrap_or(Severity::Block),
        consent: fields.truth("consent", found).unwrap_or(false),
        requirements,
    };
    if rule.from.zip(rule.until).is_some_and(|(from, until)| until <= from) {
        found.push((start, format!("{name}: `until` is not after `from`")));
    }
    fields.end(found);
    Some(rule)
}

fn requirement(mut fields: Fields<'_>, found: &mut Found) -> Option<Requirement> {
    let kind = fields.need("kind", Fields::text, found)?;
    fields.name = format!("{} ({kind})", fields.name);
    let requirement = match kind.as_str() {
        "window" => window(&mut fields, found),
        "holidays" => Some(Requirement::Holidays),
        "cap" => cap(&mut fields, found),
        "cooldown" => days(&mut fields, found).map(|days| Requirement::Cooldown { days }),
        "visitors" => {
            fields.needed("least", 1..=10, found).map(|least| Requirement::Visitors { least })
        }
        "check" => check(&mut fields, found),
        "verified_first" => Some(Requirement::VerifiedFirst),
        "entry_consent" => Some(Requirement::EntryConsent),
        "on_request" => Some(Requirement::OnRequest),
        "hold" => flags(&mut fields, found).map(|flags| Requirement::Hold { flags }),
        "agreed_despite" => {
            flags(&mut fields, found).map(|flags| Requirement::AgreedDespite { flags })
        }
        "leave" => {
            fields.needed("minutes", 0..=240, found).map(|minutes| Requirement::Leave { minutes })
        }
        "third_party" => fields
            .needed("failures", 1..=100, found)
            .map(|failures| Requirement::ThirdParty { failures }),
        "unreachable" => fields
            .needed("failures", 1..=100, found)
            .map(|failures| Requirement::Unreachable { failures }),
        "third_party_refusal" => Some(Requirement::ThirdPartyRefusal),
        "decent" => Some(Requirement::Decent),
        "retention" => fields
            .needed("months", 1..=1_200, found)
            .map(|months| Requirement::Retention { months }),
        "plan_length" => {
            fields.needed("months", 1..=600, found).map(|months| Requirement::PlanLength { months })
        }
        "notice_before_contact" => {
            about(&mut fields, found).map(|about| Requirement::NoticeBeforeContact { about })
        }
        "notice_after_contact" => {
            let days = fields.needed("days", 0..=365, found);
            about(&mut fields, found)
                .zip(days)
                .map(|(about, days)| Requirement::NoticeAfterContact { about, days })
        }
        "notice_before_visit" => {
            let hours = fields.needed("hours", 0..=8_760, found);
            about(&mut fields, found)
                .zip(hours)
                .map(|(about, hours)| Requirement::NoticeBeforeVisit { about, hours })
        }
        "channels" => {
            let forbidden: Vec<String> =
                fields.texts("forbidden", found).into_iter().map(|(text, _)| text).collect();
            if forbidden.is_empty() {
                fields.wrong("`forbidden` names at least one channel", found);
            }
            Some(Requirement::Channels { forbidden })
        }
        "one_position" => Some(Requirement::OnePosition),
        "complaint_decided" => {
            let longest = fields.number("longest", 1..=365, found);
            let days = fields.needed("days", 1..=365, found);
            if longest.zip(days).is_some_and(|(longest, days)| longest < days) {
                fields.wrong("`longest` is no less than `days`", found);
            }
            days.map(|days| Requirement::ComplaintDecided { days, longest })
        }
        "wishes" => Some(Requirement::Wishes),
        "permission" => Some(Requirement::Permission),
        _ => {
            fields.wrong("no such kind of duty; docs/CONDUCT.md lists them", found);
            return None;
        }
    };
    fields.end(found);
    requirement
}

fn window(fields: &mut Fields<'_>, found: &mut Found) -> Option<Requirement> {
    let on = fields.word("on", Scope::parse, Scope::ALL, found).unwrap_or(Scope::Both);
    let days = match fields.text("days", found).as_deref() {
        None | Some("all") => Days::All,
        Some("weekdays") => Days::Weekdays,
        Some("weekends") => Days::Weekends,
        Some(_) => {
            fields.wrong("`days` is all, weekdays or weekends", found);
            Days::All
        }
    };
    let from = fields.minutes("from", found)?;
    let to = fields.minutes("to", found)?;
    if from >= to {
        fields.wrong("a window ends after it begins, on the same day", found);
    }
    Some(Requirement::Window { on, days, from, to })
}

fn cap(fields: &mut Fields<'_>, found: &mut Found) -> Option<Requirement> {
    let count = match fields.need("count", Fields::text, found)?.as_str() {
        "visits" => Count::Visits,
        "calls" => Count::Calls,
        "conversations" => Count::Conversations,
        "contacts" => Count::Contacts,
        "attempts" => Count::Attempts,
        "unanswered" => Count::Unanswered,
        _ => {
            let known = "visits, calls, conversations, contacts, attempts or unanswered";
            fields.wrong(&format!("`count` is {known}"), found);
            return None;
        }
    };
    let month = fields.truth("month", found).unwrap_or(false);
    let days = fields.number("days", 1..=31, found).and_then(|days| i32::try_from(days).ok());
    let within = match (month, days) {
        (true, None) => Within::Month,
        (false, Some(days)) => Within::Days(days),
        (true, Some(_)) | (false, None) => {
            fields.wrong("a cap is within `days` (1 to 31) or `month = true`", found);
            return None;
        }
    };
    let most = fields.needed("most", 0..=1_000, found)?;
    Some(Requirement::Cap { count, within, most })
}

fn check(fields: &mut Fields<'_>, found: &mut Found) -> Option<Requirement> {
    let item = fields.word("item", CheckItem::parse, CheckItem::ALL, found);
    if item.is_none() && !fields.table.contains_key("item") {
        fields.wrong("`item` is missing", found);
    }
    let met = match fields.text("met", found).as_deref() {
        None | Some("party") => Met::Party,
        Some("anybody") => Met::Anybody,
        Some("nobody") => Met::Nobody,
        Some(_) => {
            fields.wrong("`met` is party, anybody or nobody", found);
            Met::Party
        }
    };
    let optional = fields.truth("optional", found).unwrap_or(false);
    Some(Requirement::Check { item: item?, met, optional })
}

fn flags(fields: &mut Fields<'_>, found: &mut Found) -> Option<Vec<Flag>> {
    let named = fields.texts("flags", found);
    if named.is_empty() {
        fields.wrong("`flags` names at least one hold", found);
        return None;
    }
    let mut flags = Vec::new();
    for (text, at) in named {
        match Flag::parse(&text) {
            Some(flag) => flags.push(flag),
            None => found.push((at, format!("`{text}` is no hold; one of {}", words(Flag::ALL)))),
        }
    }
    Some(flags)
}

fn about(fields: &mut Fields<'_>, found: &mut Found) -> Option<NoticeAbout> {
    let about = fields.word("about", NoticeAbout::parse, NoticeAbout::ALL, found);
    if about.is_none() && !fields.table.contains_key("about") {
        fields.wrong("`about` is missing", found);
    }
    about
}

fn days(fields: &mut Fields<'_>, found: &mut Found) -> Option<i32> {
    fields.needed("days", 1..=31, found).and_then(|days| i32::try_from(days).ok())
}
