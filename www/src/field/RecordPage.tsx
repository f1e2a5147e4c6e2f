/** One record: holds on top, the case, then a guided flow over five steps. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import type { Step, VisitView } from "../wasm/doorstep";
import { sentence, t, word } from "../i18n";
import { fieldName, formatDate, formatMoney } from "../ui/format";
import { Alert } from "../ui/parts";
import { Conflicts } from "../ui/Conflicts";
import { History } from "./History";
import { Holds, RaiseHoldButton } from "./Holds";
import { client, explain, rows, save, showToast } from "./state";
import { AppointmentStep } from "./steps/Appointment";
import { ContactStep } from "./steps/Contact";
import { OnSiteStep } from "./steps/OnSite";
import { RecordStep } from "./steps/Record";
import { TalkStep } from "./steps/Talk";
import { SyncChip } from "./SyncStatus";
import { useRecord, type OpenRecord } from "./useRecord";

const STEPS: readonly Step[] = ["contact", "appointment", "on_site", "talk", "record"];

export function RecordPage({ id, step }: { id: string; step: string | undefined }): JSX.Element {
  const state = useRecord(id);
  switch (state.kind) {
    case "loading":
      return (
        <Frame>
          <p class="muted p-4" aria-busy="true">
            {t("app/loading")}
          </p>
        </Frame>
      );
    case "failed":
      return (
        <Frame>
          <Failed code={state.code} />
        </Frame>
      );
    case "open":
      return (
        <Frame>
          <Open record={state.record} asked={step} />
          {state.error && (
            <div class="fixed inset-x-0 bottom-16 z-20 mx-auto max-w-xl p-3">
              <div class="flex items-center gap-2">
                <div class="grow">
                  <Alert tone="error">{state.error}</Alert>
                </div>
                <button type="button" class="btn" onClick={state.dismiss}>
                  {t("app/dismiss")}
                </button>
              </div>
            </div>
          )}
        </Frame>
      );
  }
}

/** The first step that lacks something. */
function firstOpen(view: VisitView): Step {
  return view.steps.find(({ done }) => !done)?.step ?? "record";
}

function Frame({ children }: { children: preact.ComponentChildren }): JSX.Element {
  return (
    <div class="mx-auto max-w-xl pb-28">
      <header class="bg-base-200/95 sticky top-0 z-10 flex items-center justify-between gap-2 px-2 py-2 backdrop-blur">
        <Link href="/" class="btn btn-ghost">
          ‹ {t("list/title")}
        </Link>
        <div class="flex items-center gap-2">
          <SaveMark />
          <SyncChip />
        </div>
      </header>
      <main class="flex flex-col gap-4 px-4">{children}</main>
    </div>
  );
}

/** "Saved on this phone" stands only after the store's transaction has completed. */
function SaveMark(): JSX.Element | null {
  const state = save.value;
  if (!state) return null;
  const failed = state.state === "failed";
  return (
    <span
      data-testid="save-state"
      data-state={state.state}
      role="status"
      class={`text-right text-xs ${failed ? "text-error font-semibold" : "muted"}`}
    >
      {t(`save/${state.state}`)}
      {failed && <span class="sr-only"> {sentence("error", state.reason ?? "storage_failed")}</span>}
    </span>
  );
}

function Failed({ code }: { code: string }): JSX.Element {
  const known =
    code === "unknown_record"
      ? ["rec/gone", "rec/gone_text"]
      : code === "damaged"
        ? ["rec/damaged", "rec/damaged_text"]
        : null;
  return (
    <div class="card-plain flex flex-col gap-3">
      <h1 class="text-lg font-semibold">{known ? t(known[0] ?? "") : sentence("error", code)}</h1>
      {known && <p>{t(known[1] ?? "")}</p>}
      <button type="button" class="btn btn-primary" onClick={() => void client.syncNow()}>
        {t("sync/now")}
      </button>
    </div>
  );
}

function Open({ record, asked }: { record: OpenRecord; asked: string | undefined }): JSX.Element {
  const { view, apply } = record;
  // Chosen once: a page never jumps on by itself while somebody works on it.
  const [fallback] = useState(() => firstOpen(view));
  const step = STEPS.find((known) => known === asked) ?? fallback;
  const [history, setHistory] = useState(false);
  const [, go] = useLocation();
  const current = view.steps.find((candidate) => candidate.step === step);
  const next = STEPS[STEPS.indexOf(step) + 1];
  const Body = {
    contact: ContactStep,
    appointment: AppointmentStep,
    on_site: OnSiteStep,
    talk: TalkStep,
    record: RecordStep,
  }[step];
  return (
    <>
      <Holds record={record} />
      <Refused id={view.id} />
      {view.review.status === "returned" && view.stage === "recorded" && (
        <Alert tone="warning">
          <strong>{t("rec/returned")}</strong>
          <p>{view.review.remark}</p>
        </Alert>
      )}
      {view.stage === "reviewed" && <Alert>{t("rec/accepted")}</Alert>}
      {view.stage === "sealed" && <Alert>{t("rec/sealed")}</Alert>}
      <CaseHead record={record} onHistory={() => setHistory(true)} />
      <Conflicts view={view} apply={apply} />
      <nav aria-label={t("rec/steps")} class="grid grid-cols-[1fr_1.4fr_1fr_0.8fr_1fr] gap-1">
        {view.steps.map(({ step: name, done }, at) => (
          <Link
            key={name}
            href={`/visit/${view.id}/${name}`}
            replace
            aria-current={name === step ? "step" : undefined}
            class={`rounded-field flex min-h-14 flex-col items-center justify-center gap-0.5 border px-0.5 text-center text-[0.7rem] leading-tight no-underline ${
              name === step ? "bg-primary text-primary-content border-primary" : "bg-base-100 border-base-300"
            }`}
          >
            <span class="text-sm font-semibold">{done ? "✓" : at + 1}</span>
            <span>{word("step", name)}</span>
          </Link>
        ))}
      </nav>
      <p class="muted text-sm" aria-live="polite">
        {current?.done
          ? t("rec/done")
          : t("rec/missing", { list: (current?.missing ?? []).map(fieldName).join(" · ") })}
      </p>
      <Body record={record} />
      {next && (
        <button
          type="button"
          class="btn btn-outline"
          onClick={() => go(`/visit/${view.id}/${next}`, { replace: true })}
        >
          {t("rec/next", { step: word("step", next) })} ›
        </button>
      )}
      {history && <History view={view} onClose={() => setHistory(false)} />}
    </>
  );
}

function CaseHead({ record, onHistory }: { record: OpenRecord; onHistory: () => void }): JSX.Element {
  const { view } = record;
  const { case: facts } = view;
  return (
    <section class="card-plain flex flex-col gap-2" aria-label={t("rec/case")}>
      <div class="flex items-baseline justify-between gap-2">
        <h1 class="text-xl font-bold">{facts.borrower_name}</h1>
        <span class="text-lg font-semibold tabular-nums">{formatMoney(facts.overdue, facts.currency)}</span>
      </div>
      <p class="text-sm">{facts.address}</p>
      <p class="muted text-sm">
        {view.case_no} · {word("product", facts.product)} · {t("list/dpd", { n: facts.days_past_due })} ·{" "}
        {formatDate(facts.due_date)}
      </p>
      {facts.note && <p class="bg-base-200 rounded-field p-2 text-sm whitespace-pre-line">{facts.note}</p>}
      {view.assignment.instructions && (
        <p class="bg-base-200 rounded-field p-2 text-sm whitespace-pre-line">{view.assignment.instructions}</p>
      )}
      <div class="flex flex-wrap gap-2">
        {facts.phones.map((phone) => (
          <a key={phone} class="btn btn-sm bg-base-100 border-base-300 min-h-11" href={`tel:${phone}`}>
            ☏ {phone}
          </a>
        ))}
        <button type="button" class="btn btn-sm btn-ghost min-h-11" onClick={onHistory}>
          {t("rec/history")}
        </button>
        <RaiseHoldButton record={record} />
      </div>
    </section>
  );
}

/** The office refused work on this record: why, and the way on. */
function Refused({ id }: { id: string }): JSX.Element | null {
  const problem = rows.value?.find((row) => row.id === id)?.problem;
  if (!problem?.startsWith("refused_")) return null;
  const code = problem.slice("refused_".length);
  const take = (): void => void client.giveUpRefused(id).catch((cause: unknown) => showToast({ text: explain(cause) }));
  return (
    <Alert tone="error">
      <p>{t("rec/refused", { message: code === "not_allowed" ? sentence("error", code) : code })}</p>
      <p class="py-2">{t("rec/refused_way")}</p>
      <button type="button" class="btn btn-outline" onClick={take}>
        {t("rec/take_copy")}
      </button>
    </Alert>
  );
}
