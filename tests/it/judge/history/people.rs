//! What the people of a history do: edits on phones and at the desk, assignments, decisions.

use doorstep::ids::{RecordId, hex};
use doorstep::office::OfficeError;
use doorstep::office::store::QuarantineState;
use doorstep::record::command::{AssignmentPatch, Command, NewSignature};
use doorstep::record::terms::{Role, Stage};
use doorstep::record::view::VisitView;
use doorstep::workspace::WorkspaceError;
use ed25519_dalek::Signer;

use super::super::dice::Dice;
use super::super::hands::Page;
use super::{BOSS, History, ZONE, key};

impl History {
    pub(super) fn write(&mut self, n: usize, record: RecordId, dice: &mut Dice) {
        if !self.phones[n].ids().contains(&record) {
            return;
        }
        let view = self.phones[n].view(record);
        let signs = view.stage == Stage::Sealed && dice.one_in(4);
        let command = if signs { self.sign(n, &view) } else { self.of_collector(n, &view, dice) };
        match self.carry_out(n, record, &command) {
            // A reason is given, and then they go.
            Err(WorkspaceError::ReasonNeeded { rules, .. }) => {
                let (id, at, rule) = (self.id(), self.at(), rules[0].clone());
                let reason = "the borrower waits".into();
                let said = Command::OverrideWarning { id, rule, reason, at };
                drop(self.carry_out(n, record, &said));
                drop(self.carry_out(n, record, &command));
            }
            // The app does not let them.
            Ok(()) | Err(WorkspaceError::Command(_) | WorkspaceError::Stopped { .. }) => {}
            Err(error) => panic!("{command:?}: {error}"),
        }
    }

    fn of_collector(&mut self, n: usize, view: &VisitView, dice: &mut Dice) -> Command {
        let record = view.id.parse().expect("an id");
        if dice.one_in(4) || !self.earlier.contains_key(&(n, record)) {
            self.earlier.insert((n, record), view.clone());
        }
        let (id, at) = (self.id(), self.at());
        let earlier = &self.earlier[&(n, record)];
        Page { view, earlier, at, id }.of_collector(dice)
    }

    fn carry_out(
        &mut self,
        n: usize,
        record: RecordId,
        command: &Command,
    ) -> Result<(), WorkspaceError> {
        let phone = &mut self.phones[n];
        let ticket = phone.workspace.apply(record, command, phone.now, ZONE);
        phone.run();
        if ticket?.is_some() {
            *self.done.entry(word(command)).or_default() += 1;
        }
        Ok(())
    }

    /// What the app does once the person has read the record back.
    fn sign(&mut self, n: usize, view: &VisitView) -> Command {
        let (id, at, text) = (self.id(), self.at(), "借款人: 张伟".to_owned());
        let record = view.id.parse().expect("an id");
        let statement = self.phones[n].workspace.statement(record, &view.heads, at, &text);
        let key = key(n);
        Command::Sign(NewSignature {
            id,
            at,
            heads: view.heads.clone(),
            text,
            key: hex(key.verifying_key().as_bytes()),
            signature: hex(&key.sign(&statement.expect("open")).to_bytes()),
        })
    }

    pub(super) async fn desk(&mut self, record: RecordId, dice: &mut Dice) {
        let view = self.office.visit(record).await.expect("there");
        let (id, at) = (self.id(), self.at());
        let command = Page { view: &view, earlier: &view, at, id }.of_supervisor(dice);
        self.command(record, command).await;
    }

    pub(super) async fn assign(&mut self, record: RecordId, users: &[&str]) {
        let users: Vec<String> = users.iter().map(|user| (*user).to_owned()).collect();
        self.collectors.insert(record, users.iter().cloned().collect());
        let patch = AssignmentPatch { collectors: Some(users), ..Default::default() };
        self.command(record, Command::Assign(patch)).await;
    }

    async fn command(&mut self, record: RecordId, command: Command) {
        let word = word(&command);
        match self.office.command(record, command, BOSS, Role::Supervisor).await {
            Ok(_) => *self.done.entry(word).or_default() += 1,
            // The console does not let them.
            Err(OfficeError::Command(_)) => {}
            Err(error) => panic!("{word}: {error}"),
        }
    }

    pub(super) async fn accept(&mut self) {
        let Some(oldest) = self.quarantine(Some(QuarantineState::Open)).pop() else { return };
        let accepted =
            self.office.accept_quarantined(oldest.id, None, "", BOSS, Role::Supervisor).await;
        accepted.expect("what an honest phone wrote can be accepted");
        *self.done.entry("accept".into()).or_default() += 1;
    }
}

/// What a command is called.
fn word(command: &Command) -> String {
    let text = format!("{command:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}
