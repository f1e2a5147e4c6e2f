//! The seal, the signatures under it and the review.

use super::{RecordWriter, time, wrong};
use crate::ids::device_of;
use crate::record::command::{NewSignature, ReviewMark};
use crate::record::reader::Reader;
use crate::record::schema::{REVIEW, SEAL};
use crate::record::signature::{self, Statement};
use crate::record::terms::{ReviewStatus, Stage};
use crate::record::{CommandError, review_mark, stage};

impl RecordWriter<'_, '_> {
    pub(super) fn seal(&mut self, at: i64) -> Result<(), CommandError> {
        if self.view_before().talk.disposition.is_none() {
            return Err(wrong(
                &["talk", "disposition"],
                "a record needs an outcome before it is sealed",
            ));
        }
        let device = device_of(&self.author.actor).map(|id| id.to_string()).unwrap_or_default();
        let values = [
            time(at),
            self.author.user.as_str().into(),
            device.into(),
            self.heads_before().to_hex().join(" ").into(),
        ];
        self.group(&SEAL, &values.map(Some))
    }

    /// Checks the signature first: the office would refuse an invalid one with all later work.
    pub(super) fn sign(&mut self, new: &NewSignature) -> Result<(), CommandError> {
        let path = ["seal", new.id.as_str()];
        let device = device_of(&self.author.actor).map(|id| id.to_string()).unwrap_or_default();
        let wrong_signature = || wrong(&path, "the signature does not match the signed state");
        let heads = signature::named(self.before, &new.heads).ok_or_else(wrong_signature)?;
        let record = self.view_before().id;
        let statement = Statement {
            record: &record,
            heads: &heads,
            device: &device,
            at: new.at,
            text: &new.text,
            user: &self.author.user,
        };
        if !statement.is_signed(&new.key, &new.signature) {
            return Err(wrong_signature());
        }
        self.entry(
            &path,
            &[
                ("at", time(new.at)),
                ("by", self.author.user.as_str().into()),
                ("device", device.as_str().into()),
                ("key", new.key.as_str().into()),
                ("heads", heads.to_hex().join(" ").into()),
                ("text", new.text.as_str().into()),
                ("signature", new.signature.as_str().into()),
            ],
        )
    }

    pub(super) fn review(
        &mut self,
        status: ReviewStatus,
        remark: &str,
        marks: &[ReviewMark],
        at: i64,
    ) -> Result<(), CommandError> {
        let Some(seal) = self.view_before().seal else {
            return Err(wrong(&["review", "status"], "only a sealed record is reviewed"));
        };
        if status == ReviewStatus::Returned && remark.trim().is_empty() {
            return Err(wrong(&["review", "remark"], "say what the collector should do"));
        }
        // A return reopens the record; it must be sealed again before it can be accepted.
        if stage::of(&Reader::new(self.before, None)) == Stage::Recorded
            && status == ReviewStatus::Accepted
        {
            return Err(wrong(&["review", "status"], "the record was returned and is open"));
        }
        if status != ReviewStatus::Returned && !marks.is_empty() {
            return Err(wrong(&["review", "marks"], "only a return marks fields"));
        }
        if !marks.iter().all(review_mark::is_valid) {
            return Err(wrong(&["review", "marks"], "a mark needs a known field and a short note"));
        }
        let marked = review_mark::encode(marks);
        let had_marks = !self.view_before().review.marks.is_empty();
        self.group(
            &REVIEW,
            &[
                Some(status.as_str().into()),
                Some(remark.into()),
                // Reviews without marks write what they always wrote.
                (had_marks || !marks.is_empty()).then(|| marked.as_str().into()),
                Some(self.author.user.as_str().into()),
                Some(time(at)),
                Some(time(seal.at)),
            ],
        )
    }
}
