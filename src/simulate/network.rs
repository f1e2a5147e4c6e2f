//! Requests and replies on their way: lost, doubled, delayed, reordered, cut short.

use super::faults::Fault;
use super::faulty_store::Death;
use super::oracle::{Step, Truth, Violation, violation};
use super::trace::{asked, in_words};
use super::world::{World, failed};
use crate::ids::RecordId;
use crate::office::auth::workspace_name;
use crate::office::{Office, OfficeError, Session};
use crate::record::terms::Role;
use crate::sync::message::{
    Reply, Request, Revocation, decode_reply, decode_request, encode_reply,
};
use crate::workspace::RequestFailure;

/// What is on its way, of all devices.
#[derive(Debug, Default)]
pub(super) struct Network {
    requests: Vec<InFlightRequest>,
    replies: Vec<InFlightReply>,
    /// Counts requests.
    sent: u64,
    /// The newest request of each device that has arrived.
    newest: std::collections::BTreeMap<usize, u64>,
}

#[derive(Debug, Clone)]
pub(super) struct InFlightRequest {
    pub(super) device: usize,
    number: u64,
    round: u64,
    body: Vec<u8>,
    /// The device whose session went with it.
    shown: usize,
    /// The device does not wait for its reply any more.
    given_up: bool,
}

#[derive(Debug)]
struct InFlightReply {
    device: usize,
    life: u32,
    round: u64,
    body: Vec<u8>,
    truth: Truth,
    told: String,
}

/// A request that passed the guard.
pub(super) struct Admitted {
    pub(super) session: Session,
    revoked: bool,
    request: Request,
}

/// A reply with what the office held, or why there is none.
type Answer = Result<(Reply, Truth), RequestFailure>;

/// One process of the office handles a request.
pub(super) async fn serve(office: &Office, admitted: Admitted) -> Result<Reply, OfficeError> {
    let Admitted { session, revoked, request } = admitted;
    match revoked {
        false => office.handle_sync(&session, request).await,
        true => office.drain(&session, request, Revocation::DeviceRevoked).await,
    }
}

impl World<'_> {
    pub(super) fn send(&mut self, n: usize, round: u64, body: Vec<u8>) {
        self.devices[n].awaited = Some(round);
        self.network.sent += 1;
        let (number, shown) = (self.network.sent, self.devices[n].shown);
        let going = InFlightRequest { device: n, number, round, body, shown, given_up: false };
        self.network.requests.push(going);
    }

    /// Abandons the requests of a crashed device.
    pub(super) fn give_up_requests(&mut self, n: usize) {
        for going in self.network.requests.iter_mut().filter(|going| going.device == n) {
            going.given_up = true;
        }
        self.network.replies.retain(|coming| coming.device != n);
    }

    /// Replies end with the processes that gave them.
    pub(super) fn drop_replies(&mut self) -> Step {
        for coming in std::mem::take(&mut self.network.replies) {
            let device = &self.devices[coming.device];
            if device.life == coming.life && device.awaited == Some(coming.round) {
                self.fail(coming.device, coming.round, RequestFailure::Offline)?;
            }
        }
        Ok(())
    }

    /// What arrives late arrives now.
    pub(super) fn deliver_late(&mut self) -> Step {
        while let Some(at) = self.network.requests.iter().position(|going| going.given_up) {
            let going = self.network.requests.remove(at);
            self.arrive(going)?;
        }
        Ok(())
    }

    /// Whether the device waits for a reply; delivers what it waits for.
    pub(super) fn deliver_awaited(&mut self, n: usize) -> Result<bool, Violation> {
        let device = &self.devices[n];
        let awaited =
            |coming: &InFlightReply| coming.device == n && Some(coming.round) == device.awaited;
        if let Some(at) = self.network.replies.iter().position(awaited) {
            self.take_in(at)?;
            return Ok(true);
        }
        let waits = |going: &InFlightRequest| going.device == n && !going.given_up;
        if let Some(at) = self.network.requests.iter().position(waits) {
            let going = self.network.requests.remove(at);
            self.arrive(going)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// The place of one message of a device, whichever; none while its page sleeps.
    fn one_of(&mut self, n: usize, owners: Vec<usize>) -> Option<usize> {
        let mine = owners.into_iter().enumerate().filter(|(_, owner)| *owner == n);
        let mine: Vec<usize> = mine.map(|(at, _)| at).collect();
        if mine.is_empty() || self.devices[n].frozen {
            return None;
        }
        Some(mine[self.rng.usize(0..mine.len())])
    }

    /// One of the requests of a device gets on, whichever.
    pub(super) fn deliver_request(&mut self, n: usize) -> Step {
        let owners = self.network.requests.iter().map(|going| going.device).collect();
        let Some(at) = self.one_of(n, owners) else { return Ok(()) };
        if self.network.requests[at].given_up {
            let going = self.network.requests.remove(at);
            return self.arrive(going);
        }
        if self.inject(Fault::RequestLost) {
            let going = self.network.requests.remove(at);
            return self.fail(n, going.round, RequestFailure::Offline);
        }
        if self.inject(Fault::RequestLate) {
            let going = &mut self.network.requests[at];
            going.given_up = true;
            let round = going.round;
            return self.fail(n, round, RequestFailure::Offline);
        }
        let mut going = self.network.requests.remove(at);
        if self.inject(Fault::CutShort) {
            going.body.truncate(self.rng.usize(0..going.body.len()));
        }
        if self.inject(Fault::RequestTwice) {
            self.network.requests.push(InFlightRequest { given_up: true, ..going.clone() });
        }
        self.arrive(going)
    }

    /// A request reaches the office.
    fn arrive(&mut self, going: InFlightRequest) -> Step {
        self.note_arrival(&going);
        let answered = match self.admit(&going) {
            Ok(admitted) => self.answer(going.device, admitted)?,
            Err(failure) => Err(failure),
        };
        self.deliver_answer(going, answered)
    }

    fn note_arrival(&mut self, going: &InFlightRequest) {
        let newest = self.network.newest.entry(going.device).or_default();
        if going.number < *newest {
            self.count(Fault::Reordered);
        } else {
            *newest = going.number;
        }
    }

    /// Takes a request of a device that is awake off the network, whichever, if the office will
    /// handle it.
    pub(super) fn take_waiting_request(&mut self) -> Option<(InFlightRequest, Admitted)> {
        let waiting = self.network.requests.len();
        let at = (waiting > 0).then(|| self.rng.usize(0..waiting))?;
        let going = self.network.requests.get(at)?;
        if self.devices[going.device].frozen {
            return None;
        }
        let admitted = self.admit(going).ok()?;
        let going = self.network.requests.remove(at);
        self.note_arrival(&going);
        Some((going, admitted))
    }

    /// A request that did not reach the office after all.
    pub(super) fn put_back(&mut self, going: InFlightRequest) {
        self.network.requests.push(going);
    }

    /// The office has answered, or not.
    pub(super) fn deliver_answer(&mut self, going: InFlightRequest, answered: Answer) -> Step {
        let n = going.device;
        match answered {
            Err(reason) if !going.given_up => {
                self.fail(n, going.round, reason)?;
                // The app asks for it, and mostly the person does it soon.
                if self.rng.bool() { self.sign_in_where_needed(n) } else { Ok(()) }
            }
            Ok((reply, truth)) if !going.given_up => {
                let body = encode_reply(&reply);
                let told = in_words(&reply);
                let (round, life) = (going.round, self.devices[n].life);
                self.network.replies.push(InFlightReply {
                    device: n,
                    life,
                    round,
                    body,
                    truth,
                    told,
                });
                Ok(())
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// One of the replies to a device gets on, whichever.
    pub(super) fn deliver_reply(&mut self, n: usize) -> Step {
        let owners = self.network.replies.iter().map(|coming| coming.device).collect();
        let Some(at) = self.one_of(n, owners) else { return Ok(()) };
        let round = self.network.replies[at].round;
        if self.devices[n].awaited == Some(round) {
            if self.inject(Fault::ReplyLost) {
                self.network.replies.remove(at);
                return self.fail(n, round, RequestFailure::Offline);
            }
            if self.inject(Fault::ReplyLate) {
                return self.fail(n, round, RequestFailure::Offline);
            }
            if self.inject(Fault::CutShort) {
                let most = self.network.replies[at].body.len();
                let keep = self.rng.usize(0..most);
                self.network.replies[at].body.truncate(keep);
            }
        }
        self.take_in(at)
    }

    /// A reply reaches its device.
    fn take_in(&mut self, at: usize) -> Step {
        let InFlightReply { device: n, life, round, body, truth, told } =
            self.network.replies.remove(at);
        if self.devices[n].life != life {
            return Ok(());
        }
        if self.devices[n].awaited.take_if(|awaited| *awaited == round).is_some() {
            self.counts.rounds += 1;
            self.truths.insert(n, truth);
            let ended = decode_reply(&body).is_ok_and(|reply| reply.revocation.is_some());
            self.devices[n].told |= ended;
            self.log(format!("device {n} receives reply {round}: {told}"));
        } else {
            self.log(format!("device {n} receives reply {round}, for which it does not wait"));
        }
        let at = self.now_on(n);
        self.devices[n].workspace.replied(round, &body, at);
        self.devices[n].poll_outputs();
        self.check_claims(n)
    }

    /// The device learns that its request came to nothing.
    fn fail(&mut self, n: usize, round: u64, failure: RequestFailure) -> Step {
        let (at, random) = (self.now_on(n), self.rng.u32(..));
        self.log(format!("device {n}: no reply {round}, {failure:?}"));
        let device = &mut self.devices[n];
        device.awaited = None;
        device.workspace.request_failed(round, failure, at, random);
        device.poll_outputs();
        self.check_claims(n)
    }

    /// What the office checks before it handles a request: the session and its workspace.
    fn admit(&self, going: &InFlightRequest) -> Result<Admitted, RequestFailure> {
        let request = decode_request(&going.body).map_err(|_| RequestFailure::Malformed)?;
        let holder = &self.devices[going.shown];
        if !holder.signed_in {
            return Err(RequestFailure::SignedOut);
        }
        let session =
            Session { user: holder.user.clone(), role: Role::Collector, device: holder.id };
        let named = workspace_name(self.devices[going.device].id);
        if session.check_workspace(Some(&named), true).is_err() {
            return Err(RequestFailure::OtherWorkspace);
        }
        Ok(Admitted { session, revoked: holder.revoked, request })
    }

    /// One of the office's processes handles a request of a device; gives the reply with what the
    /// office holds right after.
    fn answer(&mut self, n: usize, admitted: Admitted) -> Result<Answer, Violation> {
        let at = self.some_endpoint();
        let request = &admitted.request;
        self.log(format!("device {n} reaches office {at}: {}", asked(request)));
        let pushed: Vec<RecordId> = request.push.iter().map(|push| push.record).collect();
        let writes = request.push.len() + request.restore.len();
        self.schedule_death(at, writes);
        let rival = self.schedule_rival(at, writes, &pushed)?;
        let work = serve(&self.endpoints[at].office, admitted);
        let reply = self.fixture.runtime.block_on(work);
        let ran = self.end_rival(at);
        let answer = if self.restart_if_dead(at)? {
            Err(RequestFailure::OfficeBusy)
        } else {
            let reply = reply.map_err(|error| failed("R2", error))?;
            Ok((reply, self.truth(&self.devices[n].user)?))
        };
        self.finish_rival(rival, ran)?;
        Ok(answer)
    }

    /// Draws whether the process dies during the next `writes` writes.
    pub(super) fn schedule_death(&mut self, at: usize, writes: usize) {
        if self.is_healing() {
            return;
        }
        let chance = self.rng.u32(0..1000);
        let before = Fault::OfficeDiesBefore.per_mille();
        let after = before + Fault::OfficeDiesAfter.per_mille();
        let between = after + Fault::OfficeDiesBetween.per_mille();
        let others = self.rng.usize(1..writes.max(2));
        let kept = self.rng.bool();
        let store = &self.endpoints[at].store;
        if chance < before {
            store.schedule_death(0, Death::BeforeCommit);
        } else if chance < after {
            store.schedule_death(0, Death::AfterCommit);
        } else if chance < between && writes > 1 {
            let death = if kept { Death::AfterCommit } else { Death::BeforeCommit };
            store.schedule_death(others, death);
        }
    }

    /// Whether the process died over its work; then another one starts in its place.
    pub(super) fn restart_if_dead(&mut self, at: usize) -> Result<bool, Violation> {
        let Some((others, death)) = self.endpoints[at].store.take_death() else { return Ok(false) };
        self.count(match (others, death) {
            (0, Death::BeforeCommit) => Fault::OfficeDiesBefore,
            (0, Death::AfterCommit) => Fault::OfficeDiesAfter,
            (_, _) => Fault::OfficeDiesBetween,
        });
        self.restart(at)?;
        Ok(true)
    }

    /// What the office's store holds of a user's records.
    pub(super) fn truth(&self, user: &str) -> Result<Truth, Violation> {
        let members = self.office().store().read_with(|reads| reads.members(user));
        let truth = members.map_err(|error| failed("F3", error))?;
        let count = truth.len();
        let truth = Truth(truth.into_iter().collect());
        if truth.0.len() != count {
            violation("F1", format!("the feed of {user} has a record twice"))?;
        }
        Ok(truth)
    }
}
