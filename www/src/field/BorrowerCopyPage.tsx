/**
 * The borrower's copy: what was discussed and agreed, in the borrower's language, to read or print.
 * It contains the borrower, the lender and the visitors, but no third parties and no notes.
 */
import { Printer } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Lender } from "../core/api";
import { inLanguage, lang, t, type Lang } from "../i18n";
import { Alert } from "../ui/components";
import { borrowerCopy, preferredLanguage, loadPlans, type Copy, type Plans } from "./borrowerCopy";
import { BackLink } from "./SubPage";
import { client } from "./state";
import { useRecord } from "./useRecord";

export function BorrowerCopyPage({ id }: { id: string }): JSX.Element {
  const state = useRecord(id);
  const view = state.kind === "open" ? state.record.view : null;
  const [lender, setLender] = useState<Lender | null>(null);
  const [plans, setPlans] = useState<Plans | null>(null);
  const [chosen, setChosen] = useState<Lang | null>(null);
  const options = JSON.stringify(view?.talk.options ?? null);
  useEffect(() => void client.lender().then(setLender), []);
  useEffect(() => {
    if (view) void loadPlans(view).then(setPlans);
  }, [options]);
  const language = chosen ?? (view && preferredLanguage(view)) ?? lang.value;
  return (
    <div class="mx-auto max-w-2xl pb-6 print:max-w-none print:p-0">
      <header class="bg-base-200/95 sticky top-0 z-10 flex flex-wrap items-center justify-between gap-2 py-2 pt-[max(0.5rem,env(safe-area-inset-top))] pr-3 pl-1 backdrop-blur print:hidden">
        <BackLink href={`/visit/${id}/record`} label={t("copy/back")} />
        <button type="button" class="btn btn-primary" disabled={!view || !plans} onClick={() => print()}>
          <Printer class="size-5" aria-hidden="true" />
          {t("copy/print")}
        </button>
      </header>
      <main class="flex flex-col gap-4 px-4 pt-1 print:p-0">
        {state.kind === "failed" && <Alert tone="error">{t("error/unknown_record")}</Alert>}
        <div class="flex gap-2 print:hidden" role="group" aria-label={t("copy/language")}>
          {(["zh-CN", "en"] as const).map((tag) => (
            <button
              key={tag}
              type="button"
              class={`btn grow ${tag === language ? "btn-primary" : "btn-quiet"}`}
              aria-pressed={tag === language}
              onClick={() => setChosen(tag)}
            >
              {tag === "en" ? "English" : "中文"}
            </button>
          ))}
        </div>
        {lender?.complaints === "" && (
          <div class="print:hidden">
            <Alert tone="warning">{t("copy/no_channel")}</Alert>
          </div>
        )}
        {view && lender && plans && (
          <PrintedCopy language={language} copy={inLanguage(language, () => borrowerCopy(view, lender, plans))} />
        )}
      </main>
    </div>
  );
}

function PrintedCopy({ copy, language }: { copy: Copy; language: Lang }): JSX.Element {
  return (
    <article
      lang={language}
      class="rounded-box border-base-300 bg-base-100 flex flex-col gap-5 border p-5 print:border-0 print:p-0"
      data-testid="copy"
    >
      <header>
        {copy.lender && <p class="font-semibold">{copy.lender}</p>}
        <h1 class="text-xl font-bold">{copy.title}</h1>
        <p class="muted text-sm">{copy.intro}</p>
      </header>
      {copy.sections.map(({ title, lines, tables }) => (
        <section key={title} class="flex break-inside-avoid flex-col gap-2">
          <h2 class="font-semibold">{title}</h2>
          <dl class="flex flex-col gap-1.5">
            {lines.map(([label, text]) => (
              <div key={label} class="flex flex-wrap justify-between gap-x-4">
                <dt class="muted">{label}</dt>
                <dd class="font-medium whitespace-pre-line tabular-nums">{text}</dd>
              </div>
            ))}
          </dl>
          {tables.map(({ caption, head, rows, note }) => (
            <div key={caption} class="break-inside-avoid">
              <table class="w-full text-sm tabular-nums">
                <caption class="pb-1 text-left font-medium">{caption}</caption>
                <thead>
                  <tr class="muted text-left">
                    {head.map((cell, at) => (
                      <th key={cell} scope="col" class={`py-1 font-medium ${at === 2 ? "text-right" : "pr-2"}`}>
                        {cell}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {rows.map((row) => (
                    <tr key={row[0]} class="border-base-300 border-t">
                      {row.map((cell, at) => (
                        <td key={at} class={`py-1 ${at === 2 ? "text-right" : "pr-2"}`}>
                          {cell}
                        </td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
              {note && <p class="muted text-sm">{note}</p>}
            </div>
          ))}
        </section>
      ))}
      <footer class="border-base-300 border-t pt-3 text-sm">
        {copy.footer.map((line) => (
          <p key={line}>{line}</p>
        ))}
      </footer>
    </article>
  );
}
