/** A borrower's copy as it is shown and printed. */
import type { JSX, Ref } from "preact";
import { inLanguage, t, type Lang } from "../i18n";
import type { Copy } from "./borrowerCopy";

export function PrintedCopy(props: { copy: Copy; language: Lang; article: Ref<HTMLElement> }): JSX.Element {
  const { copy, language } = props;
  return (
    <article
      ref={props.article}
      lang={language}
      class="rounded-box border-base-300 bg-base-100 flex flex-col gap-5 border p-5 print:border-0 print:p-0"
      data-testid="copy"
    >
      <header>
        {copy.lender && <p class="font-semibold">{copy.lender}</p>}
        <h1 class="text-xl font-bold">{copy.title}</h1>
        <p class="muted text-sm">{copy.intro}</p>
      </header>
      {copy.code && (
        <div class="rounded-field border-base-content/40 flex flex-col gap-0.5 border-2 px-3 py-2.5">
          <span class="muted text-sm">{inLanguage(language, () => t("receipt/code"))}</span>
          <strong class="font-mono text-xl tracking-wide wrap-anywhere" data-testid="receipt-code">
            {copy.code}
          </strong>
        </div>
      )}
      {copy.status && (
        <p data-testid="receipt-status" data-confirmed={copy.status.confirmed} class="font-medium">
          {copy.status.text}
        </p>
      )}
      {copy.sections.map(({ title, lines, tables }) => (
        <section key={title} class="flex break-inside-avoid flex-col gap-2">
          <h2 class="font-semibold">{title}</h2>
          <dl class="flex flex-col gap-1.5">
            {lines.map(([label, text]) => (
              <div key={`${label} ${text}`} class="flex flex-wrap justify-between gap-x-4">
                {label && <dt class="muted">{label}</dt>}
                <dd class="font-medium wrap-anywhere whitespace-pre-line tabular-nums">{text}</dd>
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
