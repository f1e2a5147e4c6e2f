/** How far work on many records is, what became of each, and its undo. On every page. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t } from "../../i18n";
import { Dialog } from "../../ui/components";
import { job, retry, run, undoing, type Job, type Outcome } from "./bulk";

const count = ({ outcomes }: Job, ...of: Outcome[]): number =>
  outcomes.filter((outcome) => of.includes(outcome)).length;

export function BulkStatus(): JSX.Element | null {
  const [details, setDetails] = useState(false);
  const { value } = job;
  if (!value) return null;
  const all = value.changes.length;
  const done = count(value, "done", "unchanged");
  const failed = count(value, "moved", "refused", "unsent");
  const back = value.running || value.undoes ? [] : undoing(value);
  return (
    <section
      class="bg-base-100 border-base-300 rounded-box fixed right-4 bottom-20 z-30 flex max-w-[min(36rem,calc(100vw-2rem))] flex-wrap items-center gap-3 border p-3 text-sm shadow-xl"
      aria-label={t("office/bulk/progress")}
      data-testid="bulk-status"
      data-state={value.running ? "running" : failed > 0 ? "failed" : "done"}
    >
      <p role="status" class="grow">
        {value.running
          ? t("office/bulk/running", { done: all - count(value, "waiting"), n: all })
          : t(value.undoes ? "office/bulk/undone" : "office/bulk/done", { done, n: all })}
        {failed > 0 && <strong class="text-error"> {t("office/bulk/failed", { n: failed })}</strong>}
      </p>
      {value.running && (
        <progress class="progress progress-primary w-full" max={all} value={all - count(value, "waiting")} />
      )}
      {failed > 0 && (
        <button type="button" class="btn btn-sm btn-outline" onClick={() => setDetails(true)}>
          {t("office/bulk/show")}
        </button>
      )}
      {!value.running && count(value, "unsent") > 0 && (
        <button type="button" class="btn btn-sm btn-primary" onClick={() => void retry()}>
          {t("office/bulk/retry")}
        </button>
      )}
      {back.length > 0 && (
        <button type="button" class="btn btn-sm btn-outline" onClick={() => void run(back, true)}>
          {t("office/bulk/undo")}
        </button>
      )}
      {!value.running && (
        <button type="button" class="btn btn-sm btn-ghost" onClick={() => (job.value = null)}>
          {t("app/close")}
        </button>
      )}
      {details && <Failures job={value} onClose={() => setDetails(false)} />}
    </section>
  );
}

function Failures({ job: { changes, outcomes, reasons }, onClose }: { job: Job; onClose: () => void }): JSX.Element {
  return (
    <Dialog title={t("office/bulk/failures")} onClose={onClose}>
      <ul class="flex flex-col gap-2 text-sm" data-testid="bulk-failures">
        {changes.map(({ row }, at) => {
          const outcome = outcomes[at];
          if (outcome !== "moved" && outcome !== "refused" && outcome !== "unsent") return null;
          return (
            <li key={row.id} class="border-base-300 border-b pb-2">
              <Link href={`/visits/${row.id}`} class="link font-medium" onClick={onClose}>
                {row.case_no} {row.borrower_name}
              </Link>
              <p class="muted">
                {outcome === "moved" ? t("office/bulk/moved") : (reasons.get(at) ?? t("office/bulk/unsent"))}
              </p>
            </li>
          );
        })}
      </ul>
    </Dialog>
  );
}
