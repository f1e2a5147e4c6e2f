/** What stays of own work that has left this phone: enough to know it again, nothing about a person. */
import { ChevronLeft, CircleCheck, History } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t, word } from "../i18n";
import { deviceZone, formatShortDate, today } from "../ui/format";
import type { Card } from "../wasm/doorstep";
import { usePlace } from "./place";
import { client, rows } from "./state";

export function PastWork(): JSX.Element {
  const [cards, setCards] = useState<Card[] | null>(null);
  const list = rows.value;
  // A record that leaves, or comes back, changes the list too.
  useEffect(() => {
    let live = true;
    // Where it fails the app is being locked, and this page goes.
    void client.pastWork().then(
      (next) => live && setCards(next),
      () => undefined,
    );
    return () => void (live = false);
  }, [list]);
  usePlace(cards !== null, () => 0, "h1");
  useEffect(() => void (document.title = `${t("past/title")} – ${t("app/name")}`));
  return (
    <div class="mx-auto max-w-xl pb-12">
      <header class="bg-base-200/95 sticky top-(--banner) z-10 py-2 pt-[max(0.5rem,env(safe-area-inset-top))] pl-1 backdrop-blur">
        <Link href="/" class="btn btn-ghost gap-0.5 px-2">
          <ChevronLeft class="size-6" aria-hidden="true" />
          {t("list/title")}
        </Link>
      </header>
      <main class="flex flex-col gap-4 px-4">
        <h1 tabIndex={-1} class="px-1 text-2xl font-bold">
          {t("past/title")}
        </h1>
        {cards?.length === 0 && <Empty />}
        {cards !== null && cards.length > 0 && (
          <>
            <p class="muted px-1 text-sm">{t("past/text")}</p>
            <ul class="card-plain divide-base-300 divide-y overflow-hidden p-0">
              {cards.map((card) => (
                <Row key={card.record} card={card} />
              ))}
            </ul>
          </>
        )}
      </main>
    </div>
  );
}

function Row({ card }: { card: Card }): JSX.Element {
  return (
    <li data-testid="past-card" data-id={card.record} class="flex flex-col gap-1 px-4 py-3">
      <span class="flex flex-wrap items-baseline justify-between gap-x-3">
        <span class="min-w-0 text-[1.0625rem] font-semibold">{card.case_no}</span>
        <span class="text-sm">{t("past/visited", { date: dayOf(card.visited_at) })}</span>
      </span>
      <span>{card.disposition ? word("disposition", card.disposition) : t("past/no_outcome")}</span>
      <span class="flex flex-wrap items-center justify-between gap-x-2 text-xs">
        <span class="muted">{t("past/left", { date: dayOf(card.left_at) })}</span>
        {card.accepted ? (
          <span class="pill text-success px-0">
            <CircleCheck class="size-4" aria-hidden="true" />
            {word("state", "accepted")}
          </span>
        ) : (
          <span class="pill muted px-0">{t("past/not_accepted")}</span>
        )}
      </span>
    </li>
  );
}

function Empty(): JSX.Element {
  return (
    <div class="flex flex-col items-center gap-2 py-14 text-center">
      <History class="muted size-12" strokeWidth={1.25} aria-hidden="true" />
      <p class="text-lg font-semibold">{t("past/empty")}</p>
      <p class="muted max-w-xs">{t("past/empty_text")}</p>
    </div>
  );
}

/** The day of a moment where the phone is. */
function dayOf(ms: number): string {
  return formatShortDate(today(deviceZone(), ms));
}
