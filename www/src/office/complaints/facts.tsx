/** Parts of a complaint that list and page share. */
import type { JSX } from "preact";
import { t } from "../../i18n";
import { formatDateTime, formatSpan } from "../../ui/format";
import type { ComplaintRow } from "../api";

export const SOURCES = ["phone", "letter", "door", "other"] as const;
export const TOPICS = ["conduct", "disclosure", "amount", "time", "other", "unknown"] as const;
export const OUTCOMES = ["upheld", "partly_upheld", "rejected", "withdrawn"] as const;

/** Less time than this is short. */
const SOON_MS = 3 * 24 * 3_600_000;

/** The deadline, with the time that is left or over. */
export function DeadlineText({ complaint }: { complaint: ComplaintRow }): JSX.Element {
  const { deadline_at, closed_at, late } = complaint;
  const left = deadline_at - Date.now();
  const tone = late ? "bg-error text-error-content" : left < SOON_MS ? "bg-warning text-warning-content" : "muted";
  const span = formatSpan(Math.abs((closed_at ?? Date.now()) - deadline_at));
  const key = late ? "office/complaints/late_by" : closed_at === null ? "office/complaints/left" : null;
  return (
    <>
      {formatDateTime(deadline_at)}
      {complaint.extended_from !== null && <span class="badge badge-sm ml-2">{t("office/complaints/extended")}</span>}
      {key && (closed_at === null || late) && (
        <span class={`ml-2 rounded-full px-2 text-xs ${tone}`}>{t(key, { span })}</span>
      )}
    </>
  );
}

/** Whether it was answered, or how it was decided. */
export function Outcome({ complaint }: { complaint: ComplaintRow }): JSX.Element {
  const { outcome, replied_at } = complaint;
  if (outcome !== null) return <>{t(`office/complaints/outcome_${outcome}`)}</>;
  return <>{t(replied_at === null ? "office/complaints/unanswered" : "office/complaints/answered")}</>;
}
