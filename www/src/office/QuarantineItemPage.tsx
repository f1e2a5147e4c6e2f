/** One quarantine item compared with the office's record, and the decision on it. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { FieldValue } from "../wasm/doorstep";
import { t } from "../i18n";
import { formatDateTime, formatField } from "../ui/format";
import { Alert, Dialog, Field, useBusy } from "../ui/components";
import { ScrollableText } from "../ui/ScrollableText";
import { api, ApiError, type QuarantineItem } from "./api";
import { Card, Facts, isNarrow, PageTitle, ByLine } from "./layout";
import { pathName } from "./fieldLabels";
import { refusalText } from "./QuarantinePage";
import { explain, mayWrite } from "./state";

export function QuarantineItemPage({ id }: { id: string }): JSX.Element {
  const [item, setItem] = useState<QuarantineItem | null>(null);
  const [error, setError] = useState<string | null>(null);
  const load = (): Promise<void> =>
    api.quarantined(id).then(
      (got) => {
        setItem(got);
        setError(null);
      },
      (cause: unknown) => setError(explain(cause)),
    );
  useEffect(() => void load(), [id]);
  return (
    <div class="flex flex-col gap-4">
      <Link href="/quarantine" class="link self-start">
        {t("office/q/back")}
      </Link>
      <PageTitle>{t("office/q/title", { n: id })}</PageTitle>
      {error && <Alert tone="error">{error}</Alert>}
      {!item && !error && <p role="status">{t("app/loading")}</p>}
      {item && (
        <>
          <ItemFacts item={item} />
          <ComparisonCard item={item} />
          {item.decisions.length > 0 && <Decisions item={item} />}
          <DecisionCard item={item} onChange={setItem} reload={load} />
        </>
      )}
    </div>
  );
}

function ItemFacts({ item }: { item: QuarantineItem }): JSX.Element {
  return (
    <Card title={refusalText(item)}>
      <Facts
        rows={[
          [
            t("office/case_no"),
            item.case_no ? (
              <Link href={`/visits/${item.record}`} class="link">
                {item.case_no}
              </Link>
            ) : (
              t("office/no_such_record", { id: item.record })
            ),
          ],
          [t("office/who"), <ByLine by={item.user} at={formatDateTime(item.at)} />],
          [t("office/device"), <span class="font-mono text-xs">{item.device}</span>],
          [t("office/field"), item.path && pathName(item.path)],
          [t("office/why"), item.message],
          [t("office/q/state"), t(`office/q/${item.state}`)],
        ]}
      />
    </Card>
  );
}

/** One version of a field: the refused one, the office's, or the one after acceptance. */
type Column = "refused" | "now" | "after";

/** Compares the refused version, the office's version, and the result of accepting, field by field. */
function ComparisonCard({ item }: { item: QuarantineItem }): JSX.Element {
  const valueText = (path: string, value: FieldValue | null): string =>
    !value || value.type === "nothing" ? "–" : formatField(path, value, item.currency ?? "", item.zone ?? undefined);
  const open = item.fields.some(({ after }) => after !== null);
  const columns: Column[] = open ? ["refused", "now", "after"] : ["refused", "now"];
  const cells = ({ path, refused, office, after }: QuarantineItem["fields"][number]): [Column, string][] => {
    const values = { refused, now: office, after };
    return columns.map((column) => [column, valueText(path, values[column])]);
  };
  if (item.fields.length === 0) {
    return (
      <Card title={t("office/q/changes")}>
        <p class="muted">
          {item.exported === undefined ? t("office/q/unreadable") : t("office/room/exported", { n: item.exported })}
        </p>
      </Card>
    );
  }
  return (
    <Card title={t("office/q/changes")}>
      {isNarrow.value ? (
        <ul class="flex flex-col gap-3 text-sm">
          {item.fields.map((field) => (
            <li key={field.path} data-path={field.path} class="border-base-300 border-l-2 pl-3">
              <p class="font-medium">{pathName(field.path)}</p>
              <dl class="grid grid-cols-[auto_1fr] gap-x-3">
                {cells(field).map(([column, text]) => (
                  <>
                    <dt class="muted">{t(`office/q/${column}`)}</dt>
                    <dd class="min-w-0 break-words whitespace-pre-line">
                      <ScrollableText label={t(`office/q/${column}`)} text={text} />
                    </dd>
                  </>
                ))}
              </dl>
            </li>
          ))}
        </ul>
      ) : (
        <div class="overflow-x-auto" role="group" aria-label={t("office/q/changes")} tabIndex={0}>
          <table class="table-sm [&_th]:text-base-content table">
            <thead>
              <tr>
                <th scope="col">{t("office/field")}</th>
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {t(`office/q/${column}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {item.fields.map((field) => (
                <tr key={field.path} data-path={field.path} class="align-top">
                  <th scope="row" class="font-medium">
                    {pathName(field.path)}
                  </th>
                  {cells(field).map(([column, text]) => (
                    <td key={column} class="max-w-80 break-words whitespace-pre-line">
                      <ScrollableText label={t(`office/q/${column}`)} text={text} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function Decisions({ item }: { item: QuarantineItem }): JSX.Element {
  return (
    <Card title={t("office/q/decisions")}>
      <ol class="flex flex-col gap-2">
        {item.decisions.map((entry) => (
          <li key={entry.at}>
            <span class="font-medium">{t(`office/q/${entry.decision}`)}</span>{" "}
            <ByLine by={entry.by} at={formatDateTime(entry.at)} />
            {entry.reason && <p class="whitespace-pre-line">{entry.reason}</p>}
          </li>
        ))}
      </ol>
    </Card>
  );
}

interface DecidingProps {
  item: QuarantineItem;
  onChange: (item: QuarantineItem) => void;
  /** Loads the item again after the record has changed. */
  reload: () => Promise<void>;
}

function DecisionCard({ item, onChange, reload }: DecidingProps): JSX.Element {
  const [confirming, setConfirming] = useState<"accept" | "dismiss" | null>(null);
  const [warning, setWarning] = useState<string | null>(null);
  const how = item.acceptance;
  const effect = how.how === "impossible" ? refusalText(how) : t(`office/q/how/${how.how}`);
  if (item.state === "accepted") {
    return (
      <p role="status" class="text-success">
        {t("office/q/done_accepted")}
      </p>
    );
  }
  return (
    <Card title={t("office/q/decide")}>
      <p>{how.how === "impossible" ? t("office/q/how/impossible", { why: effect }) : effect}</p>
      {item.reopens && (
        <Alert tone="warning">
          <p data-testid="reopens">{t("office/q/reopens")}</p>
        </Alert>
      )}
      {item.went_on && item.exported === undefined && <Alert tone="warning">{t("office/q/continued")}</Alert>}
      {!mayWrite() && <p class="muted">{t("office/q/read_only")}</p>}
      {warning && <Alert tone="warning">{warning}</Alert>}
      {mayWrite() && (
        <div class="flex flex-wrap gap-2">
          <button
            type="button"
            class="btn btn-primary"
            disabled={how.how === "impossible"}
            onClick={() => setConfirming("accept")}
          >
            {t("office/q/accept")}
          </button>
          {item.state === "open" && (
            <button type="button" class="btn btn-outline" onClick={() => setConfirming("dismiss")}>
              {t("office/q/dismiss")}
            </button>
          )}
        </div>
      )}
      {item.state === "dismissed" && (
        <p role="status" class="muted text-sm">
          {t("office/q/done_dismissed")}
        </p>
      )}
      {confirming && (
        <ConfirmDialog
          what={confirming}
          item={item}
          onClose={() => setConfirming(null)}
          onDone={(next) => {
            setConfirming(null);
            setWarning(null);
            onChange(next);
          }}
          onConflict={() => {
            setConfirming(null);
            setWarning(t("office/q/moved"));
            void reload();
          }}
        />
      )}
    </Card>
  );
}

interface ConfirmProps {
  what: "accept" | "dismiss";
  item: QuarantineItem;
  onClose: () => void;
  onDone: (item: QuarantineItem) => void;
  onConflict: () => void;
}

function ConfirmDialog({ what, item, onClose, onDone, onConflict }: ConfirmProps): JSX.Element {
  const [reason, setReason] = useState("");
  const [reasonMissing, setReasonMissing] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  const decide = (event: SubmitEvent): void => {
    event.preventDefault();
    const missing = what === "dismiss" && reason.trim() === "";
    setReasonMissing(missing);
    if (missing) return;
    void run(async () => {
      try {
        onDone(
          await (what === "accept"
            ? api.accept(item.id, item.heads, reason.trim())
            : api.dismiss(item.id, reason.trim())),
        );
      } catch (cause) {
        if (cause instanceof ApiError && cause.code === "record_moved") onConflict();
        else setError(explain(cause));
      }
    });
  };
  return (
    <Dialog title={t(`office/q/${what}_title`)} onClose={onClose}>
      <form class="flex flex-col gap-4" onSubmit={decide}>
        <p>{t(`office/q/${what}_text`)}</p>
        <Field
          label={t(what === "accept" ? "office/q/reason_optional" : "office/q/reason")}
          error={reasonMissing ? t("office/q/reason_needed") : undefined}
        >
          {(id, note) => (
            <textarea
              id={id}
              aria-describedby={note}
              aria-invalid={reasonMissing}
              rows={3}
              maxLength={1000}
              class="textarea w-full"
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          )}
        </Field>
        {error && <Alert tone="error">{error}</Alert>}
        <div class="flex flex-wrap justify-end gap-2">
          <button type="button" class="btn btn-ghost" onClick={onClose}>
            {t("office/q/not_yet")}
          </button>
          <button type="submit" class="btn btn-primary" disabled={busy}>
            {t(`office/q/${what}_now`)}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
