/**
 * The borrower's copy: what was discussed and agreed, or the receipt for one payment or promise, in
 * the borrower's language, to share, print or download. It contains the borrower, the lender and
 * the visitors, but no third parties and no notes.
 */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Lender } from "../core/api";
import type { Receipt } from "../wasm/doorstep";
import { inLanguage, lang, t, type Lang } from "../i18n";
import { Alert } from "../ui/components";
import { borrowerCopy, loadPlans, preferredLanguage, receiptCopy, type Copy, type CopySources } from "./borrowerCopy";
import { CopyActions } from "./CopyActions";
import { practising } from "./practiceMode";
import { PrintedCopy } from "./PrintedCopy";
import { BackLink } from "./SubPage";
import { client, clock, rows } from "./state";
import { useRecord } from "./useRecord";

/** `entry` is a payment's id or `promise` for a receipt; without it the copy of the whole visit. */
export function BorrowerCopyPage({ id, entry }: { id: string; entry: string | undefined }): JSX.Element {
  const state = useRecord(id);
  const view = state.kind === "open" ? state.record.view : null;
  const [lender, setLender] = useState<Lender | null>(null);
  const [plans, setPlans] = useState<CopySources["plans"] | null>(null);
  const [receipts, setReceipts] = useState<Receipt[] | null>(null);
  const [chosen, setChosen] = useState<Lang | null>(null);
  const article = useRef<HTMLElement>(null);
  const options = JSON.stringify(view?.talk.options ?? null);
  const heads = view?.heads.join() ?? "";
  useEffect(() => void client.lender().then(setLender), []);
  useEffect(() => {
    if (view) void loadPlans(view).then(setPlans);
  }, [options]);
  useEffect(() => {
    if (heads) void client.receipts(id).then(setReceipts, () => undefined);
  }, [heads]);
  const language = chosen ?? (view && preferredLanguage(view)) ?? lang.value;
  const row = (rows.value ?? []).find((candidate) => candidate.id === id);
  const confirmed = !practising && row?.unsent === 0 && row.problem === null;
  const write = (): Copy | null => {
    if (!view || !lender || !plans || !receipts) return null;
    const sources = { lender, plans, receipts, confirmed, practice: practising, now: clock.value };
    return inLanguage(language, () =>
      entry === undefined ? borrowerCopy(view, sources) : receiptCopy(view, entry, sources),
    );
  };
  const copy = write();
  const missing = entry !== undefined && receipts !== null && view !== null && plans !== null && copy === null;
  return (
    <div class="mx-auto max-w-2xl pb-6 print:max-w-none print:p-0">
      <header class="bg-base-200/95 sticky top-(--banner) z-10 py-2 pt-[max(0.5rem,env(safe-area-inset-top))] pr-3 pl-1 backdrop-blur print:hidden">
        <BackLink href={`/visit/${id}/${entry === "promise" ? "talk" : "record"}`} label={t("copy/back")} />
      </header>
      <main class="flex flex-col gap-4 px-4 pt-1 print:p-0">
        {state.kind === "failed" && <Alert tone="error">{t("error/unknown_record")}</Alert>}
        {missing && lender && <Alert tone="warning">{t("receipt/gone")}</Alert>}
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
        {copy && <CopyActions copy={copy} language={language} article={article} />}
        {copy && <PrintedCopy language={language} copy={copy} article={article} />}
      </main>
    </div>
  );
}
