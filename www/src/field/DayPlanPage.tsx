/** Today's visits in an order that keeps agreed times and lawful windows, as a sketch and a list. */
import { Footprints, LocateFixed, Navigation, TriangleAlert } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { ListRow } from "../core/api";
import type { PlannedStop } from "../wasm/doorstep";
import { lang, t } from "../i18n";
import { Alert, useBusy } from "../ui/components";
import { formatDistance, formatTime } from "../ui/format";
import { MAX_STOPS, navigationLink, visitsOf } from "./dayPlan";
import { DaySketch, type Point } from "./DaySketch";
import { EmptyState } from "./EmptyState";
import { dayOf } from "./listSections";
import { usePagePosition } from "./pagePosition";
import { client, date, explain, rows } from "./state";
import { SubPage } from "./SubPage";
import { nextText } from "./VisitRow";

export function DayPlanPage(): JSX.Element {
  usePagePosition(true, () => 0, "h1");
  // Kept in memory while the page is open, and nowhere else.
  const [start, setStart] = useState<Point | null>(null);
  const [plan, setPlan] = useState<PlannedStop[] | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const visits = visitsOf(rows.value ?? [], dayOf(date.value));
  const byId = new Map(visits.map((row) => [row.id, row]));
  // Only what a plan depends on: an edit elsewhere does not make a new one.
  const key = visits.map(({ id, starts_at, ends_at, appointment_status: status }) => [id, starts_at, ends_at, status]);
  useEffect(() => {
    let current = true;
    client.dayPlan(visits.map(({ id }) => id).slice(0, MAX_STOPS), start).then(
      (next) => current && setPlan(next),
      (cause: unknown) => current && setFailed(explain(cause)),
    );
    return () => void (current = false);
  }, [JSON.stringify(key), start]);
  const stops = (plan ?? []).filter(({ stop }) => byId.has(stop.id));
  const nameOf = (id: string | null): string => (id === null ? "" : (byId.get(id)?.borrower_name ?? ""));
  const unlocated = stops.filter(({ stop }) => stop.lat === null || stop.lon === null).length;
  return (
    <SubPage title={t("plan_day/title")}>
      {failed && <Alert tone="error">{failed}</Alert>}
      {plan === null && !failed && <p class="muted">{t("app/loading")}</p>}
      {plan !== null && stops.length === 0 && (
        <EmptyState Icon={Footprints} title={t("plan_day/empty")}>
          <p class="muted max-w-xs">{t("plan_day/empty_text")}</p>
        </EmptyState>
      )}
      {stops.length > 0 && (
        <>
          <DaySketch stops={stops} start={start} nameOf={nameOf} />
          {unlocated > 0 && <p class="muted text-sm">{t("plan_day/unlocated", { n: unlocated })}</p>}
          <StartButton onFound={setStart} found={start !== null} />
          <ol class="flex flex-col gap-3" data-testid="day-plan">
            {stops.map((planned, at) => {
              const row = byId.get(planned.stop.id);
              return row && <Stop key={row.id} number={at + 1} planned={planned} row={row} nameOf={nameOf} />;
            })}
          </ol>
          {visits.length > MAX_STOPS && <p class="muted text-sm">{t("plan_day/more", { n: MAX_STOPS })}</p>}
          <p class="muted text-sm">{t("plan_day/assumed")}</p>
        </>
      )}
    </SubPage>
  );
}

function StartButton({ onFound, found }: { onFound: (at: Point) => void; found: boolean }): JSX.Element {
  const [busy, run] = useBusy();
  const [failed, setFailed] = useState(false);
  const locate = (): Promise<void> =>
    run(async () => {
      const point = await currentPoint();
      setFailed(point === null);
      if (point) onFound(point);
    });
  return (
    <div class="flex flex-col gap-1.5">
      <button type="button" class="btn btn-quiet" disabled={busy} onClick={() => void locate()}>
        <LocateFixed class="size-5" aria-hidden="true" />
        {t(found ? "plan_day/locate_again" : "plan_day/locate")}
      </button>
      <p class="muted text-sm">{t(failed ? "site/unavailable" : "plan_day/locate_why")}</p>
    </div>
  );
}

interface StopProps {
  number: number;
  planned: PlannedStop;
  row: ListRow;
  nameOf: (id: string | null) => string;
}

function Stop({ number, planned, row, nameOf }: StopProps): JSX.Element {
  const { stop, begins_at, metres, warning, after } = planned;
  const window = (from: number | null, until: number | null): string =>
    from === null || until === null ? "" : `${formatTime(from)} – ${formatTime(until)}`;
  const agreed = window(stop.agreed_from, stop.agreed_until);
  const lawful = window(stop.lawful_from, stop.lawful_until);
  return (
    <li class="card-plain flex flex-col gap-2.5" data-testid="stop" data-warning={warning ?? ""}>
      <div class="flex items-start gap-3">
        <span class="bg-primary text-primary-content grid size-8 shrink-0 place-items-center rounded-full font-semibold tabular-nums">
          {number}
        </span>
        <div class="min-w-0 grow">
          <div class="flex flex-wrap items-baseline justify-between gap-x-3">
            <h2 class="font-semibold wrap-anywhere">{row.borrower_name || row.case_no}</h2>
            {begins_at !== null && (
              <span class="tabular-nums">{t("plan_day/about", { at: formatTime(begins_at) })}</span>
            )}
          </div>
          <p class="muted text-sm">{row.address}</p>
        </div>
      </div>
      <p class="text-sm" data-lang={lang.value}>
        {[
          agreed && t("plan_day/agreed", { window: agreed }),
          lawful ? t("plan_day/lawful", { window: lawful }) : t("plan_day/no_lawful"),
          metres !== null && t("plan_day/way", { distance: formatDistance(metres) }),
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      <p class="text-sm font-medium">{nextText(row, true, date.value)}</p>
      {warning && (
        <p class="text-error flex gap-2 text-sm font-medium" data-testid="plan-warning">
          <TriangleAlert class="mt-0.5 size-4 shrink-0" aria-hidden="true" />
          {warning === "too_late" && after !== null
            ? t("plan_day/too_late_after", { name: nameOf(after) })
            : t(`plan_day/${warning}`)}
        </p>
      )}
      <div class="flex flex-wrap gap-2">
        <a class="btn btn-tonal grow" href={navigationLink(row.address, stop)} rel="noreferrer">
          <Navigation class="size-5" aria-hidden="true" />
          {t("plan_day/navigate")}
        </a>
        <Link class="btn btn-quiet grow" href={`/visit/${row.id}`}>
          {t("plan_day/open")}
        </Link>
      </div>
    </li>
  );
}

function currentPoint(): Promise<Point | null> {
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ lat: coords.latitude, lon: coords.longitude }),
      () => resolve(null),
      { enableHighAccuracy: false, timeout: 10_000, maximumAge: 60_000 },
    );
  });
}
