/** Step 3, in three phases: before departure, at the door, afterwards. */
import { Car, Check, DoorOpen, LogOut, MapPin, MapPinOff, Undo2 } from "lucide-preact";
import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Command, PlaceType, Position, TargetRole, VisitView } from "../../wasm/doorstep";
import { t, word, type TextKey } from "../../i18n";
import { formatDateTime } from "../../ui/format";
import { Choices, useBusy } from "../../ui/components";
import { advance } from "../advance";
import { Checklist, unanswered } from "../Checklist";
import { ArrivalCheck } from "../conduct/VisitChecks";
import { DepartureCheck, isUnderWay } from "../conduct/DepartureCheck";
import { FieldAnchor, useReveal } from "../MissingFields";
import { PositionGrade } from "../PositionGrade";
import { undoCommands } from "../undoCommands";
import type { OpenRecord } from "../useRecord";
import { PERSONS, PLACES } from "../formOptions";
import { Visitors } from "./Visitors";

/** Maximum wait for a location at the door. */
const POSITION_WAIT_MS = 10_000;

export function OnSiteStep({ record }: { record: OpenRecord }): JSX.Element {
  const { view, readOnly } = record;
  const due = phaseOf(view);
  const [chosen, choose] = useState<Phase | null>(null);
  const shown = useRef(due);
  // The next phase opens when its time has come, at its beginning.
  useLayoutEffect(() => {
    if (shown.current === due) return;
    shown.current = due;
    choose(null);
    document.getElementById("step")?.scrollIntoView({ block: "start" });
  }, [due]);
  useReveal((path) => choose(phaseWith(path)));
  const phase = chosen ?? due;
  if (readOnly) {
    return (
      <>
        <section class="card-plain">
          <Timeline record={record} />
        </section>
        <DoorFields record={record} withVisitors />
        <Checklist record={record} />
      </>
    );
  }
  return (
    <>
      <PhaseTabs phase={phase} due={due} onChoose={choose} />
      {phase === "before" && <Before record={record} />}
      {phase === "door" && <AtTheDoor record={record} />}
      {phase === "after" && <Afterwards record={record} onAnswer={() => choose("door")} />}
    </>
  );
}

/** The phases of a visit; each shows only what is needed in it. */
const PHASES = ["before", "door", "after"] as const;
type Phase = (typeof PHASES)[number];

function phaseOf(view: VisitView): Phase {
  if (view.visit.left_at !== null) return "after";
  return isUnderWay(view) ? "door" : "before";
}

/** The phase that has the control of a missing field. */
function phaseWith(path: string): Phase {
  return path === "visit.departed_at" || path === "visit.visitors" ? "before" : "door";
}

function PhaseTabs(props: { phase: Phase; due: Phase; onChoose: (phase: Phase) => void }): JSX.Element {
  const reached = PHASES.indexOf(props.due);
  return (
    <div role="group" aria-label={t("site/phases")} class="segments bg-base-300/60 flex-nowrap">
      {PHASES.map((phase, at) => (
        <button
          key={phase}
          type="button"
          data-control={`phase-${phase}`}
          aria-pressed={phase === props.phase}
          class={`segment min-w-0 basis-0 flex-wrap px-1 ${phase === props.phase ? "bg-base-100 font-semibold" : ""} whitespace-normal`}
          onClick={() => props.onChoose(phase)}
        >
          {at < reached && <Check class="text-success size-4 shrink-0" aria-hidden="true" />}
          {t(`site/phase_${phase}`)}
        </button>
      ))}
    </div>
  );
}

/** Who goes, whether the rules allow it, and the departure. */
function Before({ record }: { record: OpenRecord }): JSX.Element {
  const visitors = (
    <FieldAnchor paths={["visit.visitors"]}>
      <Visitors record={record} />
    </FieldAnchor>
  );
  if (isUnderWay(record.view)) {
    return (
      <section class="card-plain flex flex-col gap-4">
        <Timeline record={record} />
        {visitors}
      </section>
    );
  }
  return (
    <DepartureCheck record={record}>
      <section class="card-plain">{visitors}</section>
    </DepartureCheck>
  );
}

/** The arrival, who and where, and the checklist. */
function AtTheDoor({ record }: { record: OpenRecord }): JSX.Element {
  const { visit } = record.view;
  return (
    <>
      <FieldAnchor paths={["visit.departed_at", "visit.arrived_at", "visit.left_at"]}>
        <section class="card-plain flex flex-col gap-4">
          <Timeline record={record} />
          <ArrivalButtons record={record} />
          {visit.arrived_at !== null && visit.asked_to_leave_at === null && <AskedToLeave record={record} />}
        </section>
      </FieldAnchor>
      <DoorFields record={record} />
      <Checklist record={record} />
      {visit.arrived_at !== null && <ArrivalCheck record={record} />}
    </>
  );
}

/** What the visit has left open, and what the rules say of it. */
function Afterwards({ record, onAnswer }: { record: OpenRecord; onAnswer: () => void }): JSX.Element {
  const { view, applyWithUndo } = record;
  const { left_at } = view.visit;
  const open = unanswered(view).length;
  const undo = (): void =>
    void applyWithUndo(
      { do: "clear", paths: ["visit.left_at"] },
      t("app/undone", { what: t("site/left") }),
      undoCommands("visit", { left_at }),
    );
  return (
    <>
      <section class="card-plain flex flex-col gap-4">
        <Timeline record={record} />
        {left_at === null ? (
          <p class="muted">{t("site/not_left")}</p>
        ) : (
          <button
            type="button"
            class="btn btn-quiet"
            aria-label={t("app/undo_of", { what: t("site/left") })}
            onClick={undo}
          >
            <Undo2 class="size-5" aria-hidden="true" />
            {t("site/back_at_door")}
          </button>
        )}
      </section>
      {open > 0 && (
        <button type="button" class="btn btn-tonal" onClick={onAnswer}>
          {t("site/answer_rest", { n: open })}
        </button>
      )}
      <ArrivalCheck record={record} />
    </>
  );
}

function AskedToLeave({ record }: { record: OpenRecord }): JSX.Element {
  const mark = (): void =>
    void record.applyWithUndo({ do: "edit_visit", asked_to_leave_at: Date.now() }, t("site/asked_done"), [
      { do: "clear", paths: ["visit.asked_to_leave_at"] },
    ]);
  return (
    <button type="button" class="btn btn-quiet" onClick={mark}>
      <LogOut class="size-5" aria-hidden="true" />
      {t("site/asked")}
    </button>
  );
}

/** Where the visit is, and who was met. */
function DoorFields({ record, withVisitors }: { record: OpenRecord; withVisitors?: boolean }): JSX.Element {
  const { view, readOnly, applyWithUndo } = record;
  const { visit } = view;
  const choose = (key: "place_type" | "person_met", value: string, message: string, byTap: boolean): void => {
    if (visit[key] === value) return;
    if (byTap) advance(`visit.${key}`);
    const patch = { do: "edit_visit", [key]: value } as Command;
    void applyWithUndo(patch, message, undoCommands("visit", { [key]: visit[key] }));
  };
  const clear = (key: "place_type" | "person_met", what: string): void =>
    void applyWithUndo(
      { do: "clear", paths: [`visit.${key}`] },
      t("app/undone", { what }),
      undoCommands("visit", { [key]: visit[key] }),
    );
  return (
    <section class="card-plain flex flex-col gap-5">
      <FieldAnchor paths={["visit.place_type"]}>
        <Choices<PlaceType>
          label={t("site/place_type")}
          control="visit.place_type"
          options={PLACES}
          value={visit.place_type}
          readOnly={readOnly}
          word={(option) => word("place", option)}
          onChange={(value, byTap) => choose("place_type", value, word("place", value), byTap)}
          onClear={() => clear("place_type", t("site/place_type"))}
        />
      </FieldAnchor>
      <FieldAnchor paths={["visit.person_met"]}>
        <Choices<TargetRole>
          label={t("site/met")}
          control="visit.person_met"
          options={PERSONS}
          value={visit.person_met}
          readOnly={readOnly}
          word={(option) => word("person", option)}
          onChange={(value, byTap) => choose("person_met", value, word("person", value), byTap)}
          onClear={() => clear("person_met", t("site/met"))}
        />
      </FieldAnchor>
      {withVisitors && <Visitors record={record} />}
    </section>
  );
}

/** The events of the visit so far, in order. */
function Timeline({ record }: { record: OpenRecord }): JSX.Element | null {
  const { visit } = record.view;
  const events = [
    { key: "site/departed", at: visit.departed_at, Icon: Car },
    { key: "site/arrived", at: visit.arrived_at, Icon: MapPin },
    { key: "site/asked_at", at: visit.asked_to_leave_at, Icon: LogOut },
    { key: "site/left_at", at: visit.left_at, Icon: DoorOpen },
  ] as const;
  const lines = events.filter((line): line is typeof line & { at: number } => line.at !== null);
  if (lines.length === 0) return record.readOnly ? <p class="muted">{t("site/nothing")}</p> : null;
  return (
    <ol class="flex flex-col">
      {lines.map(({ key, at, Icon }, index) => (
        <li key={key} class="relative flex gap-3 pb-4 last:pb-0">
          {index < lines.length - 1 && (
            <span aria-hidden="true" class="bg-base-300 absolute top-8 bottom-0 left-[0.9375rem] w-0.5" />
          )}
          <span class="bg-base-200 text-primary grid size-8 shrink-0 place-items-center rounded-full">
            <Icon class="size-[1.125rem]" aria-hidden="true" />
          </span>
          <span class="pt-1">
            {t(key, { at: formatDateTime(at, visit.zone) })}
            {key === "site/arrived" && visit.position && (
              <span class="muted block text-sm">
                {t("site/position", { m: Math.round(visit.position.accuracy_m) })}
              </span>
            )}
            {key === "site/arrived" && visit.position && <PositionGrade view={record.view} />}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** The buttons for the arrival, with or without a location. */
function ArrivalButtons({ record }: { record: OpenRecord }): JSX.Element | null {
  const [busy, run] = useBusy();
  if (record.view.visit.arrived_at !== null) return null;
  const arrive = (position: Position | null, message: string): ReturnType<OpenRecord["apply"]> =>
    record.applyWithUndo({ do: "arrive", at: Date.now(), position }, message, [{ do: "clear", paths: ARRIVAL }]);
  const withPosition = (): Promise<void> =>
    run(async () => {
      const position = await currentPosition();
      if (typeof position === "string") await arrive(null, t(position));
      else await arrive(position, t("site/arrived_done"));
    });
  return (
    <div class="flex flex-col gap-2">
      <button
        type="button"
        class="btn btn-primary min-h-14 text-lg"
        disabled={busy}
        onClick={() => void withPosition()}
      >
        <MapPin class="size-6" aria-hidden="true" />
        {busy ? t("site/locating") : t("site/arrive")}
      </button>
      <button
        type="button"
        class="btn btn-quiet"
        disabled={busy}
        onClick={() => void arrive(null, t("site/arrived_done"))}
      >
        <MapPinOff class="size-5" aria-hidden="true" />
        {t("site/arrive_without")}
      </button>
      <p class="muted text-sm">{t("site/position_why")}</p>
    </div>
  );
}

/** Fields that an arrival writes, cleared by undo. */
const ARRIVAL = ["visit.arrived_at", ...["lat", "lon", "accuracy_m", "at"].map((key) => `visit.position.${key}`)];

/** One location fix, or the text key of the reason why there is none. */
function currentPosition(): Promise<Position | TextKey> {
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords, timestamp }) =>
        resolve({
          lat: coords.latitude,
          lon: coords.longitude,
          accuracy_m: coords.accuracy,
          at: Math.round(timestamp),
        }),
      (error) => resolve(error.code === error.PERMISSION_DENIED ? "site/denied" : "site/unavailable"),
      { enableHighAccuracy: true, timeout: POSITION_WAIT_MS, maximumAge: 0 },
    );
  });
}
