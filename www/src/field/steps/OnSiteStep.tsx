/** Step 3: depart, arrive, the checklist at the door, leave. */
import { Car, DoorOpen, LogOut, MapPin, MapPinOff, ShieldAlert, UserMinus, UserPlus } from "lucide-preact";
import type { JSX } from "preact";
import type { Command, PlaceType, Position, TargetRole } from "../../wasm/doorstep";
import { t, word, type TextKey } from "../../i18n";
import { formatDateTime } from "../../ui/format";
import { Choices, useBusy } from "../../ui/components";
import { Checklist } from "../Checklist";
import { ArrivalCheck } from "../conduct/VisitChecks";
import { DepartureCheck, isUnderWay } from "../conduct/DepartureCheck";
import { useForm } from "../useForm";
import { FieldAnchor } from "../MissingFields";
import { undoCommands } from "../undoCommands";
import { me } from "../state";
import type { OpenRecord } from "../useRecord";
import { PERSONS, PLACES } from "../formOptions";

/** Maximum wait for a location at the door. */
const POSITION_WAIT_MS = 10_000;

export function OnSiteStep({ record }: { record: OpenRecord }): JSX.Element {
  const { view, readOnly, applyWithUndo } = record;
  const { visit } = view;
  const choose = (key: "place_type" | "person_met", value: string, message: string): void => {
    if (visit[key] === value) return;
    const patch = { do: "edit_visit", [key]: value } as Command;
    void applyWithUndo(patch, message, undoCommands("visit", { [key]: visit[key] }));
  };
  const clear = (key: "place_type" | "person_met", what: string): void =>
    void applyWithUndo(
      { do: "clear", paths: [`visit.${key}`] },
      t("app/undone", { what }),
      undoCommands("visit", { [key]: visit[key] }),
    );
  const underWay = readOnly || isUnderWay(view);
  const visitors = (
    <FieldAnchor paths={["visit.visitors"]}>
      <Visitors record={record} />
    </FieldAnchor>
  );
  return (
    <>
      {underWay ? (
        <FieldAnchor paths={["visit.departed_at", "visit.arrived_at", "visit.left_at"]}>
          <section class="card-plain flex flex-col gap-4">
            <Timeline record={record} />
            {!readOnly && <ArrivalButtons record={record} />}
            {!readOnly && <LeaveButtons record={record} />}
          </section>
        </FieldAnchor>
      ) : (
        <DepartureCheck record={record}>
          <section class="card-plain">{visitors}</section>
        </DepartureCheck>
      )}
      <section class="card-plain flex flex-col gap-5">
        <FieldAnchor paths={["visit.place_type"]}>
          <Choices<PlaceType>
            label={t("site/place_type")}
            control="visit.place_type"
            options={PLACES}
            value={visit.place_type}
            readOnly={readOnly}
            word={(option) => word("place", option)}
            onChange={(value) => choose("place_type", value, word("place", value))}
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
            onChange={(value) => choose("person_met", value, word("person", value))}
            onClear={() => clear("person_met", t("site/met"))}
          />
        </FieldAnchor>
        {underWay && visitors}
      </section>
      {!readOnly && visit.arrived_at !== null && <ArrivalCheck record={record} />}
      <Checklist record={record} />
    </>
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

/** The buttons for leaving, available from the departure on. */
function LeaveButtons({ record }: { record: OpenRecord }): JSX.Element | null {
  const { view, apply, applyWithUndo } = record;
  const { visit } = view;
  if (visit.departed_at === null && visit.arrived_at === null) return null;
  const { disposition } = view.talk;
  const mark = (key: "left_at" | "asked_to_leave_at", message: string): void => {
    const patch = { do: "edit_visit", [key]: Date.now() } as Command;
    void applyWithUndo(patch, message, undoCommands("visit", { [key]: visit[key] }));
  };
  const safely = async (): Promise<void> => {
    // The outcome first: if the second command is lost, the record still has the reason.
    if (!(await apply({ do: "edit_talk", disposition: "safety_withdrawn" }))) return;
    await applyWithUndo({ do: "edit_visit", left_at: Date.now() }, t("site/safety_done"), [
      ...undoCommands("talk", { disposition }),
      ...undoCommands("visit", { left_at: visit.left_at }),
    ]);
  };
  return (
    <div class="choice-grid">
      {visit.arrived_at !== null && (
        <>
          <button
            type="button"
            class={`btn ${visit.left_at === null ? "btn-tonal" : "btn-quiet"}`}
            onClick={() => mark("left_at", t("site/left_done"))}
          >
            <DoorOpen class="size-5" aria-hidden="true" />
            {t("site/left")}
          </button>
          <button type="button" class="btn btn-quiet" onClick={() => mark("asked_to_leave_at", t("site/asked_done"))}>
            <LogOut class="size-5" aria-hidden="true" />
            {t("site/asked")}
          </button>
        </>
      )}
      {disposition !== "safety_withdrawn" && (
        <button type="button" class="btn btn-danger col-span-full min-h-12 border-2" onClick={() => void safely()}>
          <ShieldAlert class="size-5" aria-hidden="true" />
          {t("site/safety")}
        </button>
      )}
    </div>
  );
}

function Visitors({ record }: { record: OpenRecord }): JSX.Element {
  const { view, applyWithUndo, readOnly } = record;
  const form = useForm(record, "visitor", { name: "" });
  const { name } = form.fields;
  const { visitors } = view.visit;
  const offered = [me.value, ...view.assignment.collectors.filter((user) => user !== me.value)].filter(
    (user) => !visitors.includes(user),
  );
  const adding = (user: string): Command => ({ do: "edit_visit", add_visitor: user });
  const removing = (user: string): Command => ({ do: "edit_visit", remove_visitor: user });
  const add = (user: string): void =>
    void applyWithUndo(adding(user), t("site/added", { name: user }), [removing(user)]);
  const remove = (user: string): void =>
    void applyWithUndo(removing(user), t("site/removed", { name: user }), [adding(user)]);
  const addTyped = (user: string): void =>
    void form.submit(adding(user), { message: t("site/added", { name: user }), commands: [removing(user)] });
  return (
    <fieldset class="flex flex-col gap-2.5">
      <legend class="label-text pb-2">{t("site/visitors")}</legend>
      {visitors.length === 0 && readOnly && "–"}
      <ul class="flex flex-col gap-2">
        {visitors.map((user) => (
          <li key={user} class="rounded-field bg-base-200 flex min-h-11 items-center justify-between gap-2 pl-3">
            <span class="font-medium">{user}</span>
            {!readOnly && (
              <button
                type="button"
                class="btn btn-ghost btn-square"
                aria-label={t("site/remove", { name: user })}
                onClick={() => remove(user)}
              >
                <UserMinus class="size-5" aria-hidden="true" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {!readOnly && (
        <>
          <div class="choice-grid">
            {offered.map((user) => (
              <button key={user} type="button" class="btn btn-quiet" onClick={() => add(user)}>
                <UserPlus class="size-5" aria-hidden="true" />
                {user === me.value ? t("site/me") : user}
              </button>
            ))}
          </div>
          <div class="flex flex-wrap gap-2">
            <input
              class="input min-w-0 grow basis-32"
              aria-label={t("site/visitor")}
              placeholder={t("site/visitor")}
              autocapitalize="none"
              data-control="visitor.name"
              value={name}
              onInput={(event) => form.set({ name: event.currentTarget.value })}
            />
            <button
              type="button"
              class="btn btn-quiet"
              disabled={name.trim() === ""}
              onClick={() => addTyped(name.trim())}
            >
              {t("site/add_visitor")}
            </button>
          </div>
        </>
      )}
    </fieldset>
  );
}
