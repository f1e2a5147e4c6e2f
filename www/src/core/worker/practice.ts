/** Records of the practice mode. Names and telephone numbers are invented. */
import type { AssignmentPatch, CasePatch, Workspace } from "../../wasm/doorstep";

export const PRACTICE_USER = "practice";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Name, address, overdue amount in minor units, days past due, days until the visit is due. */
const BORROWERS: readonly [string, string, number, number, number][] = [
  ["练习 · 王小明", "练习市示范区样板路 1 号 2 栋 301", 1_286_050, 34, 0],
  ["Practice · Jane Sample", "2 Example Lane, Sampleton", 45_900, 12, 1],
  ["练习 · 李范例", "练习市示范区样板路 18 号", 5_680_000, 96, 2],
  ["Practice · Joe Specimen", "14 Placeholder Street, flat 5, Sampleton", 310_075, 61, 6],
  ["练习 · 赵试填", "练习市试点县模拟镇第 3 组", 99_900, 8, 12],
  ["Practice · Ann Tryout", "7 Rehearsal Road, Sampleton", 1_750_000, 147, 20],
];

function date(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Fills an empty workspace with six borrowers and an appointment with the first. */
export function addPracticeRecords(workspace: Workspace, newId: () => string, now: number): void {
  BORROWERS.forEach(([borrower_name, address, overdue, days_past_due, due], at) => {
    const id = newId();
    const facts: Partial<CasePatch> = {
      borrower_name,
      address,
      overdue,
      principal: overdue * 3,
      days_past_due,
      due_date: date(now - days_past_due * DAY_MS),
      phones: [`000 0000 000${at + 1}`],
      currency: "CNY",
      product: "personal_loan",
      zone: ZONE,
    };
    const assignment: Partial<AssignmentPatch> = {
      collectors: [PRACTICE_USER],
      due_by: date(now + due * DAY_MS),
      priority: due < 3 ? 1 : 2,
    };
    workspace.addPracticeRecord(id, `PRACTICE-${at + 1}`, facts as CasePatch, assignment as AssignmentPatch, now);
    if (at === 0) addAppointment(workspace, id, address, now);
  });
}

function addAppointment(workspace: Workspace, id: string, place: string, now: number): void {
  // In the current hour, so that the list shows it among today's appointments.
  const starts_at = Math.floor(now / HOUR_MS) * HOUR_MS;
  const window = { starts_at, ends_at: starts_at + HOUR_MS };
  const proposal = {
    do: "propose_appointment",
    ...window,
    place,
    proposed_by: "borrower",
    borrower_remark: "",
  } as const;
  workspace.open(id);
  workspace.apply(id, proposal, now, ZONE);
  workspace.apply(id, { do: "answer_appointment", status: "agreed" }, now, ZONE);
  workspace.close(id);
}
