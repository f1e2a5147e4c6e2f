/** The bar for leaving, at the foot of every step while a visit is under way: one tap, wherever the collector is. */
import { DoorOpen, ShieldAlert } from "lucide-preact";
import type { JSX } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { t } from "../../i18n";
import { undoCommands } from "../undoCommands";
import type { OpenRecord } from "../useRecord";

export function LeaveBar({ record }: { record: OpenRecord }): JSX.Element | null {
  const { view, readOnly, apply, applyWithUndo } = record;
  const { visit } = view;
  const underWay = visit.departed_at !== null || visit.arrived_at !== null;
  const shown = !readOnly && underWay && visit.left_at === null;
  // Notices must not cover it.
  useLayoutEffect(() => {
    if (!shown) return;
    const { style } = document.documentElement;
    style.setProperty("--leave-bar", "4rem");
    return () => style.setProperty("--leave-bar", "0px");
  }, [shown]);
  if (!shown) return null;
  const leave = (): void =>
    void applyWithUndo({ do: "edit_visit", left_at: Date.now() }, t("site/left_done"), [
      { do: "clear", paths: ["visit.left_at"] },
    ]);
  const leaveSafely = async (): Promise<void> => {
    const { disposition } = view.talk;
    // The outcome first: if the second command is lost, the record still has the reason.
    if (!(await apply({ do: "edit_talk", disposition: "safety_withdrawn" }))) return;
    await applyWithUndo({ do: "edit_visit", left_at: Date.now() }, t("site/safety_done"), [
      ...undoCommands("talk", { disposition }),
      ...undoCommands("visit", { left_at: null }),
    ]);
  };
  return (
    <div
      data-testid="leave-bar"
      class="bg-base-200/95 sticky bottom-[calc(4.25rem+env(safe-area-inset-bottom))] z-10 -mx-4 flex gap-2 px-4 py-2 backdrop-blur"
    >
      <button
        type="button"
        class="btn btn-danger min-h-12 grow basis-0 border-2 px-2"
        onClick={() => void leaveSafely()}
      >
        <ShieldAlert class="size-5 shrink-0" aria-hidden="true" />
        {t("site/safety")}
      </button>
      {visit.arrived_at !== null && (
        <button type="button" class="btn btn-tonal min-h-12 grow basis-0 px-2" onClick={leave}>
          <DoorOpen class="size-5 shrink-0" aria-hidden="true" />
          {t("site/left")}
        </button>
      )}
    </div>
  );
}
