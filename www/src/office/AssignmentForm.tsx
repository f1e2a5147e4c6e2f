/** The assignment: collectors, due date, priority and instructions. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { AssignmentPatch } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { formatDate } from "../ui/format";
import { Field } from "../ui/components";
import { DraftInput, SubmitResult, useDraft, useUnloadWarning, useSubmit, type FormProps } from "./formDraft";

import { Card, Facts } from "./layout";
import { collectors, displayName } from "./state";

const PRIORITIES = ["1", "2", "3"] as const;

export function Assignment(props: FormProps): JSX.Element {
  const { assignment } = props.view;
  return (
    <Card title={t("office/assign")}>
      {props.writes ? (
        <AssignmentForm {...props} />
      ) : (
        <Facts
          rows={[
            [t("office/collectors"), assignment.collectors.join(", ") || t("office/unassigned")],
            [t("office/due_by"), assignment.due_by && formatDate(assignment.due_by)],
            [word("field", "assignment.priority"), word("priority", String(assignment.priority))],
            [t("office/instructions"), assignment.instructions],
          ]}
        />
      )}
      <Facts rows={[[t("office/policy"), assignment.policy || t("app/none")]]} />
    </Card>
  );
}

/** Collectors to add and remove, applied to the assigned collectors on saving. */
interface Moves {
  added: string[];
  removed: string[];
}
const NO_MOVES: Moves = { added: [], removed: [] };

function AssignmentForm({ view, apply }: FormProps): JSX.Element {
  const { assignment } = view;
  const draft = useDraft({
    due_by: assignment.due_by,
    priority: String(assignment.priority),
    instructions: assignment.instructions,
  });
  const [moves, setMoves] = useState(NO_MOVES);
  const submit = useSubmit(apply);
  const moved = moves !== NO_MOVES;
  useUnloadWarning(moved);
  const assigned = [...new Set([...assignment.collectors, ...moves.added])]
    .filter((name) => !moves.removed.includes(name))
    .sort();
  const choices = collectors.value.filter((user) => !user.disabled && !assigned.includes(user.name));

  const save = async (): Promise<void> => {
    const { touched } = draft;
    const patch: AssignmentPatch = {};
    if (moved) patch.collectors = assigned;
    if (touched.due_by !== undefined) patch.due_by = touched.due_by;
    if (touched.priority !== undefined) patch.priority = Number(touched.priority);
    if (touched.instructions !== undefined) patch.instructions = touched.instructions;
    if (!(await submit.send({ do: "assign", ...patch }))) return;
    draft.markSaved(touched);
    setMoves((now) => (now === moves ? NO_MOVES : now));
  };
  const add = (name: string): void =>
    setMoves({ added: [...moves.added, name], removed: moves.removed.filter((other) => other !== name) });
  const remove = (name: string): void =>
    setMoves({ added: moves.added.filter((other) => other !== name), removed: [...moves.removed, name] });
  return (
    <form class="flex flex-col gap-3" onSubmit={(event) => event.preventDefault()}>
      <div class="flex flex-col gap-2" role="group" aria-label={t("office/collectors")}>
        <span class="text-sm font-medium" aria-hidden="true">
          {t("office/collectors")}
        </span>
        <ul class="flex flex-wrap gap-2 empty:hidden">
          {assigned.map((name) => (
            <li key={name} class="border-base-300 rounded-field flex items-center gap-1 border pl-3">
              {displayName(name)}
              <button
                type="button"
                class="btn btn-ghost btn-square"
                aria-label={t("site/remove", { name })}
                onClick={() => remove(name)}
              >
                ✕
              </button>
            </li>
          ))}
        </ul>
        {assigned.length === 0 && <p class="muted text-sm">{t("office/unassigned")}</p>}
        <Field label={t("site/add_visitor")}>
          {(id) => (
            <select
              id={id}
              class="select w-full"
              value=""
              onChange={(event) => {
                if (event.currentTarget.value) add(event.currentTarget.value);
                event.currentTarget.value = "";
              }}
            >
              <option value="">{t("office/choose")}</option>
              {choices.map((user) => (
                <option key={user.name} value={user.name}>
                  {displayName(user.name)}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <div class="grid gap-3 sm:grid-cols-2">
        <DraftInput draft={draft} field="due_by" label={t("office/due_by")} type="date" />
        <Field label={word("field", "assignment.priority")}>
          {(id) => (
            <select
              id={id}
              class="select w-full"
              value={draft.value.priority}
              onChange={(event) => draft.set("priority", event.currentTarget.value)}
            >
              {PRIORITIES.map((priority) => (
                <option key={priority} value={priority}>
                  {word("priority", priority)}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <DraftInput draft={draft} field="instructions" label={t("office/instructions")} rows={2} />
      <button
        type="button"
        class="btn btn-primary self-start"
        disabled={(!draft.dirty && !moved) || submit.busy}
        onClick={() => void save()}
      >
        {t("office/save_assignment")}
      </button>
      <SubmitResult submit={submit} quiet={draft.dirty || moved} />
    </form>
  );
}
