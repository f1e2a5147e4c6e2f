/**
 * The bar for leaving and for the alarm, at the foot of every step while a visit is under way: one
 * tap, wherever the collector is in the record.
 */
import { DoorOpen, ShieldAlert, Siren } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Command } from "../../wasm/doorstep";
import { t } from "../../i18n";
import { practising } from "../practiceMode";
import { finishRecording } from "../recording";
import { endWatch, safetyState, safetyText, watchVisit } from "../safety";
import { AlarmDialog } from "../Safety";
import { undoCommands } from "../undoCommands";
import type { OpenRecord } from "../useRecord";

export function LeaveBar({ record }: { record: OpenRecord }): JSX.Element | null {
  const { view, readOnly, apply, applyWithUndo } = record;
  const { visit } = view;
  const [alarm, setAlarm] = useState(false);
  const underWay = visit.departed_at !== null || visit.arrived_at !== null;
  const shown = !readOnly && underWay && visit.left_at === null;
  const bar = useRef<HTMLDivElement>(null);
  // Notices must not cover it.
  useLayoutEffect(() => {
    const { current } = bar;
    if (!current) return;
    const { style } = document.documentElement;
    const observer = new ResizeObserver(() => style.setProperty("--leave-bar", `${current.offsetHeight}px`));
    observer.observe(current);
    return () => {
      observer.disconnect();
      style.setProperty("--leave-bar", "0px");
    };
  }, [shown]);
  useEffect(() => {
    if (shown) void watchVisit(view).catch(() => undefined);
  }, [shown, visit.arrived_at]);
  if (!shown) return null;
  const leave = async (): Promise<void> => {
    const undo: Command[] = [{ do: "clear", paths: ["visit.left_at"] }];
    if (await applyWithUndo({ do: "edit_visit", left_at: Date.now() }, t("site/left_done"), undo)) {
      await endWatch(view.id);
      await finishRecording();
    }
  };
  const leaveSafely = async (): Promise<void> => {
    const { disposition } = view.talk;
    // The outcome first: if the second command is lost, the record still has the reason.
    if (!(await apply({ do: "edit_talk", disposition: "safety_withdrawn" }))) return;
    const undo = [...undoCommands("talk", { disposition }), ...undoCommands("visit", { left_at: null })];
    if (await applyWithUndo({ do: "edit_visit", left_at: Date.now() }, t("site/safety_done"), undo)) {
      await endWatch(view.id);
      await finishRecording();
    }
  };
  const state = safetyState.value?.record === view.id && !safetyState.value.ended ? safetyState.value : null;
  return (
    <div
      ref={bar}
      data-testid="leave-bar"
      class="bg-base-200/95 sticky bottom-[calc(4.25rem+env(safe-area-inset-bottom))] z-10 -mx-4 flex flex-col gap-1 px-4 py-1.5 backdrop-blur"
    >
      {state && (
        <p
          data-testid="safety"
          data-confirmed={state.confirmed_at !== null}
          class={`text-xs leading-tight ${state.confirmed_at === null ? "text-error font-medium" : "muted"}`}
        >
          {safetyText(state)}
        </p>
      )}
      <div class="flex gap-2">
        {!practising && (
          <button
            type="button"
            class="btn btn-error btn-square min-h-12"
            aria-label={t("safety/alarm")}
            onClick={() => setAlarm(true)}
          >
            <Siren class="size-6" aria-hidden="true" />
          </button>
        )}
        <button
          type="button"
          class="btn btn-danger min-h-12 min-w-0 grow basis-0 border-2 px-2"
          onClick={() => void leaveSafely()}
        >
          <ShieldAlert class="size-5 shrink-0" aria-hidden="true" />
          {t("site/safety")}
        </button>
        {visit.arrived_at !== null && (
          <button type="button" class="btn btn-tonal min-h-12 min-w-0 grow basis-0 px-2" onClick={() => void leave()}>
            <DoorOpen class="size-5 shrink-0" aria-hidden="true" />
            {t("site/left")}
          </button>
        )}
      </div>
      {alarm && <AlarmDialog record={view.id} zone={view.case.zone} onClose={() => setAlarm(false)} />}
    </div>
  );
}
