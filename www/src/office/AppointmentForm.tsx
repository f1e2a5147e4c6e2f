/** The appointment, with a form that proposes, changes and answers it. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { AppointmentPatch, AppointmentStatus, ProposedBy } from "../wasm/doorstep";
import { t, word, type TextKey } from "../i18n";
import { formatWindow, toLocalInput } from "../ui/format";
import { Field } from "../ui/components";
import { DraftInput, inputTime, SubmitResult, useDraft, useSubmit, type FormProps } from "./formDraft";
import { Card, Facts } from "./layout";

const PROPOSERS: readonly ProposedBy[] = ["office", "borrower", "collector"];

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

/** The borrower's answers that can still be recorded. */
function answers(status: AppointmentStatus | null): [AppointmentStatus, TextKey][] {
  const agree: [AppointmentStatus, TextKey] = ["agreed", "appointment/agree"];
  const decline: [AppointmentStatus, TextKey] = ["declined", "appointment/decline"];
  const cancel: [AppointmentStatus, TextKey] = ["cancelled", "appointment/cancel"];
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
  const [proposer, setProposer] = useState<ProposedBy>("office");
  const submit = useSubmit(apply);
  const [validated, setValidated] = useState(false);
  const starts_at = inputTime(draft.value.from, zone);
  const ends_at = inputTime(draft.value.to, zone);
  const place = draft.value.place || (appointment.status === null ? view.case.address : "");
  const invalid = {
    from: starts_at === null,
    to: ends_at === null || (starts_at !== null && ends_at <= starts_at),
  };

  const change = async (): Promise<void> => {
    setValidated(true);
    if (invalid.from || invalid.to || starts_at === null || ends_at === null) return;
    const { touched } = draft;
    const patch: AppointmentPatch = {};
    if (touched.from !== undefined) patch.starts_at = starts_at;
    if (touched.to !== undefined) patch.ends_at = ends_at;
    if (touched.place !== undefined) patch.place = touched.place;
    if (touched.remark !== undefined) patch.borrower_remark = touched.remark;
    if (await submit.send({ do: "edit_appointment", ...patch })) done(touched);
  };
  const propose = async (): Promise<void> => {
    setValidated(true);
    if (invalid.from || invalid.to || starts_at === null || ends_at === null) return;
    const { touched } = draft;
    const borrower_remark = draft.value.remark;
    const sent = {
      do: "propose_appointment",
      starts_at,
      ends_at,
      place,
      proposed_by: proposer,
      borrower_remark,
    } as const;
    if (await submit.send(sent)) done(touched);
  };
  const done = (sent: typeof draft.touched): void => {
    draft.markSaved(sent);
    setValidated(false);
  };
  const isProposed = appointment.status !== null;
  return (
    <form class="border-base-300 flex flex-col gap-3 border-t pt-3" onSubmit={(event) => event.preventDefault()}>
      <div class="grid gap-3 sm:grid-cols-2">
        <DraftInput
          draft={draft}
          field="from"
          label={t("appointment/date")}
          type="datetime-local"
          error={validated && invalid.from ? t("office/need_time") : undefined}
        />
        <DraftInput
          draft={draft}
          field="to"
          label={t("appointment/end")}
          type="datetime-local"
          error={validated && invalid.to ? t("office/need_end") : undefined}
        />
      </div>
      <p class="muted text-sm">{t("appointment/zone", { zone })}</p>
      <DraftInput draft={draft} field="place" label={t("appointment/place")} />
      {!isProposed && !draft.value.place && <p class="muted text-sm">{t("office/place_default", { place })}</p>}
      <DraftInput draft={draft} field="remark" label={t("appointment/remark")} />
      <Field label={t("appointment/by")}>
        {(id) => (
          <select
            id={id}
            class="select w-full"
            value={proposer}
            onChange={(event) => setProposer(event.currentTarget.value as ProposedBy)}
          >
            {PROPOSERS.map((option) => (
              <option key={option} value={option}>
                {word("proposed", option)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div class="flex flex-wrap gap-2">
        {isProposed && (
          <button
            type="button"
            class="btn btn-primary"
            disabled={!draft.dirty || submit.busy}
            onClick={() => void change()}
          >
            {t("office/edit_appointment")}
          </button>
        )}
        <button
          type="button"
          class={`btn ${isProposed ? "btn-outline" : "btn-primary"}`}
          disabled={submit.busy}
          onClick={() => void propose()}
        >
          {t(isProposed ? "office/propose_again" : "appointment/propose")}
        </button>
        {draft.dirty && (
          <button type="button" class="btn btn-ghost" disabled={submit.busy} onClick={draft.discard}>
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
              disabled={submit.busy}
              onClick={() => void submit.send({ do: "answer_appointment", status })}
            >
              {t(label)}
            </button>
          ))}
        </div>
      )}
      <SubmitResult submit={submit} quiet={draft.dirty} />
    </form>
  );
}
