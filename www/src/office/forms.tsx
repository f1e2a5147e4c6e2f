/** The fields that the office edits. A form that was touched keeps what was typed until it is saved. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import type { AppointmentPatch, AssignmentPatch, VisitView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { formatDateTime, fromLocalInput, toLocalInput } from "../ui/format";
import { Alert, Field, useBusy } from "../ui/parts";
import type { Apply } from "./VisitPage";

interface FormProps {
  view: VisitView;
  apply: Apply;
  disabled: boolean;
}

/** What was typed over what the record says; empty when nothing was touched. */
function useDraft<T extends object>(saved: T): [T, (patch: Partial<T>) => void, Partial<T>, () => void] {
  const [touched, setTouched] = useState<Partial<T>>({});
  return [
    { ...saved, ...touched },
    (patch) => setTouched((before) => ({ ...before, ...patch })),
    touched,
    () => setTouched({}),
  ];
}

function SaveButton({
  idle,
  busy,
  onSave,
  label,
}: {
  idle: boolean;
  busy: boolean;
  onSave: () => void;
  label?: string;
}): JSX.Element {
  return (
    <button type="button" class="btn btn-primary self-start" disabled={idle || busy} onClick={onSave}>
      {label ?? t("office/save")}
    </button>
  );
}

export function AppointmentForm({ view, apply, disabled }: FormProps): JSX.Element {
  const { appointment } = view;
  const { zone } = view.case;
  const [draft, edit, touched, reset] = useDraft({
    from: toLocalInput(appointment.starts_at, zone),
    to: toLocalInput(appointment.ends_at, zone),
    place: appointment.place || view.case.address,
    remark: appointment.borrower_remark,
  });
  const [busy, run] = useBusy();
  const starts_at = fromLocalInput(draft.from, zone);
  const ends_at = fromLocalInput(draft.to, zone);
  const complete = starts_at !== null && ends_at !== null && ends_at > starts_at;
  const save = (): Promise<void> =>
    run(async () => {
      if (starts_at === null || ends_at === null) return;
      const patch: AppointmentPatch = {};
      if (touched.from !== undefined) patch.starts_at = starts_at;
      if (touched.to !== undefined) patch.ends_at = ends_at;
      if (touched.place !== undefined) patch.place = draft.place;
      if (touched.remark !== undefined) patch.borrower_remark = draft.remark;
      const saved =
        appointment.status === null
          ? await apply({
              do: "propose_appointment",
              starts_at,
              ends_at,
              place: draft.place,
              proposed_by: "office",
              borrower_remark: draft.remark,
            })
          : await apply({ do: "edit_appointment", ...patch });
      if (saved) reset();
    });
  const input = (key: "from" | "to" | "place" | "remark", label: string, type: string): JSX.Element => (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          type={type}
          class="input w-full"
          disabled={disabled}
          value={draft[key]}
          onInput={(event) => edit({ [key]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
  return (
    <>
      <p class="text-sm">
        {appointment.status ? t("app_/status", { status: word("appointment", appointment.status) }) : t("app_/no")}
      </p>
      <div class="grid gap-3 sm:grid-cols-2">
        {input("from", t("app_/date"), "datetime-local")}
        {input("to", t("app_/end"), "datetime-local")}
      </div>
      {input("place", t("app_/place"), "text")}
      {input("remark", t("app_/remark"), "text")}
      <p class="muted text-sm">{t("app_/zone", { zone })}</p>
      {!disabled && (
        <SaveButton
          idle={Object.keys(touched).length === 0 || !complete}
          busy={busy}
          onSave={() => void save()}
          label={t(appointment.status === null ? "app_/propose" : "office/edit_appointment")}
        />
      )}
    </>
  );
}

export function AssignmentForm({ view, apply, disabled }: FormProps): JSX.Element {
  const { assignment } = view;
  const [draft, edit, touched, reset] = useDraft({
    collectors: assignment.collectors.join(", "),
    due_by: assignment.due_by,
    instructions: assignment.instructions,
  });
  const [busy, run] = useBusy();
  const save = (): Promise<void> =>
    run(async () => {
      const patch: AssignmentPatch = {};
      if (touched.collectors !== undefined) patch.collectors = draft.collectors.split(/[,\s,、]+/).filter(Boolean);
      if (touched.due_by !== undefined) patch.due_by = draft.due_by;
      if (touched.instructions !== undefined) patch.instructions = draft.instructions;
      if (await apply({ do: "assign", ...patch })) reset();
    });
  return (
    <>
      <Field label={t("office/collector")}>
        {(id) => (
          <input
            id={id}
            class="input w-full"
            autocapitalize="none"
            disabled={disabled}
            value={draft.collectors}
            onInput={(event) => edit({ collectors: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label={t("office/due_by")}>
        {(id) => (
          <input
            id={id}
            type="date"
            class="input w-full"
            disabled={disabled}
            value={draft.due_by}
            onInput={(event) => edit({ due_by: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label={t("office/instructions")}>
        {(id) => (
          <textarea
            id={id}
            rows={2}
            class="textarea w-full"
            disabled={disabled}
            value={draft.instructions}
            onInput={(event) => edit({ instructions: event.currentTarget.value })}
          />
        )}
      </Field>
      {!disabled && <SaveButton idle={Object.keys(touched).length === 0} busy={busy} onSave={() => void save()} />}
    </>
  );
}

export function NotesForm({ view, apply, disabled }: FormProps): JSX.Element {
  const [typed, setTyped] = useState<string | null>(null);
  const base = useRef(view.heads);
  const [busy, run] = useBusy();
  // The text is merged against the state that typing began from.
  if (typed === null) base.current = view.heads;
  const save = (): Promise<void> =>
    run(async () => {
      if (typed !== null && (await apply({ do: "edit_notes", base: base.current, text: typed }))) setTyped(null);
    });
  return (
    <>
      <textarea
        aria-label={word("field", "notes")}
        rows={4}
        class="textarea w-full"
        disabled={disabled}
        value={typed ?? view.notes}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      {!disabled && <SaveButton idle={typed === null || typed === view.notes} busy={busy} onSave={() => void save()} />}
    </>
  );
}

export function ReviewForm({ view, apply, disabled }: FormProps): JSX.Element {
  const [remark, setRemark] = useState("");
  const [wants, setWants] = useState(false);
  const [busy, run] = useBusy();
  const { review } = view;
  const decide = (status: "accepted" | "returned"): Promise<void> =>
    run(async () => {
      setWants(status === "returned" && remark.trim() === "");
      if (status === "returned" && remark.trim() === "") return;
      if (await apply({ do: "review", status, remark: remark.trim(), at: Date.now() })) setRemark("");
    });
  return (
    <>
      <p class="text-sm">
        {word("review", review.status)}
        {review.at !== null && ` · ${t("app/by_at", { by: review.by, at: formatDateTime(review.at) })}`}
      </p>
      {review.remark && <p class="bg-base-200 rounded-field p-2 text-sm whitespace-pre-line">{review.remark}</p>}
      {view.stage === "sealed" && !disabled ? (
        <>
          <Field label={t("office/remark")} error={wants ? t("office/remark_needed") : undefined}>
            {(id, note) => (
              <textarea
                id={id}
                aria-describedby={note}
                rows={2}
                class="textarea w-full"
                value={remark}
                onInput={(event) => setRemark(event.currentTarget.value)}
              />
            )}
          </Field>
          <div class="flex gap-2">
            <button type="button" class="btn btn-primary" disabled={busy} onClick={() => void decide("accepted")}>
              {t("office/accept")}
            </button>
            <button type="button" class="btn btn-outline" disabled={busy} onClick={() => void decide("returned")}>
              {t("office/return")}
            </button>
          </div>
        </>
      ) : (
        view.stage !== "reviewed" && <Alert>{t("office/not_sealed")}</Alert>
      )}
    </>
  );
}
