/** One record, whole: facts, the office's own fields, conflicts, history. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { Command, VisitView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { Conflicts } from "../ui/Conflicts";
import { formatDate, formatDateTime, formatMoney, formatWindow } from "../ui/format";
import { Alert } from "../ui/parts";
import { api } from "./api";
import { AppointmentForm, AssignmentForm, NotesForm, ReviewForm } from "./forms";
import { HistoryTable } from "./HistoryTable";
import { explain, mayWrite } from "./state";

/** The page asks again this often; a field that is being edited is left alone. */
const REFRESH_MS = 15_000;

export type Apply = (command: Command) => Promise<boolean>;

export function VisitPage({ id }: { id: string }): JSX.Element {
  const [view, setView] = useState<VisitView | null>(null);
  const [error, setError] = useState<string | null>(null);
  const load = (): Promise<void> =>
    api.visit(id).then(
      (next) => {
        setView(next);
        setError(null);
      },
      (cause: unknown) => setError(explain(cause)),
    );
  useEffect(() => {
    void load();
    const timer = setInterval(() => void load(), REFRESH_MS);
    const focus = (): void => void load();
    addEventListener("focus", focus);
    return () => {
      clearInterval(timer);
      removeEventListener("focus", focus);
    };
  }, [id]);
  const apply: Apply = async (command) => {
    try {
      setView(await api.command(id, command));
      setError(null);
      return true;
    } catch (cause) {
      setError(explain(cause));
      return false;
    }
  };
  return (
    <div class="flex flex-col gap-4">
      <Link href="/" class="btn btn-ghost self-start">
        ‹ {t("office/next_page")}
      </Link>
      {error && <Alert tone="error">{error}</Alert>}
      {view ? <Visit view={view} apply={apply} /> : !error && <p>{t("app/loading")}</p>}
    </div>
  );
}

function Visit({ view, apply }: { view: VisitView; apply: Apply }): JSX.Element {
  const { case: facts } = view;
  const writes = mayWrite();
  return (
    <>
      <header class="flex flex-wrap items-baseline gap-x-4 gap-y-1">
        <h1 class="text-2xl font-bold">{facts.borrower_name}</h1>
        <span class="text-lg tabular-nums">{formatMoney(facts.overdue, facts.currency)}</span>
        <span class="muted">{view.case_no}</span>
        <span class="bg-base-100 border-base-300 rounded-full border px-3 py-0.5">{word("stage", view.stage)}</span>
        {view.review.status !== "pending" && (
          <span class="bg-warning text-warning-content rounded-full px-3 py-0.5">
            {word("review", view.review.status)}
          </span>
        )}
        <span class="grow" />
        <a class="btn btn-outline" href={`/api/visits/${view.id}.automerge`} download={`${view.case_no}.automerge`}>
          {t("office/download")}
        </a>
      </header>
      {facts.flags.length > 0 && (
        <section role="alert" class="bg-error text-error-content rounded-box flex flex-col gap-2 p-4">
          <h2 class="font-semibold">{t("rec/holds")}</h2>
          {facts.flags.map((hold) => (
            <p key={`${hold.flag}.${hold.by}`} class="flex items-center gap-3">
              {t("rec/hold_by", { flag: word("flag", hold.flag), by: hold.by })} {hold.note && `· ${hold.note}`}
              {writes && (
                <button
                  type="button"
                  class="btn btn-sm"
                  onClick={() => void apply({ do: "lift_hold", flag: hold.flag })}
                >
                  {t("office/lift")}
                </button>
              )}
            </p>
          ))}
        </section>
      )}
      {writes ? (
        <Conflicts view={view} apply={apply} />
      ) : (
        view.conflicts.length > 0 && <Alert tone="error">{t("conf/title")}</Alert>
      )}
      <div class="grid items-start gap-4 lg:grid-cols-2">
        <CaseFacts view={view} />
        <Card title={t("office/assign")}>
          <AssignmentForm view={view} apply={apply} disabled={!writes} />
        </Card>
        <Card title={t("office/appointment")}>
          <AppointmentForm view={view} apply={apply} disabled={!writes} />
        </Card>
        <Card title={t("office/review_title")}>
          <ReviewForm view={view} apply={apply} disabled={!writes} />
        </Card>
        <VisitFacts view={view} />
        <TalkFacts view={view} />
        <Contacts view={view} />
        <Card title={word("field", "notes")}>
          <NotesForm view={view} apply={apply} disabled={!writes} />
          {view.feedback && (
            <>
              <h3 class="text-sm font-medium">{word("field", "feedback")}</h3>
              <p class="whitespace-pre-line">{view.feedback}</p>
            </>
          )}
        </Card>
      </div>
      <HistoryTable view={view} />
    </>
  );
}

function Card({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="card-plain flex flex-col gap-3" aria-label={title}>
      <h2 class="section-title">{title}</h2>
      {children}
    </section>
  );
}

/** Name and value; what is empty is left out. */
function Facts({ rows }: { rows: [string, ComponentChildren][] }): JSX.Element {
  return (
    <dl class="grid grid-cols-[minmax(8rem,auto)_1fr] gap-x-4 gap-y-1.5 text-sm">
      {rows.map(
        ([name, value]) =>
          value !== null &&
          value !== "" &&
          value !== undefined && (
            <>
              <dt class="muted">{name}</dt>
              <dd>{value}</dd>
            </>
          ),
      )}
    </dl>
  );
}

function CaseFacts({ view }: { view: VisitView }): JSX.Element {
  const { case: facts } = view;
  const field = (key: string): string => word("field", `case.${key}`);
  return (
    <Card title={t("rec/case")}>
      <Facts
        rows={[
          [field("address"), facts.address],
          [field("phones"), facts.phones.join(", ")],
          [field("product"), word("product", facts.product)],
          [field("principal"), facts.principal === null ? null : formatMoney(facts.principal, facts.currency)],
          [field("overdue"), formatMoney(facts.overdue, facts.currency)],
          [field("days_past_due"), facts.days_past_due],
          [field("due_date"), formatDate(facts.due_date)],
          [field("last_payment_date"), facts.last_payment_date && formatDate(facts.last_payment_date)],
          [field("note"), <span class="whitespace-pre-line">{facts.note}</span>],
        ]}
      />
    </Card>
  );
}

function VisitFacts({ view }: { view: VisitView }): JSX.Element {
  const { visit } = view;
  const field = (key: string): string => word("field", `visit.${key}`);
  const at = (ms: number | null): string | null => (ms === null ? null : formatDateTime(ms, visit.zone));
  return (
    <Card title={t("office/facts")}>
      <Facts
        rows={[
          [field("departed_at"), at(visit.departed_at)],
          [field("arrived_at"), at(visit.arrived_at)],
          [field("left_at"), at(visit.left_at)],
          [field("asked_to_leave_at"), at(visit.asked_to_leave_at)],
          [field("place_type"), visit.place_type && word("place", visit.place_type)],
          [field("person_met"), visit.person_met && word("person", visit.person_met)],
          [t("site/visitors"), visit.visitors.join(", ")],
          [
            field("position"),
            visit.position &&
              `${visit.position.lat.toFixed(5)}, ${visit.position.lon.toFixed(5)} ± ${Math.round(visit.position.accuracy_m)} m`,
          ],
        ]}
      />
      <ul class="text-sm">
        {view.checks.map((check) => (
          <li key={`${check.item}.${check.by}`}>
            {word("check", check.item)}: <strong>{word("answer", check.answer)}</strong>{" "}
            {check.reason && `– ${check.reason}`}{" "}
            <span class="muted">
              ({check.by}, {word("grade", check.grade)})
            </span>
          </li>
        ))}
      </ul>
      {view.seal && <p class="text-sm">{t("end/sealed_at", { by: view.seal.by, at: formatDateTime(view.seal.at) })}</p>}
    </Card>
  );
}

function TalkFacts({ view }: { view: VisitView }): JSX.Element {
  const { talk } = view;
  const { currency } = view.case;
  const field = (key: string): string => word("field", `talk.${key}`);
  return (
    <Card title={word("step", "talk")}>
      <Facts
        rows={[
          [field("overdue_reason"), talk.overdue_reason && word("reason", talk.overdue_reason)],
          [field("overdue_reason_text"), talk.overdue_reason_text],
          [field("willingness"), talk.willingness && word("willingness", talk.willingness)],
          [field("disposition"), talk.disposition && word("disposition", talk.disposition)],
          [
            field("promise"),
            talk.promise &&
              `${formatMoney(talk.promise.amount, currency)} · ${formatDate(talk.promise.due_date)} ${talk.promise.channel}`,
          ],
        ]}
      />
      <ul class="grid gap-2 sm:grid-cols-2">
        {talk.options.map((option) => (
          <li
            key={option.id}
            class={`rounded-field border p-2 text-sm ${talk.chosen_option === option.id ? "border-primary border-2" : "border-base-300"}`}
          >
            {talk.chosen_option === option.id && "✓ "}
            {word("option", option.kind)} · {formatMoney(option.amount, currency)} ·{" "}
            {t("talk_/each", { n: option.instalments, amount: "" })}
            {formatDate(option.first_due)}
          </li>
        ))}
      </ul>
      {view.payments.map((payment) => (
        <p key={payment.id} class="text-sm">
          {t("end/payments")}: {formatMoney(payment.amount, currency)} · {formatDateTime(payment.at)} · {payment.by}{" "}
          {payment.reference}
        </p>
      ))}
      {view.amendments.map((amendment) => (
        <p key={amendment.id} class="text-sm">
          {t("end/amendments")}: {amendment.text} (
          {t("app/by_at", { by: amendment.by, at: formatDateTime(amendment.at) })})
        </p>
      ))}
    </Card>
  );
}

function Contacts({ view }: { view: VisitView }): JSX.Element {
  const { appointment } = view;
  return (
    <Card title={word("field", "contacts")}>
      {appointment.starts_at !== null && (
        <p class="text-sm">{formatWindow(appointment.starts_at, appointment.ends_at, view.case.zone)}</p>
      )}
      {view.contacts.length === 0 && <p class="muted">{t("con/none")}</p>}
      <ol class="flex flex-col gap-2 text-sm">
        {view.contacts.map((contact) => (
          <li key={contact.id}>
            {word("channel", contact.channel)} · {word("outcome", contact.outcome)} ·{" "}
            {word("person", contact.target_role)} {contact.note && `– ${contact.note}`}{" "}
            <span class="muted">
              ({t("app/by_at", { by: contact.by, at: formatDateTime(contact.at, contact.zone) })})
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}
