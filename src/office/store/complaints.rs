//! Complaints of borrowers, and what was done about them.

use super::StoreError;
use crate::ids::RecordId;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        pub enum $name {
            $($(#[$vmeta])* #[serde(rename = $text)] $variant,)+
        }
        impl $name {
            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
            /// Parses a stable name.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! {
/// How a complaint reached the lender.
ComplaintSource {
    /// Said to a collector.
    Door = "door",
    /// By telephone.
    Phone = "phone",
    /// By letter.
    Letter = "letter",
    /// In another way.
    Other = "other",
}
}

words! {
/// What a complaint is about.
ComplaintTopic {
    /// Not classified yet.
    Unknown = "unknown",
    /// How collectors or callers behaved.
    Conduct = "conduct",
    /// The debt was disclosed to others.
    Disclosure = "disclosure",
    /// The amount, or the debt itself.
    Amount = "amount",
    /// The time or the place of a visit or a call.
    Time = "time",
    /// Anything else.
    Other = "other",
}
}

words! {
/// How a complaint was decided.
ComplaintOutcome {
    /// The borrower was right.
    Upheld = "upheld",
    /// In part.
    PartlyUpheld = "partly_upheld",
    /// The borrower was not right.
    Rejected = "rejected",
    /// The borrower took it back, or it was no complaint.
    Withdrawn = "withdrawn",
}
}

words! {
/// What was done about a complaint.
ComplaintStep {
    /// It was recorded.
    Received = "received",
    /// Source, topic or text were corrected.
    Described = "described",
    /// The borrower got a reply.
    Replied = "replied",
    /// Its deadline was extended.
    Extended = "extended",
    /// It was decided.
    Closed = "closed",
    /// The decision was reversed.
    Reopened = "reopened",
}
}

/// One complaint. Times are ms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Its number, given by the store; 0 before.
    pub number: u64,
    /// A UUID: what is stored twice under one id is one complaint.
    pub id: [u8; 16],
    /// The record of the case.
    pub record: RecordId,
    /// The lender's case number.
    pub case_no: String,
    /// The time of the hold that it puts on the case.
    pub since: i64,
    /// How it arrived.
    pub source: ComplaintSource,
    /// What it is about.
    pub topic: ComplaintTopic,
    /// What the borrower said.
    pub text: String,
    /// When the lender received it.
    pub received_at: i64,
    /// Who took it in.
    pub raised_by: String,
    /// The rule that set the deadline; empty for the product's own.
    pub rule: String,
    /// By when it has to be decided.
    pub deadline_at: i64,
    /// The deadline before it was first extended.
    pub extended_from: Option<i64>,
    /// When the borrower last got a reply.
    pub replied_at: Option<i64>,
    /// When it was decided, and how.
    pub closed: Option<(i64, ComplaintOutcome)>,
}

/// An entry of a complaint's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplaintEvent {
    /// A UUID made by the client.
    pub id: [u8; 16],
    /// ms.
    pub at: i64,
    /// Who.
    pub by: String,
    /// What was done.
    pub step: ComplaintStep,
    /// The decision, with [`ComplaintStep::Closed`].
    pub outcome: Option<ComplaintOutcome>,
    /// As entered.
    pub text: String,
}

/// The order and the part of a list of complaints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplaintListing {
    /// Undecided ones, the earliest deadline first; else decided ones, the last decided first.
    pub open: bool,
    /// After this deadline or decision, ms, and number.
    pub after: Option<(i64, u64)>,
    /// Largest number of complaints.
    pub limit: u32,
}

/// Reads about complaints.
pub trait ComplaintReads {
    /// One complaint.
    fn complaint(&mut self, number: u64) -> Result<Option<Complaint>, StoreError>;
    /// The number of the complaint with an id.
    fn complaint_with_id(&mut self, id: [u8; 16]) -> Result<Option<u64>, StoreError>;
    /// One page of the desk.
    fn complaints(&mut self, listing: &ComplaintListing) -> Result<Vec<Complaint>, StoreError>;
    /// Complaints with higher numbers, in order.
    fn complaints_after(&mut self, number: u64, limit: u32) -> Result<Vec<Complaint>, StoreError>;
    /// All complaints about a record, by number.
    fn complaints_of(&mut self, record: RecordId) -> Result<Vec<Complaint>, StoreError>;
    /// Undecided complaints, and those of them whose deadline is before a time, ms.
    fn complaint_counts(&mut self, now: i64) -> Result<(u64, u64), StoreError>;
    /// The history of a complaint, oldest first.
    fn complaint_events(&mut self, number: u64) -> Result<Vec<ComplaintEvent>, StoreError>;
    /// Records that have a hold of a complaint, or are sealed with the outcome of one, and changed
    /// since they were last looked at.
    fn complaint_candidates(&mut self, limit: u32) -> Result<Vec<RecordId>, StoreError>;
    /// Undecided complaints whose record lacks the hold.
    fn complaints_without_hold(&mut self, limit: u32) -> Result<Vec<Complaint>, StoreError>;
}

/// Writes about complaints.
pub trait ComplaintWrites {
    /// Adds a complaint and gives its number; `None` where the record has one of that time.
    fn add_complaint(&mut self, complaint: &Complaint) -> Result<Option<u64>, StoreError>;
    /// Replaces what can change of a complaint.
    fn update_complaint(&mut self, complaint: &Complaint) -> Result<(), StoreError>;
    /// Adds an entry; false where the complaint has one with this id.
    fn add_complaint_event(
        &mut self,
        number: u64,
        event: &ComplaintEvent,
    ) -> Result<bool, StoreError>;
    /// The holds of a record have been looked at in its present state.
    fn complaints_seen(&mut self, record: RecordId) -> Result<(), StoreError>;
}
