/** The workload in the terms of every system: groups of fields, contacts by id, a text of notes. */

/** Calls `put(group, field, value)` for every field of a step. */
export function eachField(step, put) {
  for (const [path, value] of Object.entries(step.set)) put(...path.split("."), value);
}

/** The steps that make a record, the office's import first. */
export function stepsOf(plan) {
  const set = Object.fromEntries(Object.entries(plan.case).map(([field, value]) => [`case.${field}`, value]));
  return [
    {
      at: plan.steps[0].at,
      set: { "case.case_no": plan.case_no, ...set },
      contact: null,
      append: null,
    },
    ...plan.steps,
  ];
}

/** Characters of a record's notes after all its steps. */
export const notesLength = (plan) => plan.steps.reduce((sum, { append }) => sum + (append?.length ?? 0), 0);

/** Resolves when `check` holds. */
export async function until(check) {
  while (!(await check())) await new Promise((done) => setTimeout(done, 5));
}
