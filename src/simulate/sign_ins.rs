//! Users, their devices and their sessions: honest sign-ins beside ones that are not.

use std::net::{IpAddr, Ipv4Addr};

use automerge::Change;

use super::faults::Fault;
use super::oracle::{Step, Violation, violation};
use super::world::{World, failed};
use crate::ids::{DeviceId, device_of};
use crate::office::EnrolmentProof;
use crate::office::auth::{AuthError, SignInContext, SignedIn};
use crate::office::store::{Device as Enrolled, QuarantineFilter, User};
use crate::record::terms::Role;

impl World<'_> {
    /// The office enrols a device for its user and signs it in.
    pub(super) fn enrol(&mut self, n: usize) -> Step {
        let device = &self.devices[n];
        let (id, user, now) = (device.id, device.user.clone(), self.now());
        let office = self.office();
        let proof = office.enrolment(id, &user);
        let enrolled = office.store().write_now(move |tx| {
            if tx.user(&user)?.is_none() {
                tx.put_user(&collector(&user, now))?;
            }
            tx.put_device(&Enrolled::enrolled(id, &user, now))
        });
        enrolled.map_err(|error| failed("I1", error))?;
        let device = &mut self.devices[n];
        device.proof = proof;
        device.signed_in = true;
        Ok(())
    }

    /// Another user may sign in in the browser of a device while its workspace runs.
    pub(super) fn other_sign_in(&mut self, n: usize) {
        if self.devices.len() > 1 && self.inject(Fault::OtherSignIn) {
            let others = self.devices.len() - 1;
            let other = (n + 1 + self.rng.usize(0..others)) % self.devices.len();
            self.devices[n].shown = other;
            self.log(format!("the browser of device {n} is signed in as device {other}"));
        }
    }

    /// A restored office knows no session. What is left of a device that was revoked is not asked
    /// for a sign-in, which it would not be given.
    pub(super) fn sessions_end(&mut self) {
        for device in &mut self.devices {
            device.signed_in = device.revoked;
        }
    }

    /// The user signs in again where the office does not answer this workspace.
    pub(super) fn sign_in_where_needed(&mut self, n: usize) -> Step {
        let device = &self.devices[n];
        if device.signed_in && device.shown == n {
            return Ok(());
        }
        let (id, proof, user) = (device.id, device.proof, device.user.clone());
        if !device.revoked {
            match self.sign_in_as(&user, id, proof)? {
                Ok(signed_in) if signed_in.identity.session.device == id => {}
                Ok(_) => return violation("I1", format!("device {n} became another one")),
                // The process died over it: the next time.
                Err(AuthError::Store(_) | AuthError::Closing) => return Ok(()),
                Err(error) => {
                    return violation("I1", format!("device {n} cannot sign in: {error}"));
                }
            }
        }
        self.log(format!("device {n} signs in again"));
        let device = &mut self.devices[n];
        device.signed_in = true;
        device.shown = n;
        Ok(())
    }

    /// After a restore, users claim devices that are not theirs: what the office was before, and
    /// phones that it does not know any more. Their own phones' proofs are all that they have.
    pub(super) fn claim_unknown(&mut self, former_office: DeviceId) -> Step {
        let mut unknown = vec![(former_office, String::new())];
        for device in &self.devices {
            let known = self.office().store().read_with(|reads| reads.device(device.id));
            if known.map_err(|error| failed("I1", error))?.is_none() {
                unknown.push((device.id, device.user.clone()));
            }
        }
        for (id, owner) in unknown {
            let others = self.devices.iter().filter(|device| device.user != owner);
            let Some((user, proof)) = others.map(|device| (&device.user, device.proof)).next()
            else {
                continue;
            };
            let user = user.clone();
            if !self.inject(Fault::DeviceClaimed) {
                continue;
            }
            self.log(format!("{user} claims device {id}"));
            if let Ok(signed_in) = self.sign_in_as(&user, id, proof)?
                && signed_in.identity.session.device == id
            {
                let what = format!("{user} signed in as device {id}, and has its escrow key");
                return violation("I1", what);
            }
        }
        Ok(())
    }

    /// A sign-in of a user who has proven to be it, on a device that is named.
    fn sign_in_as(
        &mut self,
        user: &str,
        device: DeviceId,
        proof: EnrolmentProof,
    ) -> Result<Result<SignedIn, AuthError>, Violation> {
        let at = self.some_endpoint();
        let known = self.office().store().read_with(|reads| reads.user(user));
        let known = match known.map_err(|error| failed("I1", error))? {
            Some(known) => known,
            // The backup is older than the user, whom the office adds again.
            None => {
                let again = collector(user, self.now());
                let added = again.clone();
                let added = self.office().store().write_now(move |tx| tx.put_user(&added));
                added.map_err(|error| failed("I1", error))?;
                again
            }
        };
        let context = SignInContext {
            device: Some(device),
            proof: Some(proof),
            browser: None,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let begun = self.endpoints[at].accounts.begin(known, context);
        let signed_in = self.fixture.runtime.block_on(begun);
        self.restart_if_dead(at)?;
        Ok(signed_in)
    }

    /// Refused work came from the device that wrote it: no session answers for another workspace
    /// (rules I2, R9).
    pub(super) fn check_quarantine(&self) -> Step {
        let found = self.office().store().read_with(|reads| {
            let all = QuarantineFilter { limit: u32::MAX, ..QuarantineFilter::default() };
            let (lines, _) = reads.quarantine(&all)?;
            lines.iter().map(|line| reads.quarantined(line.id)).collect::<Result<Vec<_>, _>>()
        });
        for piece in found.map_err(|error| failed("I2", error))?.into_iter().flatten() {
            let refused = &piece.refused;
            for change in refused.changes.iter().filter_map(|b| Change::from_bytes(b.clone()).ok())
            {
                if device_of(change.actor_id()) != Some(refused.device) {
                    let (user, id) = (&refused.user, piece.id);
                    return violation("I2", format!("{user} sent another device's work: {id}"));
                }
            }
        }
        Ok(())
    }
}

fn collector(name: &str, now: i64) -> User {
    User {
        name: name.to_owned(),
        display_name: name.to_owned(),
        role: Role::Collector,
        password_hash: String::new(),
        disabled_at: None,
        created_at: now,
        subject: None,
    }
}
