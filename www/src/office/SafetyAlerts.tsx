/** Alarms and overdue check-outs, above every page of the console. */
import { Siren } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t } from "../i18n";
import { Alert } from "../ui/components";
import { formatDateTime } from "../ui/format";
import { api, type SafetyLine } from "./api";
import { mayWrite } from "./state";
import { useRequest } from "./useRequest";

/** How often the office is asked, also while the page is in the background. */
const EVERY_MS = 10_000;

export function SafetyAlerts(): JSX.Element | null {
  const [lines, setLines] = useState<SafetyLine[]>([]);
  const [failed, setFailed] = useState(false);
  const read = (): Promise<void> =>
    api.safety().then(
      (next) => {
        setLines(next);
        setFailed(false);
      },
      () => setFailed(true),
    );
  useEffect(() => {
    void read();
    const timer = setInterval(() => void read(), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const { busy, error, send } = useRequest(() => void read());
  const open = lines.filter(({ state }) => state === "alarm" || state === "overdue");
  if (open.length === 0 && !failed) return null;
  return (
    <section aria-label={t("office/safety/title")} class="mx-auto mb-4 flex max-w-7xl flex-col gap-2 px-4">
      {failed && <Alert tone="warning">{t("office/safety/unknown")}</Alert>}
      {open.map((line) => (
        <div
          key={line.id}
          role="alert"
          data-testid="safety-alert"
          data-state={line.state}
          class={`rounded-box flex flex-wrap items-center gap-3 p-3 ${
            line.state === "alarm" && !line.seen_by ? "bg-error text-error-content" : "bg-warning text-warning-content"
          }`}
        >
          <Siren class="size-6 shrink-0" aria-hidden="true" />
          <div class="min-w-0 grow">
            <p class="font-semibold">{headline(line)}</p>
            <p class="text-sm">
              {typeof line.lat === "number" && typeof line.lon === "number" && (
                <a
                  class="underline"
                  href={`geo:${line.lat},${line.lon}`}
                >{`${line.lat.toFixed(5)}, ${line.lon.toFixed(5)}`}</a>
              )}{" "}
              {t("office/safety/last_word", { at: formatDateTime(line.received_at) })}
              {line.seen_by && ` · ${t("office/safety/seen", { by: line.seen_by })}`}
            </p>
          </div>
          <Link href={`/visits/${line.record}`} class="btn btn-sm min-h-11">
            {t("office/safety/open")}
          </Link>
          {mayWrite() && !line.seen_by && (
            <button
              type="button"
              class="btn btn-sm min-h-11"
              disabled={busy}
              onClick={() => send(() => api.acknowledgeSafety(line.id))}
            >
              {t("office/safety/take")}
            </button>
          )}
        </div>
      ))}
      {error && <Alert tone="error">{error}</Alert>}
    </section>
  );
}

function headline({ state, user, alarm_at, due_at }: SafetyLine): string {
  return state === "alarm"
    ? t("office/safety/alarm", { user, at: formatDateTime(alarm_at ?? 0) })
    : t("office/safety/overdue", { user, at: formatDateTime(due_at) });
}
