/** Changes that one person proposed: another one approves or refuses them. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, useLocation, useSearch } from "wouter-preact";
import { t, word } from "../../i18n";
import { Alert, Choices, Dialog, TextField } from "../../ui/components";
import { formatDateTime, formatMoney } from "../../ui/format";
import { api, type ProposalLine, type ProposalPage } from "../api";
import { ByLine, Empty, Facts, PageTitle } from "../layout";
import { announceChange, queueCounts } from "../list/live";
import { explain, mayWrite, me } from "../state";
import { useRequest } from "../useRequest";

const PARTS = ["pending", "closed"] as const;
type Decision = "approve" | "refuse" | "withdraw";

export function ApprovalsPage(): JSX.Element {
  const [, go] = useLocation();
  const closed = new URLSearchParams(useSearch()).get("closed") === "1";
  const { page, error, load } = useProposals(closed);
  const [deciding, setDeciding] = useState<{ row: ProposalLine; how: Decision } | null>(null);
  return (
    <div class="flex flex-col gap-4">
      <PageTitle>{t("office/approvals/title")}</PageTitle>
      <p class="muted max-w-prose">{t("office/approvals/lead")}</p>
      <div class="max-w-sm">
        <Choices
          label={t("office/approvals/part")}
          options={PARTS}
          look="segments"
          value={closed ? "closed" : "pending"}
          word={(part) => t(`office/approvals/part_${part}`)}
          onChange={(part) => go(part === "closed" ? "/approvals?closed=1" : "/approvals", { replace: true })}
        />
      </div>
      {error && <Alert tone="error">{error}</Alert>}
      {!page && !error && <p role="status">{t("app/loading")}</p>}
      {page?.rows.length === 0 && <Empty title={t(`office/approvals/empty_${closed ? "closed" : "pending"}`)} />}
      <ul class="flex flex-col gap-3 empty:hidden">
        {page?.rows.map((row) => (
          <Row key={row.number} row={row} decide={(how) => setDeciding({ row, how })} />
        ))}
      </ul>
      {page?.next && (
        <button type="button" class="btn btn-outline self-center" onClick={() => load(page)}>
          {t("office/more")}
        </button>
      )}
      {deciding && (
        <DecisionDialog
          {...deciding}
          onClose={() => setDeciding(null)}
          onDone={() => {
            setDeciding(null);
            load(null);
            announceChange();
          }}
        />
      )}
    </div>
  );
}

function useProposals(closed: boolean) {
  const [page, setPage] = useState<ProposalPage | null>(null);
  const [error, setError] = useState<string | null>(null);
  const load = (before: ProposalPage | null, signal?: AbortSignal): void =>
    void api.proposals(closed, before?.next ?? "").then(
      (next) => {
        if (signal?.aborted) return;
        setPage(before ? { ...next, rows: [...before.rows, ...next.rows] } : next);
        setError(null);
      },
      (cause: unknown) => signal?.aborted || setError(explain(cause)),
    );
  // Proposals of colleagues appear when their count changes.
  const count = queueCounts.value?.proposals;
  useEffect(() => {
    const request = new AbortController();
    load(null, request.signal);
    return () => request.abort();
  }, [closed, count]);
  return { page, error, load };
}

function Row({ row, decide }: { row: ProposalLine; decide: (how: Decision) => void }): JSX.Element {
  const own = row.proposed_by === me.value?.user;
  return (
    <li
      class="card-plain flex flex-col gap-3"
      data-testid="proposal-row"
      data-number={row.number}
      data-state={row.state}
    >
      <div class="flex flex-wrap items-center gap-2">
        <h2 class="font-semibold">
          {t(`office/approvals/kind/${row.kind}`)}
          {row.flag && ` · ${word("flag", row.flag)}`}
          {row.amount !== null && ` · ${formatMoney(row.amount, row.currency)}`}
        </h2>
        <span class="badge">{t(`office/approvals/state/${row.state}`)}</span>
      </div>
      <Facts
        rows={[
          [
            t("office/approvals/where"),
            row.record && (
              <Link href={`/visits/${row.record}`} class="link">
                {t("office/approvals/open_record", { case_no: row.case_no })}
              </Link>
            ),
          ],
          [
            t("office/quarantine"),
            row.quarantine !== null && (
              <Link href={`/quarantine/${row.quarantine}`} class="link">
                {t("office/approvals/work", { n: row.quarantine })}
              </Link>
            ),
          ],
          [t("office/approvals/reason"), row.reason],
          [
            t("office/approvals/proposed"),
            <>
              <ByLine by={row.proposed_by} at={formatDateTime(row.proposed_at)} />
              {row.state === "pending" && ` · ${t("office/approvals/until", { at: formatDateTime(row.expires_at) })}`}
            </>,
          ],
          [
            t("office/approvals/decision"),
            row.decided_at !== null && (
              <>
                <ByLine by={row.decided_by} at={formatDateTime(row.decided_at)} />
                {row.answer && `\n${row.answer}`}
              </>
            ),
          ],
        ]}
      />
      {row.state === "pending" && mayWrite() && (
        <div class="flex flex-wrap gap-2">
          {(own ? (["withdraw"] as const) : (["approve", "refuse"] as const)).map((how) => (
            <button
              key={how}
              type="button"
              class={`btn ${how === "approve" ? "btn-primary" : "btn-outline"}`}
              aria-haspopup="dialog"
              onClick={() => decide(how)}
            >
              {t(`office/approvals/${how}`)}
            </button>
          ))}
        </div>
      )}
    </li>
  );
}

interface DecisionProps {
  row: ProposalLine;
  how: Decision;
  onClose: () => void;
  onDone: () => void;
}

function DecisionDialog({ row, how, onClose, onDone }: DecisionProps): JSX.Element {
  const [reason, setReason] = useState("");
  const request = useRequest(onDone);
  const decide = (): Promise<unknown> =>
    how === "withdraw" ? api.withdraw(row.number) : api[how](row.number, reason.trim());
  return (
    <Dialog
      title={t(`office/approvals/${how}_title`)}
      onClose={onClose}
      actions={
        <button
          type="button"
          class="btn btn-primary"
          disabled={request.busy || (how === "refuse" && reason.trim() === "")}
          onClick={() => request.send(decide)}
        >
          {t(`office/approvals/${how}`)}
        </button>
      }
    >
      <div class="flex flex-col gap-4">
        <p>{t(`office/approvals/${how}_text`)}</p>
        {how !== "withdraw" && (
          <TextField
            label={t(how === "refuse" ? "office/approvals/reason" : "office/approvals/remark")}
            lines={3}
            value={reason}
            onInput={setReason}
          />
        )}
        {request.error && <Alert tone="error">{request.error}</Alert>}
      </div>
    </Dialog>
  );
}
