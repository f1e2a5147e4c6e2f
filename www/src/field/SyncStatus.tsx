/** The sync status chip and its dialog. Offline is neutral; red means that the user must act. */
import {
  Clock,
  CloudAlert,
  CloudCheck,
  CloudOff,
  CloudUpload,
  HardDrive,
  LogOut,
  Paperclip,
  RefreshCw,
  Wrench,
} from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { ListRow, StorageState, SyncStatus } from "../core/api";
import { problemText, t } from "../i18n";
import { formatBytes, formatDateTime, formatSpan } from "../ui/format";
import { Alert, Dialog, useBusy } from "../ui/components";
import { practising } from "./practiceMode";
import { RecordSync } from "./RecordSync";
import { SignInForm } from "./SignIn";
import { attachmentsChanged, client, clock, enterSession, expired, explain, me, rows, status } from "./state";
import { sinceText, syncReason } from "./syncReason";

/** Smallest clock difference that is shown. */
const MIN_SKEW_MS = 2 * 60_000;
/** The age of unsent work is shown from here on. */
const MIN_AGE_MS = 60_000;

const STYLE: Record<SyncStatus["state"], { tone: string; Icon: typeof CloudCheck }> = {
  "in-step": { tone: "text-success", Icon: CloudCheck },
  unsent: { tone: "text-accent", Icon: CloudUpload },
  syncing: { tone: "text-info", Icon: RefreshCw },
  offline: { tone: "muted", Icon: CloudOff },
  attention: { tone: "", Icon: CloudAlert },
};

/** The state, the number of unsent edits, and the age of the oldest. */
function statusText(state: SyncStatus): string {
  const key = state.state === "offline" && state.unsent > 0 ? "offline_unsent" : state.state;
  const text = t(`sync/${key}`, { n: state.unsent });
  const age = state.oldest_unsent_at === null ? 0 : clock.value - state.oldest_unsent_at;
  return age >= MIN_AGE_MS && state.state !== "attention" ? `${text} · ${formatSpan(age)}` : text;
}

/** With a record, it shows the icon and the number only, and its dialog begins with that record. */
export function SyncChip({ record }: { record?: string }): JSX.Element | null {
  const compact = record !== undefined;
  const [open, setOpen] = useState(false);
  const state = status.value;
  // Practice mode has no office.
  if (!state || practising) return null;
  const text = statusText(state);
  const { tone, Icon } = STYLE[state.state];
  return (
    <>
      <button
        type="button"
        data-testid="sync-status"
        data-control="sync-status"
        data-state={state.state}
        data-unsent={state.unsent}
        class={`btn h-auto min-h-11 max-w-full min-w-0 shrink flex-nowrap gap-2 rounded-full px-3.5 py-1.5 text-sm leading-tight font-medium ${
          state.state === "attention" ? "btn-error" : "btn-quiet"
        }`}
        aria-label={t("sync/label", { state: text })}
        onClick={() => setOpen(true)}
      >
        <Icon
          class={`size-5 shrink-0 ${tone} ${state.state === "syncing" ? "animate-spin [animation-duration:1.6s]" : ""}`}
          aria-hidden="true"
        />
        {!compact && <span class="text-left">{text}</span>}
        {compact && state.unsent > 0 && <span class="tabular-nums">{state.unsent}</span>}
      </button>
      <span class="sr-only" role="status">
        {text}
      </span>
      {open && <SyncDialog state={state} record={record} onClose={() => setOpen(false)} />}
    </>
  );
}

/** The current number of attachments that are not at the office. */
function useUnsentAttachments(): number {
  const [unsent, setWaiting] = useState(0);
  useEffect(
    () => attachmentsChanged.subscribe(() => void client.attachmentsWaiting().then(setWaiting, () => undefined)),
    [],
  );
  return unsent;
}

function SyncDialog(props: { state: SyncStatus; record: string | undefined; onClose: () => void }): JSX.Element {
  const { state, record, onClose } = props;
  const [storage, setStorage] = useState<StorageState | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  useEffect(() => void client.storage().then(setStorage, () => undefined), []);
  const attachments = useUnsentAttachments();
  const tryTo = (work: () => Promise<void>): void => {
    setError(null);
    void run(async () => {
      try {
        await work();
      } catch (cause) {
        setError(explain(cause));
      }
    });
  };
  const skew = state.clock_skew_ms ?? 0;
  const unsent = (rows.value ?? []).filter((row) => row.id !== record && (row.unsent > 0 || row.problem !== null));
  const { tone, Icon } = STYLE[state.state];
  return (
    <Dialog title={t("sync/sheet")} onClose={onClose}>
      {state.problem && (
        <Alert tone={state.state === "attention" ? "error" : "info"}>{problemText(state.problem)}</Alert>
      )}
      {expired.value && <SignInForm name={me.value} onDone={onClose} />}
      {record !== undefined && <RecordSync id={record} />}
      <div class="sheet-rows text-[0.9375rem]">
        <Line Icon={Icon} tone={tone}>
          {state.state !== "in-step" && <span class="block font-semibold">{statusText(state)}</span>}
          {state.in_step_at === null
            ? t("sync/never")
            : t(state.state === "in-step" ? "sync/verified" : "sync/verified_last", {
                at: formatDateTime(state.in_step_at),
              })}
        </Line>
        <Line Icon={CloudUpload}>
          {state.oldest_unsent_at === null
            ? t("sync/nothing_waits")
            : t("sync/waiting", { n: state.unsent, at: formatDateTime(state.oldest_unsent_at) })}
        </Line>
        {attachments > 0 && <Line Icon={Paperclip}>{t("attachment/unsent", { n: attachments })}</Line>}
        {state.repairs > 0 && <Line Icon={Wrench}>{t("sync/repairs", { n: state.repairs })}</Line>}
        {Math.abs(skew) >= MIN_SKEW_MS && (
          <Line Icon={Clock} tone="text-error">
            {t(skew > 0 ? "sync/skew_ahead" : "sync/skew_behind", { span: formatSpan(Math.abs(skew)) })}
          </Line>
        )}
        {storage && (
          <Line Icon={HardDrive}>
            {storage.room && <span class="block">{t("sync/used", { used: formatBytes(storage.room.usage) })}</span>}
            <span class="muted">{t(`sync/persistence_${storage.persistence}`)}</span>
          </Line>
        )}
      </div>
      <button type="button" class="btn btn-primary" onClick={() => tryTo(() => client.syncNow())}>
        <RefreshCw class="size-5" aria-hidden="true" />
        {t("sync/now")}
      </button>
      {error && <Alert tone="error">{error}</Alert>}
      {unsent.length > 0 && <UnsentRecords rows={unsent} onOpen={onClose} />}
      <div class="border-base-300 flex items-center justify-between gap-2 border-t pt-4">
        <span>
          <span class="muted block text-sm">{t("sign_in/as")}</span>
          <span class="font-medium">{me.value}</span>
        </span>
        <Link href="/settings" class="btn btn-ghost ml-auto" onClick={onClose}>
          {t("settings/title")}
        </Link>
        <button
          type="button"
          class="btn btn-quiet"
          disabled={busy}
          onClick={() =>
            tryTo(async () => {
              await client.signOut();
              await enterSession({ kind: "signed_out" });
            })
          }
        >
          <LogOut class="size-5" aria-hidden="true" />
          {t("sign_in/out")}
        </button>
      </div>
    </Dialog>
  );
}

/** Most records listed here; the list's filter shows all. */
const MAX_LISTED = 20;

/** Records with unsent work, each with the reason. */
function UnsentRecords({ rows: unsent, onOpen }: { rows: ListRow[]; onOpen: () => void }): JSX.Element {
  return (
    <section aria-label={t("sync/unsent_title")} class="max-h-72 shrink-0 overflow-y-auto" tabIndex={0}>
      <h3 class="label-text pb-1">{t("sync/unsent_title")}</h3>
      <ul class="divide-base-300 divide-y">
        {unsent.slice(0, MAX_LISTED).map((row) => (
          <li key={row.id}>
            <Link
              href={`/visit/${row.id}`}
              class="flex min-h-12 flex-col justify-center py-1.5 no-underline"
              onClick={onOpen}
            >
              <span class="flex justify-between gap-3">
                <span class="truncate font-medium">{row.borrower_name || row.case_no}</span>
                <span class="muted shrink-0 tabular-nums">{t("sync/changes", { n: row.unsent })}</span>
              </span>
              <Reason row={row} />
            </Link>
          </li>
        ))}
      </ul>
      {unsent.length > MAX_LISTED && (
        <p class="muted pt-1 text-sm">{t("sync/more", { n: unsent.length - MAX_LISTED })}</p>
      )}
    </section>
  );
}

function Reason({ row }: { row: ListRow }): JSX.Element {
  const { why, next, urgent } = syncReason(row);
  const since = row.unsent_since === null ? [] : [sinceText(row.unsent_since)];
  return <span class={`text-sm ${urgent ? "text-error" : "muted"}`}>{[...since, why, next].join(" · ")}</span>;
}

function Line(props: { Icon: typeof Clock; tone?: string; children: ComponentChildren }): JSX.Element {
  return (
    <p>
      <props.Icon class={`mt-0.5 size-5 shrink-0 ${props.tone ?? "muted"}`} aria-hidden="true" />
      <span class="min-w-0 grow">{props.children}</span>
    </p>
  );
}
