/** Time and place of the visit: read, proposed, changed field by field, answered. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { AppointmentPatch, AppointmentStatus, ProposedBy } from "../wasm/doorstep";
import { t, word, type TextKey } from "../i18n";
import { formatWindow, toLocalInput } from "../ui/format";
import { Field } from "../ui/components";
import { DraftInput, momentIn, Result, useDraft, useSending } from "./formDraft";
import type { FormProps } from "./forms";
import { Card, Facts } from "./layout";

const SIDES: readonly ProposedBy[] = ["office", "borrower", "collector"];

export function Appointment(props: FormProps): JSX.Element {
  const { appointment, case: facts } = props.view;
  return (
    <Card title={t("office/appointment")}>
      <Facts
        rows={[
          [word("field", "appointment.status"), appointment.status && word("appointment", appointment.status)],
          [
            t("office/window"),
            appointment.starts_at !== null && formatWindow(appointment.starts_at, appointment.ends_at, facts.zone),
          ],
          [t("appointment/place"), appointment.place],
          [t("appointment/by"), appointment.proposed_by && word("proposed", appointment.proposed_by)],
          [t("appointment/remark"), appointment.borrower_remark],
        ]}
      />
      {props.writes && <AppointmentForm {...props} />}
    </Card>
  );
}

/** What the borrower may still be said to have answered. */
function answers(status: AppointmentStatus | null): [AppointmentStatus, TextKey][] {
  const agree: [AppointmentStatus, TextKey] = ["agreed", "appointment/agree"];
  const decline: [AppointmentStatus, TextKey] = ["declined", "appointment/decline"];
  const cancel: [AppointmentStatus, TextKey] = ["cancelled", "appointment/call_off"];
  switch (status) {
    case "proposed":
      return [agree, decline, cancel];
    case "agreed":
      return [decline, cancel];
    case "declined":
    case "cancelled":
    case null:
      return [];
  }
}

function AppointmentForm({ view, apply }: FormProps): JSX.Element {
  const { appointment } = view;
  const { zone } = view.case;
  const draft = useDraft({
    from: toLocalInput(appointment.starts_at, zone),
    to: toLocalInput(appointment.ends_at, zone),
    place: appointment.place,
    remark: appointment.borrower_remark,
  });
  const [side, setSide] = useState<ProposedBy>("office");
  const sending = useSending(apply);
  const [asked, setAsked] = useState(false);
  const starts_at = momentIn(draft.value.from, zone);
  const ends_at = momentIn(draft.value.to, zone);
  const place = draft.value.place || (appointment.status === null ? view.case.address : "");
  const wrong = {
    from: starts_at === null,
    to: ends_at === null || (starts_at !== null && ends_at <= starts_at),
  };

  const change = async (): Promise<void> => {
    setAsked(true);
    if (wrong.from || wrong.to || starts_at === null || ends_at === null) return;
    const { touched } = draft;
    const patch: AppointmentPatch = {};
    if (touched.from !== undefined) patch.starts_at = starts_at;
    if (touched.to !== undefined) patch.ends_at = ends_at;
    if (touched.place !== undefined) patch.place = touched.place;
    if (touched.remark !== undefined) patch.borrower_remark = touched.remark;
    if (await sending.send({ do: "edit_appointment", ...patch })) done(touched);
  };
  const propose = async (): Promise<void> => {
    setAsked(true);
    if (wrong.from || wrong.to || starts_at === null || ends_at === null) return;
    const { touched } = draft;
    const borrower_remark = draft.value.remark;
    const sent = { do: "propose_appointment", starts_at, ends_at, place, proposed_by: side, borrower_remark } as const;
    if (await sending.send(sent)) done(touched);
  };
  const done = (sent: typeof draft.touched): void => {
    draft.settle(sent);
    setAsked(false);
  };
  const standing = appointment.status !== null;
  return (
    <form class="border-base-300 flex flex-col gap-3 border-t pt-3" onSubmit={(event) => event.preventDefault()}>
      <div class="grid gap-3 sm:grid-cols-2">
        <DraftInput
          draft={draft}
          field="from"
          label={t("appointment/date")}
          type="datetime-local"
          error={asked && wrong.from ? t("office/need_time") : undefined}
        />
        <DraftInput
          draft={draft}
          field="to"
          label={t("appointment/end")}
          type="datetime-local"
          error={asked && wrong.to ? t("office/need_end") : undefined}
        />
      </div>
      <p class="muted text-sm">{t("appointment/zone", { zone })}</p>
      <DraftInput draft={draft} field="place" label={t("appointment/place")} />
      {!standing && !draft.value.place && <p class="muted text-sm">{t("office/place_default", { place })}</p>}
      <DraftInput draft={draft} field="remark" label={t("appointment/remark")} />
      <Field label={t("appointment/by")}>
        {(id) => (
          <select
            id={id}
            class="select w-full"
            value={side}
            onChange={(event) => setSide(event.currentTarget.value as ProposedBy)}
          >
            {SIDES.map((option) => (
              <option key={option} value={option}>
                {word("proposed", option)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div class="flex flex-wrap gap-2">
        {standing && (
          <button
            type="button"
            class="btn btn-primary"
            disabled={!draft.dirty || sending.busy}
            onClick={() => void change()}
          >
            {t("office/edit_appointment")}
          </button>
        )}
        <button
          type="button"
          class={`btn ${standing ? "btn-outline" : "btn-primary"}`}
          disabled={sending.busy}
          onClick={() => void propose()}
        >
          {t(standing ? "office/propose_again" : "appointment/propose")}
        </button>
        {draft.dirty && (
          <button type="button" class="btn btn-ghost" disabled={sending.busy} onClick={draft.discard}>
            {t("office/discard")}
          </button>
        )}
      </div>
      {appointment.status === "agreed" && draft.dirty && <p class="text-sm">{t("office/stays_agreed")}</p>}
      {answers(appointment.status).length > 0 && (
        <div class="flex flex-wrap gap-2" role="group" aria-label={t("office/answer")}>
          {answers(appointment.status).map(([status, label]) => (
            <button
              key={status}
              type="button"
              class="btn btn-outline"
              disabled={sending.busy}
              onClick={() => void sending.send({ do: "answer_appointment", status })}
            >
              {t(label)}
            </button>
          ))}
        </div>
      )}
      <Result sending={sending} quiet={draft.dirty} />
    </form>
  );
}
