/** Fields that a reviewer marks for the collector, and those that the last return marked. */
import { Flag } from "lucide-preact";
import { createContext, type ComponentChildren, type JSX } from "preact";
import { useContext } from "preact/hooks";
import type { ReviewMark } from "../../wasm/doorstep";
import { t } from "../../i18n";
import { pathName } from "../fieldLabels";
import { Card } from "../layout";

export interface Marking {
  /** Marks of the review that is being written, by path. */
  marks: ReadonlyMap<string, string>;
  /** Marks of the return that the collector is working on. */
  returned: readonly ReviewMark[];
  /** Whether the user may mark fields now. */
  enabled: boolean;
  toggle: (path: string) => void;
}

export const MarkingContext = createContext<Marking>({
  marks: new Map(),
  returned: [],
  enabled: false,
  toggle: () => undefined,
});

/** A button that marks a field, and the note that a return left on it. */
export function MarkButton({ path, label }: { path: string; label?: string }): JSX.Element | null {
  const { marks, returned, enabled, toggle } = useContext(MarkingContext);
  const marked = marks.has(path);
  const note = returned.find((mark) => mark.path === path)?.note;
  if (note !== undefined) {
    return (
      <span class="bg-warning text-warning-content rounded-field px-2 py-0.5 text-xs" data-testid="returned-mark">
        {note}
      </span>
    );
  }
  if (!enabled) return null;
  const name = t(marked ? "office/reading/unmark" : "office/reading/mark", { field: label ?? pathName(path) });
  return (
    <button
      type="button"
      class={`rounded-field grid size-7 shrink-0 place-items-center border ${
        marked ? "bg-warning text-warning-content border-transparent" : "muted border-transparent hover:border-base-300"
      }`}
      aria-pressed={marked}
      aria-label={name}
      title={name}
      data-mark={path}
      onClick={() => toggle(path)}
    >
      <Flag class="size-4" fill={marked ? "currentColor" : "none"} aria-hidden="true" />
    </button>
  );
}

/** Facts of a record by path, each of which can be marked; rows without a value are left out. */
export function MarkedFacts({
  rows,
}: {
  rows: [path: string, value: ComponentChildren, label?: string][];
}): JSX.Element {
  const shown = rows.filter(([, value]) => value !== null && value !== "" && value !== undefined && value !== false);
  if (shown.length === 0) return <p class="muted text-sm">{t("office/nothing_yet")}</p>;
  return (
    <dl class="grid grid-cols-[minmax(6rem,auto)_1fr] gap-x-4 gap-y-0.5 text-sm">
      {shown.map(([path, value, label]) => (
        <>
          <dt class="muted content-center">{label ?? pathName(path)}</dt>
          <dd class="flex min-h-7 min-w-0 flex-wrap items-center gap-x-2">
            <span class="min-w-0 whitespace-pre-line">{value}</span>
            <MarkButton path={path} />
          </dd>
        </>
      ))}
    </dl>
  );
}

/** A card whose content is marked as one. */
export function MarkedCard(props: { title: string; path: string; children: ComponentChildren }): JSX.Element {
  return (
    <Card title={props.title} action={<MarkButton path={props.path} />}>
      {props.children}
    </Card>
  );
}
