//! The work that is measured: records with their history, and edits on both sides. The comparison
//! with other systems (`benches/peers`) reads the same from the file that `--prepare` writes.

use std::collections::BTreeMap;

use doorstep::office::NewVisit;
use doorstep::record::command::{AssignmentPatch, CasePatch, Command, TextEdit};
use doorstep::record::view::VisitView;
use serde::Serialize;
use serde_json::{Value, json};

use crate::support::phone::NOW;

/// Records that each side edits between two synchronisations, and how many of them are the same.
pub(crate) const EDITED: usize = 10;
const SHARED: usize = 3;

/// Sets of edits, one for each run.
pub(crate) const RUNS: usize = 16;

#[derive(Serialize)]
pub(crate) struct Workload {
    pub(crate) records: Vec<Plan>,
    pub(crate) runs: Vec<Edits>,
}

/// A record: what the office imports, then what the collector does, one change a step.
#[derive(Serialize)]
pub(crate) struct Plan {
    pub(crate) case_no: String,
    pub(crate) case: Value,
    pub(crate) steps: Vec<Step>,
}

/// What each side edits before it meets the other.
#[derive(Serialize)]
pub(crate) struct Edits {
    pub(crate) device: Vec<Edit>,
    pub(crate) office: Vec<Edit>,
}

#[derive(Serialize)]
pub(crate) struct Edit {
    /// Index of the record.
    pub(crate) record: usize,
    pub(crate) step: Step,
}

#[derive(Clone, Default, Serialize)]
pub(crate) struct Step {
    /// The author's clock, ms.
    pub(crate) at: i64,
    /// New values by path, such as `talk.willingness`.
    pub(crate) set: BTreeMap<&'static str, Value>,
    /// A new entry of the list of contacts.
    pub(crate) contact: Option<Value>,
    /// Text added at the end of the notes.
    pub(crate) append: Option<String>,
}

impl Workload {
    /// `depth` changes a record, with the office's first.
    pub(crate) fn new(records: usize, depth: usize) -> Self {
        let mut dice = Dice { random: fastrand::Rng::with_seed(7), now: NOW };
        let plans = (0..records).map(|number| dice.plan(number, depth)).collect();
        let runs = (0..RUNS).map(|_| dice.edits(records)).collect();
        Self { records: plans, runs }
    }

    /// A time after all of it, ms.
    pub(crate) fn end(&self) -> i64 {
        let edits = self.runs.iter().flat_map(|run| run.office.iter().chain(&run.device));
        edits.map(|edit| edit.step.at).max().unwrap_or(NOW)
    }
}

impl Plan {
    pub(crate) fn visit(&self) -> NewVisit {
        let case: CasePatch = serde_json::from_value(self.case.clone()).expect("a case");
        let collectors = Some(vec!["chen.jie".into()]);
        let assignment = AssignmentPatch { collectors, ..Default::default() };
        NewVisit { case_no: self.case_no.clone(), case, assignment }
    }
}

impl Step {
    /// The commands of a step, one for each screen; `view` reads the record between them.
    pub(crate) fn commands(&self, view: impl FnOnce() -> VisitView) -> Vec<Command> {
        let mut screens: BTreeMap<&str, serde_json::Map<String, Value>> = BTreeMap::new();
        for (path, value) in &self.set {
            let (group, field) = path.split_once('.').expect("a group and a field");
            screens.entry(group).or_default().insert(field.into(), value.clone());
        }
        if let Some(contact) = &self.contact {
            screens.insert("contact", contact.as_object().expect("an object").clone());
        }
        let mut commands: Vec<Command> = Vec::new();
        for (group, mut fields) in screens {
            let name = match group {
                "appointment" if fields.contains_key("starts_at") => "propose_appointment",
                "appointment" => "edit_appointment",
                "case" => "update_case",
                "contact" => "log_contact",
                "talk" => "edit_talk",
                other => panic!("no command for {other}"),
            };
            fields.insert("do".into(), name.into());
            commands.push(serde_json::from_value(fields.into()).expect("a command"));
        }
        if let Some(append) = &self.append {
            let view = view();
            let text = format!("{}{append}", view.notes);
            commands.push(Command::EditNotes(TextEdit { base: view.heads, text }));
        }
        commands
    }
}

struct Dice {
    random: fastrand::Rng,
    now: i64,
}

impl Dice {
    fn plan(&mut self, number: usize, depth: usize) -> Plan {
        let case = json!({
            "borrower_name": format!("Borrower {number}"),
            "phones": [format!("138{number:08}"), format!("139{number:08}")],
            "address": format!("{} Mill Road, Unit {}, Ningbo", number % 97, number % 31),
            "product": "personal_loan",
            "principal": 5_000_000 + self.random.i64(0..1_000_000),
            "overdue": 150_000 + self.random.i64(0..100_000),
            "currency": "CNY",
            "days_past_due": self.random.i64(1..90),
            "due_date": self.date(),
            "zone": "Asia/Shanghai",
        });
        let steps = (1..depth).map(|number| self.step(number)).collect();
        Plan { case_no: format!("NB2026{number:06}"), case, steps }
    }

    fn step(&mut self, number: usize) -> Step {
        let at = self.tick();
        let mut step = Step { at, ..Step::default() };
        match number {
            1 => {
                let place = self.sentence(20);
                step.set = BTreeMap::from([
                    ("appointment.starts_at", (at + 3_600_000).into()),
                    ("appointment.ends_at", (at + 7_200_000).into()),
                    ("appointment.place", place.into()),
                    ("appointment.proposed_by", "collector".into()),
                    ("appointment.borrower_remark", "".into()),
                ]);
            }
            _ if number.is_multiple_of(4) => step.append = Some(self.sentence(60)),
            _ if number % 4 == 1 => {
                let outcome = self.random.choice(["no_answer", "reached", "refused"]);
                step.contact = Some(json!({
                    "id": self.uuid(),
                    "at": at,
                    "channel": "call",
                    "number_ref": "phones.0",
                    "target_role": "borrower",
                    "outcome": outcome,
                    "note": self.sentence(60),
                }));
            }
            _ if number % 4 == 2 => step.set = self.appointment(),
            _ => step.set = self.talk(),
        }
        step
    }

    /// Edits of ten records a side, five fields and 100 characters of notes each.
    fn edits(&mut self, records: usize) -> Edits {
        let edited = EDITED.min(records);
        let mut edits = Edits { device: Vec::new(), office: Vec::new() };
        for record in 0..edited {
            let mut set = self.talk();
            set.extend(self.appointment());
            let step =
                Step { at: self.tick(), set, contact: None, append: Some(self.sentence(100)) };
            edits.device.push(Edit { record, step });
        }
        for record in (EDITED - SHARED..EDITED - SHARED + EDITED).filter(|at| *at < records) {
            let set = BTreeMap::from([
                ("case.overdue", self.random.i64(10_000..900_000).into()),
                ("case.principal", self.random.i64(10_000..900_000).into()),
                ("case.days_past_due", self.random.i64(1..90).into()),
                ("case.last_payment_date", self.date().into()),
                ("case.note", self.sentence(20).into()),
            ]);
            let step =
                Step { at: self.tick(), set, contact: None, append: Some(self.sentence(100)) };
            edits.office.push(Edit { record, step });
        }
        edits
    }

    fn talk(&mut self) -> BTreeMap<&'static str, Value> {
        let reason = self.random.choice(["income_loss", "illness", "forgot"]);
        let willing = self.random.choice(["willing", "unwilling", "undecided"]);
        BTreeMap::from([
            ("talk.overdue_reason", reason.into()),
            ("talk.overdue_reason_text", self.sentence(20).into()),
            ("talk.willingness", willing.into()),
        ])
    }

    fn appointment(&mut self) -> BTreeMap<&'static str, Value> {
        BTreeMap::from([
            ("appointment.place", self.sentence(20).into()),
            ("appointment.borrower_remark", self.sentence(20).into()),
        ])
    }

    /// Clocks move between two edits, by seconds and odd milliseconds.
    fn tick(&mut self) -> i64 {
        self.now += self.random.i64(1_000..20_000);
        self.now
    }

    fn date(&mut self) -> String {
        format!("2026-{:02}-{:02}", self.random.u8(1..=12), self.random.u8(1..=28))
    }

    /// A UUIDv7, as devices make them.
    fn uuid(&mut self) -> String {
        let (ms, tail) = (self.now, self.random.u128(..));
        let number = ((ms as u128) << 80) | (0x7 << 76) | (tail & 0xfff) << 64 | (0b10 << 62);
        uuid::Uuid::from_u128(number | (tail >> 66)).to_string()
    }

    /// Words as people write them.
    fn sentence(&mut self, length: usize) -> String {
        const WORDS: [&str; 40] = [
            "the", "borrower", "said", "that", "salary", "comes", "late", "this", "month", "and",
            "asked", "for", "two", "weeks", "more", "we", "agreed", "on", "part", "payment", "by",
            "bank", "transfer", "sister", "was", "not", "at", "home", "door", "answered", "after",
            "second", "ring", "calm", "talk", "about", "plan", "new", "job", "starts",
        ];
        let mut text = String::new();
        while text.len() < length {
            text.push_str(WORDS[self.random.usize(..WORDS.len())]);
            text.push(' ');
        }
        text.truncate(length);
        text
    }
}
