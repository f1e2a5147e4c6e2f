//! Repayment plans: equal instalments by calendar month, exact in minor units.
//!
//! Only the option's terms are stored (amount, number of instalments, first due date). The plan is
//! computed from them, the same on the phone, in the office and on the borrower's copy.

use serde::{Deserialize, Serialize};

use super::date::Date;
use super::schema::{MONEY, MOST_INSTALMENTS};
use crate::types::ApiType;

/// The last year of a due date: dates have four-digit years.
const LAST_YEAR: i32 = 9999;

ApiType! {
/// The monthly instalments of a repayment option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In order of their dates; their amounts add up to the option's amount exactly.
    pub instalments: Vec<Instalment>,
    /// Every instalment but the last, minor units.
    pub each: i64,
    /// The last one, minor units.
    pub last: i64,
    /// Difference of the last instalment to the others, minor units: the rounding remainder.
    pub rounding: i64,
}
}

ApiType! {
/// One payment of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instalment {
    /// Its number, from 1.
    pub number: i64,
    /// `YYYY-MM-DD`.
    pub due_date: String,
    /// Minor units.
    pub amount: i64,
}
}

/// Why no plan can be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Not positive, or above the limit of the schema.
    #[error("the amount is out of range")]
    Amount,
    /// Not positive, or above the limit of the schema.
    #[error("the number of instalments is out of range")]
    Instalments,
    /// An instalment would be less than the smallest unit of the currency.
    #[error("the amount is too small for this number of instalments")]
    TooMany,
    /// Not a date, or the plan would end after the year 9999.
    #[error("the first due date is invalid")]
    FirstDue,
}

impl PlanError {
    /// Stable code for programs and translations.
    pub fn code(self) -> &'static str {
        match self {
            Self::Amount => "plan_amount",
            Self::Instalments => "plan_instalments",
            Self::TooMany => "plan_too_many",
            Self::FirstDue => "plan_first_due",
        }
    }
}

/// The plan of an amount in minor units, in monthly instalments from a first due date.
///
/// All instalments are equal, rounded down to a whole minor unit. The remainder, less than one
/// minor unit per instalment, is added to the last one. Each is due on the same day of the month as
/// the first, or on the last day of a shorter month (Civil Code of the PRC, art. 202; BGB § 188
/// (3) likewise).
///
/// # Errors
/// No plan can be computed from the terms.
pub fn plan(amount: i64, instalments: i64, first_due: &str) -> Result<Plan, PlanError> {
    if !(1..=MONEY).contains(&amount) {
        return Err(PlanError::Amount);
    }
    if !(1..=MOST_INSTALMENTS).contains(&instalments) {
        return Err(PlanError::Instalments);
    }
    let each = amount / instalments;
    if each == 0 {
        return Err(PlanError::TooMany);
    }
    let rounding = amount % instalments;
    let last = each + rounding;
    let first = Date::parse(first_due).ok_or(PlanError::FirstDue)?;
    let due_date = |number: i64| {
        let date = first.months_later(i32::try_from(number - 1).ok()?)?;
        (date.year <= LAST_YEAR).then(|| date.to_string())
    };
    let instalments = (1..=instalments)
        .map(|number| {
            let due_date = due_date(number).ok_or(PlanError::FirstDue)?;
            let amount = if number == instalments { last } else { each };
            Ok(Instalment { number, due_date, amount })
        })
        .collect::<Result<_, PlanError>>()?;
    Ok(Plan { instalments, each, last, rounding })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::date::days_in_month;

    fn dates(first: &str, count: i64) -> Vec<String> {
        let plan = plan(100_000, count, first).expect("a plan");
        plan.instalments.into_iter().map(|instalment| instalment.due_date).collect()
    }

    #[test]
    fn what_does_not_divide_is_in_the_last() {
        let plan = plan(552_898, 3, "2026-12-15").expect("a plan");
        let amounts: Vec<i64> = plan.instalments.iter().map(|one| one.amount).collect();
        assert_eq!(amounts, [184_299, 184_299, 184_300]);
        assert_eq!((plan.each, plan.last, plan.rounding), (184_299, 184_300, 1));
    }

    #[test]
    fn a_month_without_the_day_has_it_on_its_last() {
        assert_eq!(
            dates("2027-12-31", 4),
            ["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31"],
            "and the 31st comes back"
        );
        assert_eq!(dates("2026-01-30", 3), ["2026-01-30", "2026-02-28", "2026-03-30"]);
        assert_eq!(dates("2027-02-28", 2), ["2027-02-28", "2027-03-28"], "the day, not the end");
        assert_eq!(dates("2099-12-15", 2), ["2099-12-15", "2100-01-15"]);
    }

    #[test]
    fn terms_that_make_no_plan_are_named() {
        assert_eq!(plan(0, 1, "2026-12-15"), Err(PlanError::Amount));
        assert_eq!(plan(MONEY + 1, 1, "2026-12-15"), Err(PlanError::Amount));
        assert_eq!(plan(100, 0, "2026-12-15"), Err(PlanError::Instalments));
        assert_eq!(plan(100_000, MOST_INSTALMENTS + 1, "2026-12-15"), Err(PlanError::Instalments));
        assert_eq!(plan(5, 6, "2026-12-15"), Err(PlanError::TooMany));
        assert_eq!(plan(100, 2, "2026-02-30"), Err(PlanError::FirstDue));
        assert_eq!(plan(100, 2, ""), Err(PlanError::FirstDue));
        assert_eq!(plan(100, 2, "9999-12-15"), Err(PlanError::FirstDue));
    }

    proptest! {
        #[test]
        fn a_plan_adds_up_and_goes_on_month_by_month(
            amount in 1..=MONEY,
            count in 1..=MOST_INSTALMENTS,
            (year, month, day) in (1990..2200i32, 1..=12i32, 1..=31i32),
        ) {
            let day = day.min(days_in_month(2001, month).unwrap_or(28));
            let first = format!("{year:04}-{month:02}-{day:02}");
            let Ok(plan) = plan(amount, count, &first) else {
                prop_assert!(amount < count, "only an amount too small has no plan");
                return Ok(());
            };
            let amounts: Vec<i64> = plan.instalments.iter().map(|one| one.amount).collect();
            prop_assert_eq!(amounts.len() as i64, count);
            prop_assert_eq!(amounts.iter().sum::<i64>(), amount, "to the last minor unit");
            let (last, others) = amounts.split_last().expect("one at least");
            prop_assert!(others.iter().all(|other| *other == plan.each && *other > 0));
            prop_assert!(*last >= plan.each && last - plan.each < count);
            prop_assert_eq!((*last, last - plan.each), (plan.last, plan.rounding));
            let numbers: Vec<i64> = plan.instalments.iter().map(|one| one.number).collect();
            prop_assert_eq!(numbers, (1..=count).collect::<Vec<_>>());

            let dates: Vec<&str> = plan.instalments.iter().map(|one| one.due_date.as_str()).collect();
            prop_assert_eq!(dates[0], first.as_str());
            prop_assert!(dates.is_sorted_by(|one, next| one < next), "each later than the one before");
            for (later, date) in dates.iter().enumerate() {
                let date = Date::parse(date).expect("a date");
                let months = (date.year - year) * 12 + date.month - month;
                prop_assert_eq!(months, later as i32, "one in every month");
                let end = days_in_month(date.year, date.month).expect("a month");
                prop_assert_eq!(date.day, day.min(end), "on its day, or the month's last");
            }
        }
    }
}
