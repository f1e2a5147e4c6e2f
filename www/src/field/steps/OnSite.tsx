/** Step 3: depart, arrive, the checklist at the door, leave. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PlaceType, Position, TargetRole, VisitPatch } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { formatDateTime } from "../../ui/format";
import { Choices, useBusy } from "../../ui/parts";
import { Checklist } from "../Checklist";
import { session, showToast } from "../state";
import type { OpenRecord } from "../useRecord";

const PLACES: readonly PlaceType[] = ["home", "workplace", "branch", "public"];
const PERSONS: readonly TargetRole[] = ["borrower", "guarantor", "representative", "third_party", "nobody"];
/** Longer than this nobody should stand in a stairwell and wait. */
const POSITION_WAIT_MS = 10_000;

export function OnSiteStep({ record }: { record: OpenRecord }): JSX.Element {
  const { view, readOnly } = record;
  const { visit } = view;
  const edit = (patch: VisitPatch): Promise<boolean> => record.apply({ do: "edit_visit", ...patch });
  return (
    <>
      <section class="card-plain flex flex-col gap-3">
        <Times record={record} />
        {!readOnly && <Way record={record} />}
      </section>
      <section class="card-plain flex flex-col gap-4">
        <Choices<PlaceType>
          label={t("site/place_type")}
          options={PLACES}
          value={visit.place_type}
          disabled={readOnly}
          word={(option) => word("place", option)}
          onChange={(place_type) => void edit({ place_type })}
        />
        <Choices<TargetRole>
          label={t("site/met")}
          options={PERSONS}
          value={visit.person_met}
          disabled={readOnly}
          word={(option) => word("person", option)}
          onChange={(person_met) => void edit({ person_met })}
        />
        <Visitors record={record} />
      </section>
      <Checklist record={record} />
      {!readOnly && visit.arrived_at !== null && <Leaving record={record} />}
    </>
  );
}

function Times({ record }: { record: OpenRecord }): JSX.Element {
  const { visit } = record.view;
  const lines: [string, number | null][] = [
    ["site/departed", visit.departed_at],
    ["site/arrived", visit.arrived_at],
    ["site/asked_at", visit.asked_to_leave_at],
    ["site/left_at", visit.left_at],
  ];
  return (
    <ul class="flex flex-col gap-1">
      {lines.map(([key, at]) => at !== null && <li key={key}>✓ {t(key, { at: formatDateTime(at, visit.zone) })}</li>)}
      {visit.position && (
        <li class="muted text-sm">{t("site/position", { m: Math.round(visit.position.accuracy_m) })}</li>
      )}
    </ul>
  );
}

/** Depart, then arrive: one big button at a time. */
function Way({ record }: { record: OpenRecord }): JSX.Element | null {
  const { visit } = record.view;
  const [busy, run] = useBusy();
  if (visit.departed_at === null) {
    return (
      <button
        type="button"
        class="btn btn-primary btn-lg"
        onClick={() => void record.apply({ do: "depart", at: Date.now() })}
      >
        {t("site/depart")}
      </button>
    );
  }
  if (visit.arrived_at !== null) return null;
  const arrive = (position: Position | null): Promise<boolean> =>
    record.apply({ do: "arrive", at: Date.now(), position });
  const withPosition = (): Promise<void> =>
    run(async () => {
      const found = await positionNow();
      await arrive(typeof found === "string" ? null : found);
      if (typeof found === "string") showToast({ text: t("site/position_failed", { why: t(found) }) });
    });
  return (
    <div class="flex flex-col gap-2">
      <button type="button" class="btn btn-primary btn-lg" disabled={busy} onClick={() => void withPosition()}>
        {t("site/arrive")}
      </button>
      <button type="button" class="btn btn-ghost" disabled={busy} onClick={() => void arrive(null)}>
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

function Visitors({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply, readOnly } = record;
  const [name, setName] = useState("");
  const me = session.value?.kind === "ready" ? session.value.user : "";
  const others = view.assignment.collectors.filter((user) => user !== me && !view.visit.visitors.includes(user));
  const add = async (user: string): Promise<void> => {
    if (user.trim() !== "" && (await apply({ do: "edit_visit", add_visitor: user.trim() }))) setName("");
  };
  return (
    <fieldset class="flex flex-col gap-2" disabled={readOnly}>
      <legend class="pb-1 text-sm font-medium">{t("site/visitors")}</legend>
      <ul class="flex flex-wrap gap-2">
        {view.visit.visitors.map((user) => (
          <li key={user}>
            <button
              type="button"
              class="btn btn-primary"
              aria-label={t("site/remove", { name: user })}
              onClick={() => void apply({ do: "edit_visit", remove_visitor: user })}
            >
              ✓ {user} ✕
            </button>
          </li>
        ))}
      </ul>
      <div class="flex flex-wrap gap-2">
        {!view.visit.visitors.includes(me) && (
          <button type="button" class="btn bg-base-100 border-base-300" onClick={() => void add(me)}>
            + {t("site/me")}
          </button>
        )}
        {others.map((user) => (
          <button key={user} type="button" class="btn bg-base-100 border-base-300" onClick={() => void add(user)}>
            + {user}
          </button>
        ))}
      </div>
      <div class="flex gap-2">
        <input
          class="input grow"
          aria-label={t("site/visitor")}
          placeholder={t("site/visitor")}
          autocapitalize="none"
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <button type="button" class="btn" onClick={() => void add(name)}>
          {t("site/add_visitor")}
        </button>
      </div>
    </fieldset>
  );
}

function Leaving({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply } = record;
  const before = view.talk.disposition;
  const safely = async (): Promise<void> => {
    const left = await apply({ do: "edit_visit", left_at: Date.now() });
    if (!left || !(await apply({ do: "edit_talk", disposition: "safety_withdrawn" }))) return;
    const undo = before === null ? {} : { undo: () => void apply({ do: "edit_talk", disposition: before }) };
    showToast({ text: t("site/safety_done"), ...undo });
  };
  return (
    <section class="card-plain flex flex-wrap gap-2">
      <button type="button" class="btn grow" onClick={() => void apply({ do: "edit_visit", left_at: Date.now() })}>
        {t("site/left")}
      </button>
      <button
        type="button"
        class="btn btn-outline grow"
        onClick={() => void apply({ do: "edit_visit", asked_to_leave_at: Date.now() })}
      >
        {t("site/asked")}
      </button>
      <button type="button" class="btn btn-error grow" onClick={() => void safely()}>
        {t("site/safety")}
      </button>
    </section>
  );
}
