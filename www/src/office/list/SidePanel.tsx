/** The record with the cursor, beside the list. */
import { X } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { VisitView } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { Alert } from "../../ui/components";
import { formatDate, formatDateTime, formatMoney, formatWindow } from "../../ui/format";
import { api } from "../api";
import { Facts } from "../layout";
import { displayName, explain } from "../state";
import { changes } from "./live";

export function SidePanel({ id, onClose }: { id: string; onClose: () => void }): JSX.Element {
  const [view, setView] = useState<VisitView | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    let current = true;
    api.visit(id).then(
      (next) => {
        if (!current) return;
        setView(next);
        setError(null);
      },
      (cause: unknown) => current && setError(explain(cause)),
    );
    return () => void (current = false);
  }, [id, changes.value]);
  const shown = view?.id === id ? view : null;
  return (
    <aside
      class="bg-base-100 border-base-300 rounded-box flex w-80 shrink-0 flex-col gap-3 overflow-y-auto border p-3 max-lg:absolute max-lg:inset-y-0 max-lg:right-0 max-lg:z-20 max-lg:shadow-xl"
      aria-label={t("office/panel")}
      data-testid="side-panel"
    >
      <div class="flex items-start gap-2">
        <div class="min-w-0 grow">
          <h2 class="section-title truncate">{shown?.case.borrower_name || shown?.case_no || t("app/loading")}</h2>
          {shown && <p class="muted text-sm">{shown.case_no}</p>}
        </div>
        <button type="button" class="btn btn-ghost btn-sm btn-square" aria-label={t("app/close")} onClick={onClose}>
          <X class="size-4" aria-hidden="true" />
        </button>
      </div>
      {error && <Alert tone="error">{error}</Alert>}
      {shown && <Summary view={shown} />}
      <Link href={`/visits/${id}`} class="btn btn-primary btn-sm mt-auto">
        {t("office/open_record")}
      </Link>
    </aside>
  );
}

function Summary({ view }: { view: VisitView }): JSX.Element {
  const { assignment, appointment, talk, review } = view;
  const { currency } = view.case;
  const holds = view.case.flags.map(({ flag }) => word("flag", flag));
  const paid = view.payments.reduce((sum, payment) => sum + payment.amount, 0);
  return (
    <>
      {holds.length > 0 && <Alert tone="warning">{holds.join(", ")}</Alert>}
      {view.conflicts.length > 0 && <Alert tone="error">{t("office/conflicts")}</Alert>}
      <Facts
        rows={[
          [t("office/overdue"), formatMoney(view.case.overdue, currency)],
          [t("office/column/dpd"), String(view.case.days_past_due)],
          [t("office/stage"), word("stage", view.stage)],
          [t("office/review"), review.status !== "pending" && word("review", review.status)],
          [t("office/remark"), review.remark],
          [t("office/collectors"), assignment.collectors.map(displayName).join(", ") || t("office/unassigned")],
          [t("office/due_by"), assignment.due_by && formatDate(assignment.due_by)],
          [word("field", "assignment.priority"), word("priority", String(assignment.priority))],
          [t("office/instructions"), assignment.instructions],
          [t("office/column/address"), view.case.address],
          [
            t("office/appointment"),
            appointment.starts_at !== null && formatWindow(appointment.starts_at, appointment.ends_at),
          ],
          [t("office/outcome"), talk.disposition && word("disposition", talk.disposition)],
          [
            t("office/column/promise"),
            talk.promise && `${formatDate(talk.promise.due_date)} · ${formatMoney(talk.promise.amount, currency)}`,
          ],
          [t("office/column/paid"), paid > 0 && formatMoney(paid, currency)],
          [t("office/column/last_contact"), lastContact(view)],
        ]}
      />
    </>
  );
}

function lastContact(view: VisitView): string {
  const last = view.contacts.reduce<VisitView["contacts"][number] | undefined>(
    (newest, contact) => (newest && newest.at > contact.at ? newest : contact),
    undefined,
  );
  return last ? `${formatDateTime(last.at)} · ${word("outcome", last.outcome)}` : "";
}
