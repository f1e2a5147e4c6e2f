/** Fields with conflicting values; a tap on one value resolves the conflict. */
import { Circle, GitMerge } from "lucide-preact";
import type { JSX } from "preact";
import type { Command, Conflict, VisitView } from "../wasm/doorstep";
import { t } from "../i18n";
import { fieldName, formatDateTime, formatField } from "./format";

interface Props {
  view: VisitView;
  apply: (command: Command) => Promise<unknown>;
}

export function Conflicts({ view, apply }: Props): JSX.Element | null {
  if (view.conflicts.length === 0) return null;
  return (
    <section
      class="border-error bg-base-100 rounded-box flex flex-col gap-4 border-[1.5px] p-4"
      aria-label={t("conflict/title")}
    >
      <div class="flex gap-3">
        <GitMerge class="text-error mt-0.5 size-6 shrink-0" aria-hidden="true" />
        <div>
          <h2 class="text-error section-title">{t("conflict/title")}</h2>
          <p class="muted text-sm">{t("conflict/text")}</p>
        </div>
      </div>
      {view.conflicts.map((conflict) => (
        <Values key={conflict.path} conflict={conflict} view={view} apply={apply} />
      ))}
    </section>
  );
}

function Values({ conflict, view, apply }: Props & { conflict: Conflict }): JSX.Element {
  return (
    <div data-testid="conflict" data-path={conflict.path} class="flex flex-col gap-2">
      <h3 class="label-text">{fieldName(conflict.path)}</h3>
      <ul class="grid gap-2 sm:grid-cols-2">
        {conflict.values.map((value) => {
          const words = formatField(conflict.path, value.value, view.case.currency, view.case.zone);
          const who = `${conflict.path}-${value.id}`;
          return (
            <li key={value.id}>
              <button
                type="button"
                class="choice hover:border-primary justify-start gap-3 py-2.5"
                aria-label={t("conflict/keep", { value: words })}
                aria-describedby={who}
                onClick={() => void apply({ do: "resolve", path: conflict.path, pick: value.id })}
              >
                <Circle class="muted size-5 shrink-0" aria-hidden="true" />
                <span class="min-w-0 grow">
                  <span class="block font-semibold">{words}</span>
                  <span id={who} class="muted block text-sm">
                    {t("conflict/who", { by: value.by, at: formatDateTime(value.at) })}
                  </span>
                </span>
                <span class="text-primary shrink-0 text-sm font-semibold" aria-hidden="true">
                  {t("conflict/keep_short")}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
