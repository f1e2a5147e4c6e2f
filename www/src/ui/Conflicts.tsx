/** Fields for which two values stand: both are shown, one tap keeps one. */
import type { JSX } from "preact";
import type { Command, VisitView } from "../wasm/doorstep";
import { t } from "../i18n";
import { fieldName, formatDateTime, formatField } from "./format";

export function Conflicts(props: {
  view: VisitView;
  apply: (command: Command) => Promise<unknown>;
}): JSX.Element | null {
  const { view } = props;
  if (view.conflicts.length === 0) return null;
  return (
    <section class="border-error bg-base-100 rounded-box flex flex-col gap-4 border-2 p-4" aria-label={t("conf/title")}>
      <div>
        <h2 class="text-error font-semibold">{t("conf/title")}</h2>
        <p class="muted text-sm">{t("conf/text")}</p>
      </div>
      {view.conflicts.map((conflict) => (
        <div key={conflict.path} data-testid="conflict" data-path={conflict.path} class="flex flex-col gap-2">
          <h3 class="text-sm font-medium">{fieldName(conflict.path)}</h3>
          <ul class="grid gap-2 sm:grid-cols-2">
            {conflict.values.map((value) => {
              const words = formatField(conflict.path, value.value, view.case.currency, view.case.zone);
              return (
                <li key={value.id} class="border-base-300 rounded-field flex flex-col gap-2 border p-3">
                  <span class="font-semibold">{words}</span>
                  <span class="muted text-sm">{t("conf/who", { by: value.by, at: formatDateTime(value.at) })}</span>
                  <button
                    type="button"
                    class="btn btn-outline h-auto py-2"
                    onClick={() => void props.apply({ do: "resolve", path: conflict.path, pick: value.id })}
                  >
                    {t("conf/keep", { value: words })}
                  </button>
                </li>
              );
            })}
          </ul>
        </div>
      ))}
    </section>
  );
}
