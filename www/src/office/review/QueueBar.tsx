/** The way back to the list, and to the records beside this one in it. */
import { ChevronLeft, ChevronRight } from "lucide-preact";
import type { JSX } from "preact";
import { Link, useLocation } from "wouter-preact";
import { t } from "../../i18n";
import { useNeighbours } from "./queue";
import { Key } from "./ReviewPanel";
import { useShortcuts } from "./shortcuts";

export function QueueBar({ id, search }: { id: string; search: string }): JSX.Element {
  const [, go] = useLocation();
  const found = useNeighbours(id, search);
  const list = search ? `/?${search}` : "/";
  const address = (other: string | null | undefined): string | null =>
    other ? `/visits/${other}${search && `?${search}`}` : null;
  const next = address(found?.next);
  const previous = address(found?.previous);
  const follow = (to: string | null): void => {
    if (to) go(to);
  };
  useShortcuts({
    n: () => follow(next),
    j: () => follow(next),
    p: () => follow(previous),
    k: () => follow(previous),
  });
  return (
    <nav class="flex flex-wrap items-center gap-1" aria-label={t("office/reading/queue")}>
      <Link href={list} class="btn btn-ghost">
        ‹ {t("office/back_to_list")}
      </Link>
      <span class="grow" />
      {found?.position && (
        <span class="muted px-2 text-sm tabular-nums" data-testid="queue-position">
          {t("office/reading/position", { n: found.position, total: found.total })}
        </span>
      )}
      <Neighbour to={previous} label={t("office/reading/previous")} shortcut="K">
        <ChevronLeft class="size-5" aria-hidden="true" />
      </Neighbour>
      <Neighbour to={next} label={t("office/reading/next")} shortcut="J">
        <ChevronRight class="size-5" aria-hidden="true" />
      </Neighbour>
    </nav>
  );
}

function Neighbour(props: { to: string | null; label: string; shortcut: string; children: JSX.Element }): JSX.Element {
  const { to, label, shortcut, children } = props;
  const content = (
    <>
      {shortcut === "K" && children}
      {label}
      <Key name={shortcut} />
      {shortcut === "J" && children}
    </>
  );
  if (to === null) {
    return (
      <button type="button" class="btn btn-ghost" disabled>
        {content}
      </button>
    );
  }
  return (
    <Link href={to} class="btn btn-ghost" aria-keyshortcuts={shortcut}>
      {content}
    </Link>
  );
}
