//! Sixty invented borrowers. Names are put together, numbers begin with 1900000, a block that is
//! unassigned, and the roads of Ningbo are real but their house numbers are made up.

use super::story::{Calendar, collectors_of};
use crate::office::NewVisit;
use crate::record::command::{AssignmentPatch, CasePatch};

/// How many cases the demo has.
pub(super) const CASES: usize = 60;

const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗";
const GIVEN: &str = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平";
const DISTRICTS: [(&str, f64, f64); 5] = [
    ("海曙区", 29.874, 121.551),
    ("江北区", 29.887, 121.555),
    ("鄞州区", 29.817, 121.547),
    ("镇海区", 29.949, 121.717),
    ("北仑区", 29.909, 121.844),
];
const ROADS: [&str; 8] =
    ["中山东路", "百丈东路", "环城北路", "天童南路", "兴宁路", "人民路", "通途路", "宁穿路"];
const PRODUCTS: [&str; 3] = ["personal_loan", "card_instalment", "car_loan"];
const NOTES: [&str; 6] = [
    "",
    "白天上班,晚上六点后在家",
    "上次约定未到,需先电话确认",
    "父母同住,不得透露欠款信息",
    "已换工作,地址待核实",
    "要求书面分期方案",
];

/// The cases, the same each time but for their dates.
pub(super) fn borrowers(calendar: Calendar) -> Vec<NewVisit> {
    let mut dice = Dice(0x2545_F491_4F6C_DD1D);
    (0..CASES).map(|n| borrower(n, calendar, &mut dice)).collect()
}

fn borrower(n: usize, calendar: Calendar, dice: &mut Dice) -> NewVisit {
    let (district, lat, lon) = *dice.pick(&DISTRICTS);
    let surnames: Vec<char> = SURNAMES.chars().collect();
    let given: Vec<char> = GIVEN.chars().collect();
    let name: String = [*dice.pick(&surnames), *dice.pick(&given), *dice.pick(&given)]
        .iter()
        .take(if n.is_multiple_of(3) { 2 } else { 3 })
        .collect();
    let (house, block, room) = (dice.below(800) + 1, dice.below(30) + 1, dice.below(28) + 1);
    let address =
        format!("浙江省宁波市{district}{}{house}号{block}幢{room}02室", dice.pick(&ROADS));
    let principal = i64::from(dice.below(2_000) + 50) * 10_000;
    let overdue = principal * i64::from(dice.below(50) + 4) / 100 + i64::from(dice.below(100));
    let days_past_due = i64::from(dice.below(if n.is_multiple_of(4) { 180 } else { 60 }) + 1);
    let case = CasePatch {
        borrower_name: Some(name),
        phones: Some(vec![format!("1900000{:04}", dice.below(10_000))]),
        address: Some(address),
        lat: Some(lat + f64::from(dice.below(200)) / 10_000.0),
        lon: Some(lon + f64::from(dice.below(200)) / 10_000.0),
        product: Some((*dice.pick(&PRODUCTS)).to_owned()),
        principal: Some(principal),
        overdue: Some(overdue),
        currency: Some("CNY".to_owned()),
        days_past_due: Some(days_past_due),
        due_date: Some(calendar.date(-days_past_due)),
        last_payment_date: Some(calendar.date(-days_past_due - 30)),
        preferred_language: Some(if n % 12 == 5 { "en" } else { "zh-CN" }.to_owned()),
        zone: Some(super::ZONE.to_owned()),
        note: Some((*dice.pick(&NOTES)).to_owned()),
    };
    let urgent = n.is_multiple_of(7);
    let assignment = AssignmentPatch {
        collectors: Some(collectors_of(n).iter().map(|name| (*name).to_owned()).collect()),
        due_by: Some(calendar.date(i64::from(dice.below(10)))),
        priority: Some(if urgent { 1 } else { 2 }),
        instructions: Some(if urgent { "先电话确认再上门" } else { "" }.to_owned()),
        policy: None,
    };
    NewVisit { case_no: format!("DM{}", 2_026_000_001 + n), case, assignment }
}

/// Numbers that look thrown and are the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let high = u32::try_from(self.0 >> 32).unwrap_or(0);
        high % limit
    }

    fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        let count = u32::try_from(things.len()).unwrap_or(1);
        &things[self.below(count) as usize]
    }
}
