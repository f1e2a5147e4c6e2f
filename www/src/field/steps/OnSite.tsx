/** Step 3: depart, arrive, the checklist at the door, leave. */
import { Car, DoorOpen, LogOut, MapPin, MapPinOff, ShieldAlert, UserMinus, UserPlus } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PlaceType, Position, TargetRole, VisitPatch } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { formatDateTime } from "../../ui/format";
import { Choices, useBusy } from "../../ui/parts";
import { Checklist } from "../Checklist";
import { Spot } from "../Missing";
import { me, showToast } from "../state";
import type { OpenRecord } from "../useRecord";
import { PERSONS, PLACES } from "../words";

/** Longer than this nobody should stand in a stairwell and wait. */
const POSITION_WAIT_MS = 10_000;

export function OnSiteStep({ record }: { record: OpenRecord }): JSX.Element {
  const { view, readOnly, apply, applyWithUndo } = record;
  const { visit } = view;
  const choose = (patch: VisitPatch, text: string, before: VisitPatch | null): void =>
    before
      ? void applyWithUndo({ do: "edit_visit", ...patch }, text, { do: "edit_visit", ...before })
      : void apply({ do: "edit_visit", ...patch });
  return (
    <>
      <Spot paths={["visit.departed_at", "visit.arrived_at", "visit.left_at"]}>
        <section class="card-plain flex flex-col gap-4">
          <Times record={record} />
          {!readOnly && <Way record={record} />}
          {!readOnly && <Leaving record={record} />}
        </section>
      </Spot>
      <section class="card-plain flex flex-col gap-5">
        <Spot paths={["visit.place_type"]}>
          <Choices<PlaceType>
            label={t("site/place_type")}
            options={PLACES}
            value={visit.place_type}
            readOnly={readOnly}
            word={(option) => word("place", option)}
            onChange={(place_type) =>
              choose({ place_type }, word("place", place_type), visit.place_type && { place_type: visit.place_type })
            }
          />
        </Spot>
        <Spot paths={["visit.person_met"]}>
          <Choices<TargetRole>
            label={t("site/met")}
            options={PERSONS}
            value={visit.person_met}
            readOnly={readOnly}
            word={(option) => word("person", option)}
            onChange={(person_met) =>
              choose({ person_met }, word("person", person_met), visit.person_met && { person_met: visit.person_met })
            }
          />
        </Spot>
        <Visitors record={record} />
      </section>
      <Checklist record={record} />
    </>
  );
}

/** What has happened so far, in order. */
function Times({ record }: { record: OpenRecord }): JSX.Element | null {
  const { visit } = record.view;
  const lines = [
    { key: "site/departed", at: visit.departed_at, Icon: Car },
    { key: "site/arrived", at: visit.arrived_at, Icon: MapPin },
    { key: "site/asked_at", at: visit.asked_to_leave_at, Icon: LogOut },
    { key: "site/left_at", at: visit.left_at, Icon: DoorOpen },
  ].filter((line): line is typeof line & { at: number } => line.at !== null);
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

/** Depart, then arrive: one big button at a time. */
function Way({ record }: { record: OpenRecord }): JSX.Element | null {
  const { visit } = record.view;
  const [busy, run] = useBusy();
  if (visit.departed_at === null) {
    const depart = (): Promise<void> => run(async () => void (await record.apply({ do: "depart", at: Date.now() })));
    return (
      <button type="button" class="btn btn-primary min-h-14 text-lg" disabled={busy} onClick={() => void depart()}>
        <Car class="size-6" aria-hidden="true" />
        {t("site/depart")}
      </button>
    );
  }
  if (visit.arrived_at !== null) return null;
  const arrive = (position: Position | null): ReturnType<OpenRecord["apply"]> =>
    record.apply({ do: "arrive", at: Date.now(), position });
  const withPosition = (): Promise<void> =>
    run(async () => {
      const found = await positionNow();
      await arrive(typeof found === "string" ? null : found);
      if (typeof found === "string") showToast({ text: t("site/position_failed", { why: t(found) }) });
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
      <button type="button" class="btn btn-quiet" disabled={busy} onClick={() => void arrive(null)}>
        <MapPinOff class="size-5" aria-hidden="true" />
        {t("site/arrive_without")}
      </button>
      <p class="muted text-sm">{t("site/position_why")}</p>
    </div>
  );
}

/** The position, once, or the key of the reason why there is none. */
function positionNow(): Promise<Position | string> {
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

/** Leaving, also in a hurry: within reach from the moment somebody has set out. */
function Leaving({ record }: { record: OpenRecord }): JSX.Element | null {
  const { view, apply } = record;
  const { visit } = view;
  if (visit.departed_at === null && visit.arrived_at === null) return null;
  const before = view.talk.disposition;
  const safely = async (): Promise<void> => {
    const undo =
      before === null || before === "safety_withdrawn"
        ? undefined
        : () => void apply({ do: "edit_talk", disposition: before });
    // The outcome first: should the second be cut off, the record still says why.
    if (!(await apply({ do: "edit_talk", disposition: "safety_withdrawn" }))) return;
    if (await apply({ do: "edit_visit", left_at: Date.now() })) showToast({ text: t("site/safety_done"), undo });
  };
  return (
    <div class="choice-grid">
      {visit.arrived_at !== null && (
        <>
          <button
            type="button"
            class={`btn ${visit.left_at === null ? "btn-tonal" : "btn-quiet"}`}
            onClick={() => void apply({ do: "edit_visit", left_at: Date.now() })}
          >
            <DoorOpen class="size-5" aria-hidden="true" />
            {t("site/left")}
          </button>
          <button
            type="button"
            class="btn btn-quiet"
            onClick={() => void apply({ do: "edit_visit", asked_to_leave_at: Date.now() })}
          >
            <LogOut class="size-5" aria-hidden="true" />
            {t("site/asked")}
          </button>
        </>
      )}
      {before !== "safety_withdrawn" && (
        <button type="button" class="btn btn-danger col-span-full min-h-12 border-2" onClick={() => void safely()}>
          <ShieldAlert class="size-5" aria-hidden="true" />
          {t("site/safety")}
        </button>
      )}
    </div>
  );
}

function Visitors({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply, readOnly } = record;
  const [name, setName] = useState("");
  const { visitors } = view.visit;
  const offered = [me.value, ...view.assignment.collectors.filter((user) => user !== me.value)].filter(
    (user) => !visitors.includes(user),
  );
  const add = async (user: string): Promise<void> => {
    if (user.trim() !== "" && (await apply({ do: "edit_visit", add_visitor: user.trim() }))) setName("");
  };
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
                onClick={() => void apply({ do: "edit_visit", remove_visitor: user })}
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
              <button key={user} type="button" class="btn btn-quiet" onClick={() => void add(user)}>
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
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <button type="button" class="btn btn-quiet" disabled={name.trim() === ""} onClick={() => void add(name)}>
              {t("site/add_visitor")}
            </button>
          </div>
        </>
      )}
    </fieldset>
  );
}
