/** The queues with their sizes, beside every list; on narrow windows a menu in their place. */
import type { JSX } from "preact";
import { Link, useLocation } from "wouter-preact";
import { formatCount } from "../../ui/format";
import { t, type TextKey } from "../../i18n";
import { queueCounts } from "./live";
import { SavedViews } from "./SavedViews";
import { queueAddress, type Queue, QUEUES } from "./query";

/** Queues that belong together, with a line between them. */
const GROUPS: readonly (readonly Queue[])[] = [
  ["unassigned", "due_today", "overdue"],
  ["to_review", "to_audit", "returned", "in_conflict"],
  ["promises_due", "promises_broken"],
  ["holds", "complaints", "conduct_failed", "conduct_unknown"],
];

/** Queues whose records need attention now. */
const URGENT: readonly Queue[] = ["overdue", "promises_broken", "complaints", "conduct_failed"];

export function Sidebar({ queue, search }: { queue: Queue | undefined; search: string }): JSX.Element {
  const counts = queueCounts.value;
  return (
    <nav
      class="hidden w-52 shrink-0 flex-col gap-3 overflow-y-auto lg:flex"
      aria-label={t("office/queues")}
      data-testid="queues"
    >
      <ul class="flex flex-col">
        <Entry href="/" label={t("office/all_records")} current={queue === undefined} />
      </ul>
      {GROUPS.map((group) => (
        <ul key={group[0]} class="border-base-300 flex flex-col border-t pt-2">
          {group.map((name) => (
            <Entry
              key={name}
              href={queueAddress(name)}
              testId={name}
              label={t(`office/queue/${name}`)}
              count={sizeOf(name)}
              urgent={URGENT.includes(name)}
              current={queue === name}
            />
          ))}
        </ul>
      ))}
      <ul class="border-base-300 flex flex-col border-t pt-2">
        <Entry href="/approvals" testId="proposals" label={t("office/queue/proposals")} count={counts?.proposals} />
        <Entry
          href="/quarantine"
          testId="quarantined"
          label={t("office/queue/quarantined")}
          count={counts?.quarantined}
        />
        <Entry
          href="/people"
          testId="out_of_touch"
          label={t("office/queue/out_of_touch")}
          count={counts?.devices_out_of_touch}
        />
      </ul>
      <SavedViews search={search} />
    </nav>
  );
}

const sizeOf = (queue: Queue): number | undefined =>
  queueCounts.value?.queues.find((line) => line.queue === queue)?.count;

/** A bounded number: the office counts no further. */
function countText(count: number): string {
  const max = queueCounts.value?.max ?? Infinity;
  return count < max ? formatCount(count) : `${formatCount(max - 1)}+`;
}

function Entry(props: {
  href: string;
  label: string;
  testId?: string;
  count?: number | undefined;
  urgent?: boolean;
  current?: boolean;
}): JSX.Element {
  const { count, current } = props;
  const empty = count === 0;
  const tone = props.urgent && !empty ? "text-error font-semibold" : empty ? "muted" : "font-medium";
  return (
    <li>
      <Link
        href={props.href}
        class={`rounded-field flex min-h-8 items-center justify-between gap-2 px-2 py-1 text-sm ${
          current ? "bg-base-300 font-semibold" : "hover:bg-base-300/60"
        }`}
        aria-current={current ? "page" : undefined}
        data-testid={props.testId && `queue-${props.testId}`}
        data-count={count}
      >
        <span class="min-w-0 truncate">{props.label}</span>
        {count !== undefined && <span class={`text-xs tabular-nums ${tone}`}>{countText(count)}</span>}
      </Link>
    </li>
  );
}

/** The same as a menu, where there is no room for the sidebar. */
export function QueueSelect({ queue }: { queue: Queue | undefined }): JSX.Element {
  const [, go] = useLocation();
  const option = (name: Queue): string => {
    const count = sizeOf(name);
    const label = t(`office/queue/${name}` as TextKey);
    return count === undefined ? label : `${label} (${countText(count)})`;
  };
  return (
    <select
      class="select select-sm w-44 lg:hidden"
      aria-label={t("office/queues")}
      value={queue ?? ""}
      onChange={(event) => go(queueAddress(event.currentTarget.value as Queue | ""))}
    >
      <option value="">{t("office/all_records")}</option>
      {QUEUES.map((name) => (
        <option key={name} value={name}>
          {option(name)}
        </option>
      ))}
    </select>
  );
}
