/** Settings of notices while the app is closed. */
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { t } from "../i18n";
import { Alert } from "../ui/components";
import { formatInput } from "../ui/format";
import {
  DEFAULT_HOURS,
  noticeChoice,
  noticesBlocked,
  noticesSupported,
  turnOffNotices,
  turnOnNotices,
  type NoticeHours,
} from "./notices";
import { explain } from "./state";

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

export function NoticeSettings(): JSX.Element {
  const choice = noticeChoice.value;
  const [hours, setHours] = useState<NoticeHours>(choice ?? DEFAULT_HOURS);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const run = async (work: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setError("");
    try {
      await work();
    } catch (cause) {
      setError(explain(cause));
    }
    setBusy(false);
  };
  const turnOn = async (next: NoticeHours): Promise<void> => {
    if (!(await turnOnNotices(next))) setError(t("notices/blocked"));
  };
  const change = (next: NoticeHours): void => {
    setHours(next);
    if (choice) void run(() => turnOn(next));
  };
  if (!noticesSupported) return <p>{t("notices/unsupported")}</p>;
  return (
    <>
      <p>{t("notices/text")}</p>
      {noticesBlocked() && !error && <p role="status">{t("notices/blocked")}</p>}
      {error && <Alert tone="error">{error}</Alert>}
      <div class="flex gap-3">
        <HourField label={t("notices/from")} value={hours.from} onChange={(from) => change({ ...hours, from })} />
        <HourField label={t("notices/until")} value={hours.until} onChange={(until) => change({ ...hours, until })} />
      </div>
      {hours.from === hours.until && <p class="muted text-sm">{t("notices/any_time")}</p>}
      {choice ? (
        <>
          <p role="status">{t("notices/on")}</p>
          <button type="button" class="btn btn-quiet" disabled={busy} onClick={() => void run(turnOffNotices)}>
            {t("notices/turn_off")}
          </button>
        </>
      ) : (
        <button type="button" class="btn btn-tonal" disabled={busy} onClick={() => void run(() => turnOn(hours))}>
          {t("notices/turn_on")}
        </button>
      )}
    </>
  );
}

function HourField(props: { label: string; value: number; onChange: (hour: number) => void }): JSX.Element {
  const id = useId();
  return (
    <div class="flex flex-1 flex-col gap-1">
      <label for={id} class="text-sm font-medium">
        {props.label}
      </label>
      <select
        id={id}
        class="select w-full"
        value={props.value}
        onChange={(event) => props.onChange(Number(event.currentTarget.value))}
      >
        {HOURS.map((hour) => (
          <option key={hour} value={hour}>
            {formatInput("time", `${String(hour).padStart(2, "0")}:00`)}
          </option>
        ))}
      </select>
    </div>
  );
}
