/** Why work on a record is unsent, and what happens next. */
import type { ListRow, SyncStatus } from "../core/api";
import { problemText, t } from "../i18n";
import { formatDateTime, formatTime } from "../ui/format";
import { clock, expired, status } from "./state";

interface SyncReason {
  why: string;
  next: string;
  /** The user has to act. */
  urgent: boolean;
}

export function syncReason(row: ListRow): SyncReason {
  if (row.problem === "damaged") {
    return { why: t("sync/why_damaged"), next: t("sync/next_damaged"), urgent: true };
  }
  if (row.problem !== null) return { why: t("sync/why_refused"), next: t("sync/next_refused"), urgent: true };
  if (expired.value) return { why: t("sync/why_signed_out"), next: t("sync/next_signed_out"), urgent: true };
  if (row.state === "sending") return { why: t("sync/why_sending"), next: t("sync/next_sending"), urgent: false };
  const state = status.value;
  if (state?.problem && state.state !== "syncing") {
    const offline = state.problem === "offline";
    const why = offline ? t("sync/why_offline") : problemText(state.problem);
    return { why, next: nextAttempt(state), urgent: state.state === "attention" };
  }
  return { why: t("sync/why_waiting"), next: t("sync/next_waiting"), urgent: false };
}

function nextAttempt({ next_attempt_at: at }: SyncStatus): string {
  if (at === null || at <= clock.value) return t("sync/next_retry");
  return t("sync/next_retry_at", { at: formatTime(at) });
}

/** When the oldest unsent change was made, with the date if it was not today. */
export function sinceText(ms: number): string {
  const isToday = new Date(ms).toDateString() === new Date(clock.value).toDateString();
  return t("sync/since", { at: isToday ? formatTime(ms) : formatDateTime(ms) });
}
