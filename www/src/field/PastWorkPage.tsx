/** Summaries of the user's own records that have left this phone; they contain nothing about a person. */
import { ChartNoAxesColumn, CircleCheck, History } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t, word } from "../i18n";
import { deviceZone, formatShortDate, today } from "../ui/format";
import type { Card } from "../wasm/doorstep";
import { EmptyState } from "./EmptyState";
import { usePagePosition } from "./pagePosition";
import { SubPage } from "./SubPage";
import { client, rows } from "./state";

export function PastWorkPage(): JSX.Element {
  const [cards, setCards] = useState<Card[] | null>(null);
  const list = rows.value;
  // Records leaving or returning change the list.
  useEffect(() => {
    let live = true;
    // This fails while the app locks, which removes this page.
    void client.pastWork().then(
      (next) => live && setCards(next),
      () => undefined,
    );
    return () => void (live = false);
  }, [list]);
  usePagePosition(cards !== null, () => 0, "h1");
  return (
    <SubPage title={t("past/title")}>
      <Link href="/figures" class="btn btn-quiet gap-2 self-center rounded-full px-5">
        <ChartNoAxesColumn class="size-5" aria-hidden="true" />
        {t("figures/title")}
      </Link>
      {cards?.length === 0 && <NoPastWork />}
      {cards !== null && cards.length > 0 && (
        <>
          <p class="muted px-1 text-sm">{t("past/text")}</p>
          <ul class="card-plain divide-base-300 divide-y overflow-hidden p-0">
            {cards.map((card) => (
              <PastWorkItem key={card.record} card={card} />
            ))}
          </ul>
        </>
      )}
    </SubPage>
  );
}

function PastWorkItem({ card }: { card: Card }): JSX.Element {
  return (
    <li data-testid="past-card" data-id={card.record} class="flex flex-col gap-1 px-4 py-3">
      <span class="flex flex-wrap items-baseline justify-between gap-x-3">
        <span class="min-w-0 text-[1.0625rem] font-semibold">{card.case_no}</span>
        <span class="text-sm">{t("past/visited", { date: dateOf(card.visited_at) })}</span>
      </span>
      <span>{card.disposition ? word("disposition", card.disposition) : t("past/no_outcome")}</span>
      <span class="flex flex-wrap items-center justify-between gap-x-2 text-xs">
        <span class="muted">{t("past/left", { date: dateOf(card.left_at) })}</span>
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

function NoPastWork(): JSX.Element {
  return (
    <EmptyState Icon={History} title={t("past/empty")}>
      <p class="muted max-w-xs">{t("past/empty_text")}</p>
    </EmptyState>
  );
}

/** The date of a time in the phone's time zone. */
function dateOf(ms: number): string {
  return formatShortDate(today(deviceZone(), ms));
}
