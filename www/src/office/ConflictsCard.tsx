/** Fields with conflicting values; users with write access choose one. */
import type { JSX } from "preact";
import { t } from "../i18n";
import { formatDateTime } from "../ui/format";
import { SubmitResult, useSubmit, type FormProps } from "./formDraft";
import { pathName, pathValue } from "./fieldLabels";

export function ConflictsCard({ view, apply, writes }: FormProps): JSX.Element | null {
  const submit = useSubmit(apply);
  if (view.conflicts.length === 0 && !submit.error) return null;
  return (
    <section
      class="border-error bg-base-100 rounded-box flex flex-col gap-4 border-2 p-4"
      aria-label={t("conflict/title")}
    >
      <div>
        <h2 class="text-error font-semibold">{t("conflict/title")}</h2>
        <p class="muted text-sm">{t(writes ? "conflict/text" : "office/conflict_read")}</p>
      </div>
      {view.conflicts.map((conflict) => (
        <div key={conflict.path} data-testid="conflict" data-path={conflict.path} class="flex flex-col gap-2">
          <h3 class="text-sm font-medium">{pathName(conflict.path)}</h3>
          <ul class="grid gap-2 sm:grid-cols-2">
            {conflict.values.map((value) => {
              const words = pathValue(conflict.path, value.value, view);
              return (
                <li key={value.id} class="border-base-300 rounded-field flex flex-col gap-2 border p-3">
                  <span class="font-semibold">{words}</span>
                  <span class="muted text-sm">{t("conflict/who", { by: value.by, at: formatDateTime(value.at) })}</span>
                  {writes && (
                    <button
                      type="button"
                      class="btn btn-outline h-auto py-2"
                      disabled={submit.busy}
                      onClick={() => void submit.send({ do: "resolve", path: conflict.path, pick: value.id })}
                    >
                      {t("conflict/keep", { value: words })}
                    </button>
                  )}
                </li>
              );
            })}
          </ul>
        </div>
      ))}
      <SubmitResult submit={submit} quiet />
    </section>
  );
}
