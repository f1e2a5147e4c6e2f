/** Fields that a step still lacks, as links to their controls, and fields that a return marked. */
import { signal } from "@preact/signals";
import { CircleCheck, Flag } from "lucide-preact";
import { createContext, type ComponentChildren, type JSX } from "preact";
import { useContext, useEffect } from "preact/hooks";
import type { ReviewMark, StepView } from "../wasm/doorstep";
import { t } from "../i18n";
import { fieldName } from "../ui/format";

/** Marks the controls of one or more fields, by path, for `focusField`. */
export function FieldAnchor(props: { paths: readonly string[]; children: ComponentChildren }): JSX.Element {
  const marks = useContext(ReviewMarks);
  const own = marks.filter(({ path }) => props.paths.includes(path));
  return (
    <div data-field={props.paths.join(" ")} class="flex scroll-mt-20 flex-col gap-4">
      {own.map(({ path, note }) => (
        <p
          key={path}
          class="bg-warning text-warning-content rounded-field flex gap-2 px-3 py-2 text-sm"
          data-testid="review-mark"
          data-path={path}
        >
          <Flag class="mt-0.5 size-4 shrink-0" aria-hidden="true" />
          <span>
            <strong class="font-semibold">{fieldName(path)}</strong>: {note}
          </span>
        </p>
      ))}
      {own.length === 0 ? (
        props.children
      ) : (
        // An anchor inside this one does not repeat them.
        <ReviewMarks.Provider value={marks.filter((mark) => !own.includes(mark))}>
          {props.children}
        </ReviewMarks.Provider>
      )}
    </div>
  );
}

/** The fields that the office marked as it returned the record. */
export const ReviewMarks = createContext<readonly ReviewMark[]>([]);

/** The field whose control is hidden and was asked for; the part of the page that has it shows it. */
const revealed = signal<string | null>(null);

/** Calls `reveal` when a link leads to a hidden control of this part of the page, then focuses it. */
export function useReveal(reveal: (path: string) => void): void {
  const path = revealed.value;
  useEffect(() => {
    if (path === null) return;
    revealed.value = null;
    reveal(path);
    setTimeout(() => focusControl(path));
  }, [path]);
}

/** Shows the control of a field once the step that has it is on the page. */
export function revealField(path: string): void {
  revealed.value = path;
}

/** Scrolls to the control of a field on this page and focuses it. */
export function focusField(event: Event, path: string): void {
  event.preventDefault();
  if (!focusControl(path)) revealed.value = path;
}

function focusControl(path: string): boolean {
  const anchor = document.querySelector(`[data-field~="${CSS.escape(path)}"]`);
  anchor?.scrollIntoView({ block: "center", behavior: "smooth" });
  anchor
    ?.querySelector<HTMLElement>("button[tabindex='0'], button:not([tabindex]), input, select, textarea")
    ?.focus({ preventScroll: true });
  return anchor !== null;
}

export function MissingFields({ step }: { step: StepView | undefined }): JSX.Element | null {
  if (!step) return null;
  if (step.done) {
    return (
      <p class="text-success flex items-center gap-2 text-sm font-medium" role="status">
        <CircleCheck class="size-5" aria-hidden="true" />
        {t("record/done")}
      </p>
    );
  }
  return (
    <div class="flex flex-wrap items-center gap-x-0.5 py-1.5 text-sm" role="status">
      <span class="muted pr-1.5">{t("record/missing")}</span>
      {step.missing.map((path) => (
        <a
          key={path}
          href={`#${path}`}
          class="rounded-field decoration-base-content/40 -my-1.5 inline-flex min-h-11 items-center px-1.5 font-medium underline underline-offset-4"
          onClick={(event) => focusField(event, path)}
        >
          {fieldName(path)}
        </a>
      ))}
    </div>
  );
}
