//! A demonstration: people who may sign in, invented borrowers, and records in every stage.
//!
//! Everything is made the way real work is: the office creates records, phones push changes
//! through rounds, supervisors review. So a demo holds nothing that the office would refuse.

mod borrowers;
mod story;

use crate::ids::{DeviceId, RecordId, actor};
use crate::record::command::{Command, TextEdit};
use crate::record::terms::{ReviewStatus, Role};
use crate::record::{Author, CommandError, LoadError, Record};
use crate::sync::message::{Outcome, Packed, Push, Request};

use super::auth::{Accounts, AuthError, NewUser};
use super::store::{Device, StoreError};
use super::{Created, Office, OfficeError, Session};
use borrowers::borrowers;
use story::{Act, Calendar, Ending, Plan, plan};

/// The password of everybody in the demo.
pub const PASSWORD: &str = "doorstep-demo";

/// A demo user.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// Sign-in name.
    pub name: &'static str,
    /// What people read.
    pub display_name: &'static str,
    /// Role.
    pub role: Role,
}

/// Everybody of the demo.
pub const PEOPLE: [Person; 8] = [
    Person { name: "chen.jie", display_name: "陈洁", role: Role::Collector },
    Person { name: "wu.min", display_name: "吴敏", role: Role::Collector },
    Person { name: "zhao.lei", display_name: "赵磊", role: Role::Collector },
    Person { name: "sun.yan", display_name: "孙燕", role: Role::Collector },
    Person { name: "he.tao", display_name: "何涛", role: Role::Collector },
    Person { name: "lin.yue", display_name: "林悦", role: Role::Supervisor },
    Person { name: "gu.an", display_name: "顾安", role: Role::Auditor },
    Person { name: "admin", display_name: "管理员", role: Role::Admin },
];

/// Who assigns and reviews in the demo.
const SUPERVISOR: &str = "lin.yue";

/// Where the demo takes place.
const ZONE: &str = "Asia/Shanghai";

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Its passwords are known to everybody: it stays away from real work.
    #[error(
        "this database has users of its own ({0}): name another one for the demo with --database"
    )]
    NotADemo(String),
    /// The users could not be made.
    #[error(transparent)]
    Accounts(#[from] AuthError),
    /// The records could not be made.
    #[error(transparent)]
    Office(#[from] OfficeError),
    /// A made-up edit does not hold.
    #[error("the demo's records do not hold: {0}")]
    Story(String),
}

impl From<CommandError> for DemoError {
    fn from(error: CommandError) -> Self {
        Self::Story(error.to_string())
    }
}

impl From<LoadError> for DemoError {
    fn from(error: LoadError) -> Self {
        Self::Story(error.to_string())
    }
}

/// Makes the demo's users and records where they are not there yet.
pub async fn fill(office: &Office, accounts: &Accounts) -> Result<(), DemoError> {
    let users = accounts.users(None).await?;
    let of_demo = |name: &str| PEOPLE.iter().any(|person| person.name == name);
    if let Some(other) = users.iter().find(|user| !of_demo(&user.name)) {
        return Err(DemoError::NotADemo(other.name.clone()));
    }
    for person in PEOPLE {
        if users.iter().all(|user| user.name != person.name) {
            let new = NewUser {
                name: person.name.to_owned(),
                display_name: person.display_name.to_owned(),
                role: person.role,
                password: Some(PASSWORD.to_owned()),
            };
            accounts.add_user(new).await?;
        }
    }
    let phones = enrol(office).await.map_err(OfficeError::Store)?;
    let calendar = Calendar::at(office.now());
    let visits = borrowers(calendar);
    for (n, created) in (0..).zip(office.create_visits(visits, SUPERVISOR).await?) {
        match created {
            Created::New(id) => tell(office, &phones, id, plan(n, calendar)).await?,
            Created::Exists(_) => {}
            Created::Invalid(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// One device for each collector, the same at every start.
async fn enrol(office: &Office) -> Result<Vec<Session>, StoreError> {
    let collectors = PEOPLE.iter().filter(|person| person.role == Role::Collector);
    let sessions: Vec<Session> = (1..)
        .zip(collectors)
        .map(|(n, person)| Session {
            user: person.name.to_owned(),
            role: person.role,
            device: DeviceId([n; 16]),
        })
        .collect();
    let (now, enrolled) = (office.now(), sessions.clone());
    let written = office.store().write(move |tx| {
        for session in &enrolled {
            if tx.device(session.device)?.is_none() {
                tx.put_device(&Device::enrolled(session.device, &session.user, now))?;
            }
        }
        Ok(())
    });
    written.await?;
    Ok(sessions)
}

/// Lets happen to a record what is planned.
async fn tell(
    office: &Office,
    phones: &[Session],
    id: RecordId,
    plan: Plan,
) -> Result<(), DemoError> {
    // All begin with what the office made: where two write, neither has seen the other's.
    let document = office.document(id).await?;
    for (collector, acts) in &plan.acts {
        let Some(phone) = phones.iter().find(|phone| phone.user == *collector) else { continue };
        push(office, phone, id, &document, acts).await?;
    }
    let supervisor = |command| office.command(id, command, SUPERVISOR, Role::Supervisor);
    if let Some(hold) = plan.hold {
        supervisor(hold).await?;
    }
    let (status, remark) = match plan.ending {
        Ending::Open => return Ok(()),
        Ending::Accepted => (ReviewStatus::Accepted, String::new()),
        Ending::Returned(remark) => (ReviewStatus::Returned, remark.to_owned()),
    };
    supervisor(Command::Review { status, remark, marks: Vec::new(), at: office.now() }).await?;
    Ok(())
}

/// Writes on a phone that holds the document, and hands it in.
async fn push(
    office: &Office,
    phone: &Session,
    id: RecordId,
    document: &[u8],
    acts: &[(i64, Act)],
) -> Result<(), DemoError> {
    let mut record = Record::load(document)?;
    let mut changes = Vec::new();
    for (at, act) in acts {
        let author = Author {
            actor: actor(phone.device, 1),
            user: phone.user.clone(),
            role: phone.role,
            now_ms: *at,
            zone: ZONE.to_owned(),
        };
        let text = |text: &str| TextEdit { base: record.heads().to_hex(), text: text.to_owned() };
        let command = match act {
            Act::Do(command) => command.clone(),
            Act::Notes(notes) => Command::EditNotes(text(notes)),
            Act::Feedback(feedback) => Command::EditFeedback(text(feedback)),
        };
        let change = record.apply(&command, &author)?;
        changes.extend(change.map(|change| Packed::plain(change.raw_bytes())));
    }
    let push = vec![Push { record: id, changes }];
    // Only the push matters: request the smallest reply and ignore it.
    let round = Request { push, max_bytes: 1, ..Request::default() };
    let reply = office.handle_sync(phone, round).await?;
    match reply.results.into_iter().next() {
        Some(Outcome::Merged { .. } | Outcome::Duplicate { .. }) => Ok(()),
        other => Err(DemoError::Story(format!("{other:?}"))),
    }
}
