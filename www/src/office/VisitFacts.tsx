/** Read-only cards of a record: case, contacts and visit. */
import type { JSX } from "preact";
import type { VisitView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { formatDate, formatDateTime, formatMoney, phoneNumber } from "../ui/format";
import { Card, Facts, ByLine } from "./layout";
import { MarkButton, MarkedCard, MarkedFacts } from "./review/marks";

export function CaseFacts({ view }: { view: VisitView }): JSX.Element {
  const { case: facts } = view;
  const field = (key: string): string => word("field", `case.${key}`);
  return (
    <Card title={t("record/case")}>
      <Facts
        rows={[
          [field("borrower_name"), facts.borrower_name],
          [t("office/case_no"), view.case_no],
          [field("address"), facts.address],
          [field("phones"), facts.phones.join("\n")],
          [field("product"), facts.product && word("product", facts.product)],
          [field("principal"), facts.principal !== null && formatMoney(facts.principal, facts.currency)],
          [field("overdue"), formatMoney(facts.overdue, facts.currency)],
          [field("days_past_due"), facts.days_past_due],
          [field("due_date"), formatDate(facts.due_date)],
          [field("last_payment_date"), facts.last_payment_date && formatDate(facts.last_payment_date)],
          [t("office/path/case.preferred_language"), facts.preferred_language],
          [t("office/path/case.zone"), facts.zone],
          [field("note"), facts.note],
        ]}
      />
    </Card>
  );
}

export function Contacts({ view }: { view: VisitView }): JSX.Element {
  return (
    <MarkedCard title={word("field", "contacts")} path="contacts">
      {view.contacts.length === 0 && <p class="muted text-sm">{t("contact/none")}</p>}
      <ol class="flex flex-col gap-2 text-sm empty:hidden">
        {view.contacts.map((contact) => (
          <li key={contact.id} class="border-base-300 border-l-2 pl-3">
            <span class="font-medium">
              {word("channel", contact.channel)} · {word("outcome", contact.outcome)}
            </span>{" "}
            · {word("person", contact.target_role)}
            {contact.number_ref && ` · ${phoneNumber(contact.number_ref, view.case.phones)}`}
            {contact.note && <p class="whitespace-pre-line">{contact.note}</p>}
            <p>
              <ByLine by={contact.by} at={formatDateTime(contact.at, contact.zone)} />
            </p>
          </li>
        ))}
      </ol>
    </MarkedCard>
  );
}

export function VisitFacts({ view }: { view: VisitView }): JSX.Element {
  const { visit } = view;
  const place = visit.position;
  return (
    <Card title={t("office/facts")}>
      <MarkedFacts
        rows={[
          ["visit.place_type", visit.place_type && word("place", visit.place_type)],
          ["visit.person_met", visit.person_met && word("person", visit.person_met)],
          ["visit.visitors", visit.visitors.join(", ")],
          [
            "visit.position",
            place && `${place.lat.toFixed(5)}, ${place.lon.toFixed(5)} ± ${Math.round(place.accuracy_m)} m`,
          ],
        ]}
      />
      <Checks view={view} />
    </Card>
  );
}

function Checks({ view }: { view: VisitView }): JSX.Element | null {
  if (view.checks.length === 0) return null;
  return (
    <>
      <h3 class="text-sm font-medium">{t("site/checks")}</h3>
      <ul class="flex flex-col gap-0.5 text-sm">
        {view.checks.map((check) => (
          <li key={`${check.item}.${check.by}`} class="flex min-h-7 items-center gap-x-2">
            <span class="flex grow flex-wrap justify-between gap-x-3">
              <span>{word("check", check.item)}</span>
              <span>
                <strong>{word("answer", check.answer)}</strong>
                {check.reason && ` – ${check.reason}`}{" "}
                <span class="muted">
                  {word("grade", check.grade)} ·{" "}
                  <ByLine by={check.by} at={formatDateTime(check.at, view.visit.zone || view.case.zone)} />
                </span>
              </span>
            </span>
            <MarkButton path={`checks.${check.item}`} label={word("check", check.item)} />
          </li>
        ))}
      </ul>
    </>
  );
}
