/** Verifies the code of a receipt that a borrower reads out or shows. */
import { CircleAlert, CircleCheck } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t, word } from "../i18n";
import { TextField, useBusy } from "../ui/components";
import { formatDate, formatDateTime, formatMoney } from "../ui/format";
import { api, ApiError, type ReceiptCheck } from "./api";
import { Facts, PageTitle } from "./layout";
import { explain } from "./state";

type Answer =
  | { kind: "genuine"; receipt: ReceiptCheck }
  | { kind: "unknown" }
  /** The code was misread, or the office cannot be asked. */
  | { kind: "failed"; text: string };

export function ReceiptPage(): JSX.Element {
  const [caseNo, setCaseNo] = useState("");
  const [code, setCode] = useState("");
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [busy, run] = useBusy();
  const edit =
    (set: (text: string) => void) =>
    (text: string): void => {
      // An answer belongs to the code that was asked about.
      setAnswer(null);
      set(text);
    };
  const verify = (event: Event): void => {
    event.preventDefault();
    void run(async () => {
      try {
        setAnswer({ kind: "genuine", receipt: await api.receipt(caseNo.trim(), code.trim()) });
      } catch (cause) {
        const unknown = cause instanceof ApiError && cause.code === "unknown_receipt";
        setAnswer(unknown ? { kind: "unknown" } : { kind: "failed", text: explain(cause) });
      }
    });
  };
  return (
    <div class="flex max-w-2xl flex-col gap-4">
      <PageTitle>{t("office/receipt/title")}</PageTitle>
      <p>{t("office/receipt/text")}</p>
      <form class="card-plain flex flex-col gap-4" onSubmit={verify}>
        <TextField label={word("field", "case_no")} value={caseNo} onInput={edit(setCaseNo)} />
        <TextField label={t("office/receipt/code")} value={code} onInput={edit(setCode)} />
        <button type="submit" class="btn btn-primary" disabled={busy || !caseNo.trim() || !code.trim()}>
          {t("office/receipt/verify")}
        </button>
      </form>
      <div aria-live="polite">{answer && <Result answer={answer} />}</div>
    </div>
  );
}

function Result({ answer }: { answer: Answer }): JSX.Element {
  const genuine = answer.kind === "genuine";
  const Icon = genuine ? CircleCheck : CircleAlert;
  const title = {
    genuine: t("office/receipt/genuine"),
    unknown: t("office/receipt/unknown"),
    failed: t("office/receipt/not_checked"),
  }[answer.kind];
  return (
    <section
      class={`card-plain flex flex-col gap-3 border-l-4 ${genuine ? "border-l-success" : "border-l-warning"}`}
      data-testid="receipt-result"
      data-state={answer.kind}
    >
      <h2 class="section-title flex items-center gap-2">
        <Icon class={`size-6 shrink-0 ${genuine ? "text-success" : "text-error"}`} aria-hidden="true" />
        {title}
      </h2>
      {answer.kind === "failed" && <p>{answer.text}</p>}
      {answer.kind === "unknown" && <p class="whitespace-pre-line">{t("office/receipt/unknown_text")}</p>}
      {answer.kind === "genuine" && <Genuine receipt={answer.receipt} />}
    </section>
  );
}

function Genuine({ receipt }: { receipt: ReceiptCheck }): JSX.Element {
  const { kind, paid_at, due_date, received_at } = receipt;
  return (
    <>
      <p>{t("office/receipt/compare")}</p>
      {!receipt.current && <p class="font-semibold">{t("office/receipt/replaced")}</p>}
      <Facts
        rows={[
          [t("office/receipt/kind"), t(kind === "payment" ? "office/receipt/payment" : "office/receipt/promise")],
          [t("receipt/amount"), formatMoney(receipt.amount, receipt.currency)],
          [t("receipt/paid_at"), typeof paid_at === "number" && formatDateTime(paid_at)],
          [t("receipt/due_date"), due_date && formatDate(due_date)],
          [t("receipt/channel"), receipt.channel],
          [word("field", "case.borrower_name"), receipt.borrower_name],
          [word("field", "case_no"), receipt.case_no],
          [t("receipt/by"), receipt.by],
          [t("office/receipt/received"), typeof received_at === "number" && formatDateTime(received_at)],
        ]}
      />
      <Link href={`/visits/${receipt.record}`} class="link">
        {t("office/receipt/open")}
      </Link>
    </>
  );
}
