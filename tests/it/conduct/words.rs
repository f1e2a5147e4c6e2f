//! The words of the tables.

pub(crate) use doorstep::conduct::terms::Answer::{Fail, NotApplicable, Pass, Unknown};
pub(crate) use doorstep::record::terms::AppointmentStatus::{Cancelled, Declined, Proposed};
pub(crate) use doorstep::record::terms::CheckAnswer::{No, NotPossible, Yes};
pub(crate) use doorstep::record::terms::CheckItem::{
    ConvenientNow, CredentialsShown, EntryConsent, IdShown, IdentityStated, IdentityVerified,
    LoanInfoShown, NoMoneyTaken, NoThirdPartyDisclosure, RecordingAnnounced, VisitRecorded,
};
pub(crate) use doorstep::record::terms::ContactOutcome::{
    Busy, InvalidNumber, LeftMessage, NoAnswer, Reached, Refused, Sent,
};
pub(crate) use doorstep::record::terms::NoticeAbout::{Agency, Validation, Visit, Visitors};
pub(crate) use doorstep::record::terms::OptionKind::{FullPayment, Instalments};
pub(crate) use doorstep::record::terms::PlaceType::{Branch, Home, Workplace};
pub(crate) use doorstep::record::terms::TargetRole::{Borrower, Nobody, ThirdParty};
pub(crate) use doorstep::record::terms::{Channel, Disposition, Flag, ProposedBy};
