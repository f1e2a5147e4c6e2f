/** One complaint: what was said, by when it has to be decided, what was done, and what can be done. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t } from "../../i18n";
import { Alert, Choices, Select, TextField } from "../../ui/components";
import { formatDateTime } from "../../ui/format";
import {
  api,
  type ComplaintFile,
  type ComplaintOutcome,
  type ComplaintRow,
  type ComplaintSource,
  type ComplaintStepRequest,
  type ComplaintTopic,
} from "../api";
import { useUnloadWarning } from "../formDraft";
import { ByLine, Card, Facts, PageTitle } from "../layout";
import { explain } from "../state";
import { useRequest } from "../useRequest";
import { DeadlineText, Outcome, OUTCOMES, SOURCES, TOPICS } from "./facts";

export function ComplaintPage({ number }: { number: string }): JSX.Element {
  const [file, setFile] = useState<ComplaintFile | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => void api.complaint(number).then(setFile, (cause: unknown) => setError(explain(cause))), [number]);
  return (
    <div class="flex flex-col gap-4">
      <Link href="/complaints" class="btn btn-ghost self-start">
        ‹ {t("office/complaints/back")}
      </Link>
      {error && <Alert tone="error">{error}</Alert>}
      {!file && !error && <p role="status">{t("app/loading")}</p>}
      {file && <File file={file} onChange={setFile} />}
    </div>
  );
}

interface Props {
  file: ComplaintFile;
  onChange: (file: ComplaintFile) => void;
}

function File({ file, onChange }: Props): JSX.Element {
  const { complaint, events } = file;
  return (
    <>
      <PageTitle>{t("office/complaints/no", { n: complaint.number })}</PageTitle>
      <div class="grid items-start gap-4 lg:grid-cols-2">
        <div class="flex min-w-0 flex-col gap-4">
          <ComplaintFacts complaint={complaint} />
          <Card title={t("office/history")}>
            <ol class="flex flex-col gap-3 text-sm" data-testid="complaint-events">
              {events.map((event) => (
                <li key={`${event.at}.${event.step}`} class="border-base-300 border-l-2 pl-3">
                  <p class="font-medium">
                    {t(`office/complaints/step_${event.step}`)}
                    {event.outcome && `: ${t(`office/complaints/outcome_${event.outcome}`)}`}
                  </p>
                  <p class="whitespace-pre-line">{event.text}</p>
                  <ByLine by={event.by} at={formatDateTime(event.at)} />
                </li>
              ))}
            </ol>
          </Card>
        </div>
        <div class="flex min-w-0 flex-col gap-4">
          {complaint.closed_at === null ? (
            <OpenForms file={file} onChange={onChange} />
          ) : (
            <ClosedForms file={file} onChange={onChange} />
          )}
        </div>
      </div>
    </>
  );
}

function ComplaintFacts({ complaint }: { complaint: ComplaintRow }): JSX.Element {
  return (
    <Card title={t("office/complaints/facts")}>
      <Facts
        rows={[
          [
            t("office/case_no"),
            <Link class="link" href={`/visits/${complaint.record}`}>
              {complaint.case_no}
            </Link>,
          ],
          [t("office/complaints/source"), t(`office/complaints/sources/${complaint.source}`)],
          [t("office/complaints/topic"), t(`office/complaints/topics/${complaint.topic}`)],
          [
            t("office/complaints/received_at"),
            <ByLine by={complaint.raised_by} at={formatDateTime(complaint.received_at)} />,
          ],
          [t("office/complaints/deadline"), <DeadlineText complaint={complaint} />],
          [
            t("office/complaints/extended_from"),
            complaint.extended_from !== null && formatDateTime(complaint.extended_from),
          ],
          [t("office/complaints/rule"), complaint.rule ? complaint.rule : t("office/complaints/rule_own")],
          [t("office/complaints/state"), <Outcome complaint={complaint} />],
          [t("office/complaints/text"), complaint.text || t("office/nothing_yet")],
        ]}
      />
    </Card>
  );
}

type Step = Omit<ComplaintStepRequest, "id">;

/** Sends a step; a repeated attempt has the same id until the office has answered. */
function useStep({ file, onChange }: Props, onDone: () => void) {
  const id = useRef(crypto.randomUUID());
  const request = useRequest(() => {
    id.current = crypto.randomUUID();
    onDone();
  });
  const send = (step: Step): void =>
    request.send(async () => onChange(await api.complaintStep(file.complaint.number, { ...step, id: id.current })));
  return { ...request, send };
}

const FORMS = ["reply", "decide", "extend", "correct"] as const;

function OpenForms(props: Props): JSX.Element {
  const [form, setForm] = useState<(typeof FORMS)[number]>("reply");
  const latest = props.file.latest_deadline;
  const options = FORMS.filter((one) => one !== "extend" || latest !== null);
  return (
    <Card title={t("office/complaints/act")}>
      <Choices
        label={t("office/complaints/what")}
        options={options}
        look="segments"
        value={form}
        word={(one) => t(`office/complaints/form_${one}`)}
        onChange={setForm}
      />
      {form === "reply" && <ReplyForm {...props} />}
      {form === "decide" && <DecisionForm {...props} />}
      {form === "extend" && latest !== null && <ExtensionForm {...props} latest={latest} />}
      {form === "correct" && <CorrectionForm {...props} />}
    </Card>
  );
}

/** A text with a button; the step is not sent without a text. */
function StepForm(props: {
  label: string;
  button: string;
  initial?: string;
  busy: boolean;
  error: string | null;
  onSend: (text: string) => void;
}): JSX.Element {
  const { initial = "" } = props;
  const [text, setText] = useState(initial);
  const [validated, setValidated] = useState(false);
  useUnloadWarning(text !== initial);
  const empty = text.trim() === "";
  const send = (): void => {
    setValidated(true);
    if (!empty) props.onSend(text.trim());
  };
  return (
    <>
      <TextField
        label={props.label}
        lines={4}
        value={text}
        error={validated && empty ? t("office/complaints/needed") : undefined}
        onInput={setText}
      />
      <button type="button" class="btn btn-primary self-start" disabled={props.busy} onClick={send}>
        {props.button}
      </button>
      {props.error && <Alert tone="error">{props.error}</Alert>}
    </>
  );
}

function ReplyForm(props: Props): JSX.Element {
  const [sent, setSent] = useState(0);
  const step = useStep(props, () => setSent(sent + 1));
  return (
    <StepForm
      key={sent}
      label={t("office/complaints/reply")}
      button={t("office/complaints/reply_now")}
      busy={step.busy}
      error={step.error}
      onSend={(text) => step.send({ step: "replied", text })}
    />
  );
}

function DecisionForm(props: Props): JSX.Element {
  const [outcome, setOutcome] = useState<ComplaintOutcome | "">("");
  const step = useStep(props, () => undefined);
  const [validated, setValidated] = useState(false);
  const send = (text: string): void => {
    setValidated(true);
    if (outcome) step.send({ step: "closed", outcome, text });
  };
  return (
    <>
      <Choices
        label={t("office/complaints/outcome")}
        options={OUTCOMES}
        look="grid"
        value={outcome}
        word={(one) => t(`office/complaints/outcome_${one}`)}
        onChange={setOutcome}
      />
      {validated && !outcome && (
        <p role="alert" class="text-error text-sm">
          {t("office/complaints/needed")}
        </p>
      )}
      <StepForm
        label={t("office/complaints/reason")}
        button={t("office/complaints/close_now")}
        busy={step.busy}
        error={step.error}
        onSend={send}
      />
    </>
  );
}

/** The last moment of a day here, and no later than the rule allows. */
const endOf = (day: string, latest: number): number => Math.min(new Date(`${day}T23:59:59`).getTime(), latest);

function ExtensionForm(props: Props & { latest: number }): JSX.Element {
  const { latest, file } = props;
  const [day, setDay] = useState("");
  const step = useStep(props, () => setDay(""));
  const [validated, setValidated] = useState(false);
  const end = day ? endOf(day, latest) : null;
  const later = end !== null && end > file.complaint.deadline_at;
  const send = (text: string): void => {
    setValidated(true);
    if (later) step.send({ step: "extended", deadline_at: end, text });
  };
  return (
    <>
      <TextField
        label={t("office/complaints/new_deadline")}
        type="date"
        value={day}
        hint={t("office/complaints/latest", { at: formatDateTime(latest) })}
        error={validated && !later ? t("office/complaints/need_later") : undefined}
        onInput={setDay}
      />
      <StepForm
        label={t("office/complaints/reason")}
        button={t("office/complaints/extend_now")}
        busy={step.busy}
        error={step.error}
        onSend={send}
      />
    </>
  );
}

function CorrectionForm(props: Props): JSX.Element {
  const { complaint } = props.file;
  const [source, setSource] = useState<ComplaintSource | "">(complaint.source);
  const [topic, setTopic] = useState<ComplaintTopic | "">(complaint.topic);
  const step = useStep(props, () => undefined);
  return (
    <>
      <div class="grid gap-3 sm:grid-cols-2">
        <Select
          label={t("office/complaints/source")}
          options={SOURCES}
          value={source}
          word={(one) => t(`office/complaints/sources/${one}`)}
          onChange={setSource}
        />
        <Select
          label={t("office/complaints/topic")}
          options={TOPICS}
          value={topic}
          word={(one) => t(`office/complaints/topics/${one}`)}
          onChange={setTopic}
        />
      </div>
      <StepForm
        label={t("office/complaints/text")}
        button={t("office/complaints/correct_now")}
        initial={complaint.text}
        busy={step.busy}
        error={step.error}
        onSend={(text) => step.send({ step: "described", source: source || "other", topic: topic || "unknown", text })}
      />
    </>
  );
}

/** After the decision: the hold can be lifted, and the decision reversed. */
function ClosedForms(props: Props): JSX.Element {
  const { record } = props.file.complaint;
  const step = useStep(props, () => undefined);
  return (
    <>
      <LiftHold record={record} />
      <Card title={t("office/complaints/reopen")}>
        <StepForm
          label={t("office/complaints/reason")}
          button={t("office/complaints/reopen_now")}
          busy={step.busy}
          error={step.error}
          onSend={(text) => step.send({ step: "reopened", text })}
        />
      </Card>
    </>
  );
}

function LiftHold({ record }: { record: string }): JSX.Element | null {
  const [held, setHeld] = useState<boolean | null>(null);
  const request = useRequest(() => setHeld(false));
  useEffect(() => {
    const isHeld = ({ case: { flags } }: Awaited<ReturnType<typeof api.visit>>): void =>
      setHeld(flags.some(({ flag }) => flag === "complaint"));
    // The button is left out if the record cannot be read; its page has one as well.
    void api.visit(record).then(isHeld, () => undefined);
  }, [record]);
  if (held === null) return null;
  return (
    <Card title={t("office/complaints/hold")}>
      <p class="text-sm" role="status">
        {t(held ? "office/complaints/held" : "office/complaints/not_held")}
      </p>
      {held && (
        <button
          type="button"
          class="btn btn-outline self-start"
          disabled={request.busy}
          onClick={() => request.send(() => api.command(record, { do: "lift_hold", flag: "complaint" }))}
        >
          {t("office/lift_now")}
        </button>
      )}
      {request.error && <Alert tone="error">{request.error}</Alert>}
    </Card>
  );
}
