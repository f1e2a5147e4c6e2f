/** The collectors who take part in the visit. */
import { UserMinus, UserPlus, UsersRound } from "lucide-preact";
import type { JSX } from "preact";
import type { Command } from "../../wasm/doorstep";
import { t } from "../../i18n";
import { TextField } from "../../ui/components";
import { me, rows } from "../state";
import { useForm } from "../useForm";
import type { OpenRecord } from "../useRecord";

/** Most colleagues that are offered; any other name can be typed. */
const MAX_OFFERED = 4;

/** The user, then those assigned to this record, then those of other records on this phone. */
function candidates(assigned: readonly string[]): string[] {
  const others = (rows.value ?? []).flatMap(({ collectors }) => collectors);
  return [...new Set([me.value, ...assigned, ...others])];
}

export function Visitors({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply, applyWithUndo, readOnly } = record;
  const form = useForm(record, "visitor", { name: "" });
  const { name } = form.fields;
  const { visitors } = view.visit;
  const offered = candidates(view.assignment.collectors)
    .filter((user) => !visitors.includes(user))
    .slice(0, MAX_OFFERED);
  const adding = (user: string): Command => ({ do: "edit_visit", add_visitor: user });
  const removing = (user: string): Command => ({ do: "edit_visit", remove_visitor: user });
  const add = (user: string): void =>
    void applyWithUndo(adding(user), t("site/added", { name: user }), [removing(user)]);
  /** Many rules ask for two collectors, and the assignment says which. */
  const [colleague, ...more] = view.assignment.collectors.filter((user) => user !== me.value);
  const pair = visitors.length === 0 && more.length === 0 ? colleague : undefined;
  const addPair = async (other: string): Promise<void> => {
    if (!(await apply(adding(me.value)))) return;
    const added = t("site/added_both", { name: other });
    await applyWithUndo(adding(other), added, [removing(other), removing(me.value)]);
  };
  const remove = (user: string): void =>
    void applyWithUndo(removing(user), t("site/removed", { name: user }), [adding(user)]);
  const addTyped = (user: string): void =>
    void form.submit(adding(user), { message: t("site/added", { name: user }), commands: [removing(user)] });
  return (
    <fieldset class="flex flex-col gap-2.5">
      <legend class="label-text pb-2">{t("site/visitors")}</legend>
      {visitors.length === 0 && readOnly && "–"}
      <ul class="flex flex-col gap-2">
        {visitors.map((user) => (
          <li key={user} class="rounded-field bg-base-200 flex min-h-11 items-center justify-between gap-2 pl-3">
            <span class="font-medium">{user}</span>
            {!readOnly && (
              <button
                type="button"
                class="btn btn-ghost btn-square"
                aria-label={t("site/remove", { name: user })}
                onClick={() => remove(user)}
              >
                <UserMinus class="size-5" aria-hidden="true" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {!readOnly && (
        <>
          {pair !== undefined && (
            <button type="button" class="btn btn-tonal" onClick={() => void addPair(pair)}>
              <UsersRound class="size-5" aria-hidden="true" />
              {t("site/both", { name: pair })}
            </button>
          )}
          <div class="choice-grid">
            {offered.map((user) => (
              <button key={user} type="button" class="btn btn-quiet" onClick={() => add(user)}>
                <UserPlus class="size-5" aria-hidden="true" />
                {user === me.value ? t("site/me") : user}
              </button>
            ))}
          </div>
          <div class="flex flex-wrap gap-2">
            <div class="grow basis-48">
              <TextField label={t("site/visitor")} plain {...form.bind("name")} />
            </div>
            <button
              type="button"
              class="btn btn-quiet self-end"
              disabled={name.trim() === ""}
              onClick={() => addTyped(name.trim())}
            >
              {t("site/add_visitor")}
            </button>
          </div>
        </>
      )}
    </fieldset>
  );
}
