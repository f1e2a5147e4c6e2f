/** The alarm and the reminder to check out. */
import { PhoneCall, Siren } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { Alert, Dialog } from "../ui/components";
import { formatTime } from "../ui/format";
import { emergencyNumber, endWatch, extendWatch, EXTENSION_MS, raiseAlarm, safetyState, safetyText } from "./safety";
import { clock } from "./state";

/** Enough to stop an alarm that was tapped by mistake. */
const COUNTDOWN_S = 5;
/** A reminder that was closed without an answer comes back. */
const ASK_AGAIN_MS = 60_000;

/** Counts down and raises the alarm; then says whether the office has it. */
export function AlarmDialog(props: { record: string; zone: string; onClose: () => void }): JSX.Element {
  const { record, zone, onClose } = props;
  const state = safetyState.value;
  const isRaised = state?.record === record && state.alarm_at !== null && !state.ended;
  const [left, setLeft] = useState(COUNTDOWN_S);
  useEffect(() => {
    if (isRaised) return;
    if (left === 0) {
      void raiseAlarm(record);
      return;
    }
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left, isRaised]);
  const number = emergencyNumber(zone);
  return (
    <Dialog title={t("safety/alarm")} onClose={onClose}>
      <div data-testid="alarm" data-state={isRaised ? "raised" : "counting"} class="flex flex-col gap-4">
        {isRaised && state ? (
          <Alert tone={state.confirmed_at === null ? "error" : "info"}>{safetyText(state)}</Alert>
        ) : (
          <p class="text-lg font-semibold" role="status">
            {t("safety/countdown", { n: left })}
          </p>
        )}
        {!isRaised && (
          <div class="choice-grid">
            <button type="button" class="btn btn-error min-h-14 text-lg" onClick={() => setLeft(0)}>
              <Siren class="size-6" aria-hidden="true" />
              {t("safety/send_now")}
            </button>
            <button type="button" class="btn btn-quiet min-h-14" onClick={onClose}>
              {t("app/cancel")}
            </button>
          </div>
        )}
        <a class="btn btn-danger min-h-14 text-lg" href={`tel:${number}`}>
          <PhoneCall class="size-6" aria-hidden="true" />
          {t("safety/call", { number })}
        </a>
        <p class="muted text-sm">{t("safety/alarm_text")}</p>
      </div>
    </Dialog>
  );
}

/** Asks for the check-out once it is due, on whatever page; the office is told some minutes later. */
export function CheckOutReminder(): JSX.Element | null {
  const state = safetyState.value;
  const isDue = state !== null && !state.ended && state.alarm_at === null && clock.value >= state.due_at;
  const [alarm, setAlarm] = useState(false);
  const [closedAt, setClosedAt] = useState(0);
  useEffect(() => {
    if (isDue) navigator.vibrate?.([400, 200, 400, 200, 400]);
  }, [isDue]);
  if (alarm && state) return <AlarmDialog record={state.record} zone="" onClose={() => setAlarm(false)} />;
  if (!isDue || clock.value < closedAt + ASK_AGAIN_MS) return null;
  return (
    <Dialog title={t("safety/are_you_safe")} onClose={() => setClosedAt(Date.now())}>
      <div data-testid="check-out-reminder" class="flex flex-col gap-4">
        <p>{t("safety/was_due", { at: formatTime(state.due_at) })}</p>
        <p class="muted text-sm">{t(state.confirmed_at === null ? "safety/escalates_not" : "safety/escalates")}</p>
        <button type="button" class="btn btn-primary min-h-14" onClick={() => void extendWatch(state)}>
          {t("safety/extend", { n: EXTENSION_MS / 60_000 })}
        </button>
        <button type="button" class="btn btn-quiet min-h-12" onClick={() => void endWatch(state.record)}>
          {t("safety/have_left")}
        </button>
        <button type="button" class="btn btn-danger min-h-12 border-2" onClick={() => setAlarm(true)}>
          <Siren class="size-5" aria-hidden="true" />
          {t("safety/alarm")}
        </button>
      </div>
    </Dialog>
  );
}
