/** Step 2: a time and a place; it counts only once the borrower agreed. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { AppointmentPatch, AppointmentStatus, ProposedBy } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { fromLocalInput, toLocalInput } from "../../ui/format";
import { Choices, Field } from "../../ui/parts";
import { AutoText } from "../AutoText";
import { showToast } from "../state";
import type { OpenRecord } from "../useRecord";

const SIDES: readonly ProposedBy[] = ["borrower", "collector"];
const HOUR_MS = 3_600_000;

export function AppointmentStep({ record }: { record: OpenRecord }): JSX.Element {
  return record.view.appointment.status === null ? <Propose record={record} /> : <Proposed record={record} />;
}

function Propose({ record }: { record: OpenRecord }): JSX.Element {
  const { zone, address } = record.view.case;
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [place, setPlace] = useState(address);
  const [side, setSide] = useState<ProposedBy>("collector");
  const [remark, setRemark] = useState("");
  const starts_at = fromLocalInput(from, zone);
  const ends_at = fromLocalInput(to, zone);
  const complete =
    !record.readOnly && starts_at !== null && ends_at !== null && ends_at > starts_at && place.trim() !== "";
  const choose = (text: string): void => {
    setFrom(text);
    const start = fromLocalInput(text, zone);
    // An hour is what most visits need; the person may change it.
    if (start !== null && (to === "" || (ends_at ?? 0) <= start)) setTo(toLocalInput(start + HOUR_MS, zone));
  };
  const propose = (): void => {
    if (starts_at === null || ends_at === null) return;
    void record.apply({
      do: "propose_appointment",
      starts_at,
      ends_at,
      place: place.trim(),
      proposed_by: side,
      borrower_remark: remark.trim(),
    });
  };
  return (
    <section class="card-plain flex flex-col gap-4">
      <p class="muted text-sm">{t("app_/no")}</p>
      <Field label={t("app_/date")} hint={t("app_/zone", { zone })}>
        {(id, note) => (
          <input
            id={id}
            aria-describedby={note}
            type="datetime-local"
            class="input w-full"
            value={from}
            onInput={(event) => choose(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field label={t("app_/end")}>
        {(id) => (
          <input
            id={id}
            type="datetime-local"
            class="input w-full"
            value={to}
            min={from}
            onInput={(event) => setTo(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field label={t("app_/place")}>
        {(id) => (
          <input id={id} class="input w-full" value={place} onInput={(event) => setPlace(event.currentTarget.value)} />
        )}
      </Field>
      <Choices<ProposedBy>
        label={t("app_/by")}
        options={SIDES}
        value={side}
        word={(option) => word("proposed", option)}
        onChange={setSide}
      />
      <Field label={t("app_/remark")}>
        {(id) => (
          <textarea
            id={id}
            class="textarea w-full"
            rows={2}
            value={remark}
            onInput={(event) => setRemark(event.currentTarget.value)}
          />
        )}
      </Field>
      <button type="button" class="btn btn-primary" disabled={!complete} onClick={propose}>
        {t("app_/propose")}
      </button>
    </section>
  );
}

const ANSWERS: readonly [AppointmentStatus, string, string][] = [
  ["agreed", "app_/agree", "btn-primary"],
  ["declined", "app_/decline", "btn-outline"],
  ["cancelled", "app_/call_off", "btn-ghost"],
];

function Proposed({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply, readOnly } = record;
  const { appointment } = view;
  const { zone } = view.case;
  const edit = (patch: AppointmentPatch): Promise<boolean> => apply({ do: "edit_appointment", ...patch });
  const time =
    (key: "starts_at" | "ends_at") =>
    async (text: string): Promise<boolean> => {
      const ms = fromLocalInput(text, zone);
      return ms !== null && edit({ [key]: ms });
    };
  const answer = async (status: AppointmentStatus): Promise<void> => {
    const before = appointment.status;
    if (before === null || !(await apply({ do: "answer_appointment", status }))) return;
    showToast({
      text: word("appointment", status),
      undo: () => void apply({ do: "answer_appointment", status: before }),
    });
  };
  return (
    <section class="card-plain flex flex-col gap-4">
      <h2 class="section-title">{t("app_/status", { status: word("appointment", appointment.status ?? "") })}</h2>
      <AutoText
        label={t("app_/date")}
        type="datetime-local"
        hint={t("app_/zone", { zone })}
        disabled={readOnly}
        value={toLocalInput(appointment.starts_at, zone)}
        onSave={time("starts_at")}
      />
      <AutoText
        label={t("app_/end")}
        type="datetime-local"
        disabled={readOnly}
        value={toLocalInput(appointment.ends_at, zone)}
        onSave={time("ends_at")}
      />
      <AutoText
        label={t("app_/place")}
        disabled={readOnly}
        value={appointment.place}
        onSave={(place) => edit({ place })}
      />
      <Choices<ProposedBy>
        label={t("app_/by")}
        options={["borrower", "collector", "office"]}
        value={appointment.proposed_by}
        disabled={readOnly}
        word={(option) => word("proposed", option)}
        onChange={(proposed_by) => void edit({ proposed_by })}
      />
      <AutoText
        label={t("app_/remark")}
        lines={2}
        disabled={readOnly}
        value={appointment.borrower_remark}
        onSave={(borrower_remark) => edit({ borrower_remark })}
      />
      {!readOnly && (
        <div class="flex flex-wrap gap-2">
          {ANSWERS.filter(([status]) => status !== appointment.status).map(([status, key, tone]) => (
            <button key={status} type="button" class={`btn grow ${tone}`} onClick={() => void answer(status)}>
              {t(key)}
            </button>
          ))}
        </div>
      )}
    </section>
  );
}
