/** The timeline of a visit: device time and office time side by side. */
import { TriangleAlert } from "lucide-preact";
import type { JSX } from "preact";
import type { VisitView } from "../../wasm/doorstep";
import { t } from "../../i18n";
import { formatDateTime, formatSpan } from "../../ui/format";
import type { ReceivedEntry } from "../api";
import { Card } from "../layout";
import { MarkButton } from "./marks";
import { knownSkew, timelineOf, type TimelineEvent } from "./timeline";

/** A skew that shifts no conclusion. */
const SKEW_MS = 60_000;

export function Timeline({ view, history }: { view: VisitView; history: ReceivedEntry[] }): JSX.Element {
  const events = timelineOf(view, history);
  const skew = knownSkew(view);
  const zone = view.visit.zone || view.case.zone;
  return (
    <Card title={t("office/reading/timeline")}>
      {skew !== null && Math.abs(skew) >= SKEW_MS && (
        <p class="text-sm" data-testid="skew">
          {t(skew > 0 ? "office/reading/skew_ahead" : "office/reading/skew_behind", {
            span: formatSpan(Math.abs(skew)),
          })}
        </p>
      )}
      {events.length === 0 ? (
        <p class="muted text-sm">{t("office/nothing_yet")}</p>
      ) : (
        <div class="-mx-1 overflow-x-auto px-1" tabIndex={0} role="region" aria-label={t("office/reading/timeline")}>
          <table class="table-sm table [&_td]:px-2 [&_th]:px-2 [&_th]:text-base-content" data-testid="timeline">
            <thead>
              <tr>
                <th scope="col">{t("office/reading/event")}</th>
                <th scope="col">{t("office/reading/device_time")}</th>
                <th scope="col">{t("office/reading/office_time")}</th>
              </tr>
            </thead>
            <tbody>
              {events.map((event) => (
                <Row key={`${event.path}.${event.at}.${event.title}`} event={event} zone={zone} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {zone && <p class="muted text-xs">{t("appointment/zone", { zone })}</p>}
    </Card>
  );
}

function Row({ event, zone }: { event: TimelineEvent; zone: string }): JSX.Element {
  const own = event.path === "" && event.received === event.at;
  return (
    <tr class="align-top" data-event={event.path}>
      <td class="min-w-40">
        <div class="flex items-center gap-1">
          <span class="font-medium">{event.title}</span>
          {event.path && <MarkButton path={event.path} label={event.title} />}
        </div>
        <div class="muted text-xs">{[event.by, event.detail].filter(Boolean).join(" · ")}</div>
        {event.warnings.map((warning) => (
          <div
            key={warning}
            class="bg-warning text-warning-content mt-1 inline-flex items-center gap-1 rounded px-1.5 text-xs"
          >
            <TriangleAlert class="size-3.5 shrink-0" aria-hidden="true" />
            {warning}
          </div>
        ))}
      </td>
      <td class="whitespace-nowrap tabular-nums">{own ? "–" : formatDateTime(event.at, zone)}</td>
      <td class="whitespace-nowrap tabular-nums">
        {event.received === null ? "–" : formatDateTime(event.received, zone)}
        {event.remark && <div class="muted text-xs">{event.remark}</div>}
      </td>
    </tr>
  );
}
