/** The options that forms offer, in the order of use. */
import type { TextKey } from "../i18n";
import type {
  CheckAnswer,
  CheckItem,
  Channel,
  ContactOutcome,
  Disposition,
  OptionKind,
  OverdueReason,
  PlaceType,
  ProposedBy,
  Step,
  TargetRole,
  Willingness,
} from "../wasm/doorstep";

export const STEPS: readonly Step[] = ["contact", "appointment", "on_site", "talk", "record"];

export const CHANNELS: readonly Channel[] = ["call", "sms", "message", "email", "letter", "visit"];

export const PERSONS: readonly TargetRole[] = ["borrower", "guarantor", "representative", "third_party", "nobody"];

export const CONTACT_OUTCOMES: readonly ContactOutcome[] = [
  "reached",
  "no_answer",
  "busy",
  "invalid_number",
  "left_message",
  "refused",
  "sent",
];

/** A collector records proposals of the borrower and their own; only the console records the office's. */
export const PROPOSERS: readonly ProposedBy[] = ["borrower", "collector"];

export const PLACES: readonly PlaceType[] = ["home", "workplace", "branch", "public"];

/** In the order of a visit; `read_back` belongs to the last step. */
export const DOOR_CHECKS: readonly CheckItem[] = [
  "identity_stated",
  "id_shown",
  "credentials_shown",
  "identity_verified",
  "purpose_stated",
  "convenient_now",
  "recording_announced",
  "visit_recorded",
  "entry_consent",
  "loan_info_shown",
  "complaint_channel_told",
  "no_third_party_disclosure",
  "no_money_taken",
];

/** Items that cannot be done without the borrower. */
export const NEEDS_SOMEBODY: readonly CheckItem[] = [
  "identity_stated",
  "id_shown",
  "credentials_shown",
  "identity_verified",
  "purpose_stated",
  "convenient_now",
  "recording_announced",
  "entry_consent",
  "loan_info_shown",
  "complaint_channel_told",
];

export const ANSWERS: readonly CheckAnswer[] = ["yes", "no", "not_possible"];

export const REASONS: readonly OverdueReason[] = [
  "income_loss",
  "illness",
  "family",
  "business_failure",
  "over_indebted",
  "forgot",
  "disputed",
  "cash_flow",
  "other",
  "not_said",
];

export const WILLINGNESS: readonly Willingness[] = ["willing", "willing_unable", "undecided", "unwilling"];

export const OPTION_KINDS: readonly OptionKind[] = [
  "instalments",
  "full_payment",
  "partial_payment",
  "deferral",
  "settlement",
];

/** Outcomes of a visit by group: the text key of its title, then the options. */
export const DISPOSITIONS: readonly [TextKey, readonly Disposition[]][] = [
  [
    "outcome/met",
    [
      "ptp",
      "plan_proposed",
      "considering",
      "rtp",
      "hardship",
      "dispute",
      "claims_paid",
      "rescheduled",
      "asked_no_visit",
      "represented",
    ],
  ],
  ["outcome/not_met", ["not_home", "door_locked", "shifted", "address_not_found", "third_party_only"]],
  ["outcome/stop", ["deceased", "bereavement_illness", "safety_withdrawn", "asked_to_leave", "complaint"]],
];

/** Paths that an amendment can refer to. */
export const AMENDABLE: readonly string[] = [
  "contacts",
  "appointment",
  "visit",
  "checks",
  "talk.overdue_reason",
  "talk.willingness",
  "talk.options",
  "talk.promise",
  "talk.disposition",
  "payments",
  "feedback",
  "notes",
];
