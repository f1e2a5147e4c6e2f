/** The sync chip and what stands behind it. Offline is neutral; red is for what needs a person. */
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
import { problemText, t, type TextKey } from "../i18n";
import { formatBytes, formatCount, formatDateTime, formatSpan } from "../ui/format";
import { Alert, Dialog, useBusy } from "../ui/components";
import { practising } from "./practiceMode";
import { SignInForm } from "./SignIn";
import { attachmentsChanged, client, clock, enter, expired, explain, me, rows, status } from "./state";

/** A clock that is off by less is nobody's concern. */
const SKEW_SHOWN_MS = 2 * 60_000;
/** Work that waits for less is on its way. */
const AGE_SHOWN_MS = 60_000;

const LOOK: Record<SyncStatus["state"], { tone: string; Icon: typeof CloudCheck }> = {
  "in-step": { tone: "text-success", Icon: CloudCheck },
  unsent: { tone: "text-accent", Icon: CloudUpload },
  syncing: { tone: "text-info", Icon: RefreshCw },
  offline: { tone: "muted", Icon: CloudOff },
  attention: { tone: "", Icon: CloudAlert },
};

/** The state, the number of edits that wait, and since when the oldest does. */
function inWords(state: SyncStatus): string {
  const key = state.state === "offline" && state.unsent > 0 ? "offline_unsent" : state.state;
  const words = t(`sync/${key}`, { n: state.unsent });
  const age = state.oldest_unsent_at === null ? 0 : clock.value - state.oldest_unsent_at;
  return age >= AGE_SHOWN_MS && state.state !== "attention" ? `${words} · ${formatSpan(age)}` : words;
}

/** `compact` leaves the words to screen readers where there is no room. */
export function SyncChip({ compact = false }: { compact?: boolean }): JSX.Element | null {
  const [open, setOpen] = useState(false);
  const state = status.value;
  // In practice there is no office that anything could be said of.
  if (!state || practising) return null;
  const words = inWords(state);
  const { tone, Icon } = LOOK[state.state];
  return (
    <>
      <button
        type="button"
        data-testid="sync-status"
        data-state={state.state}
        data-unsent={state.unsent}
        class={`btn h-auto min-h-11 max-w-full flex-nowrap gap-2 rounded-full px-3.5 py-1.5 text-sm leading-tight font-medium ${
          state.state === "attention" ? "btn-error" : "btn-quiet"
        }`}
        aria-label={t("sync/label", { state: words })}
        onClick={() => setOpen(true)}
      >
        <Icon
          class={`size-5 shrink-0 ${tone} ${state.state === "syncing" ? "animate-spin [animation-duration:1.6s]" : ""}`}
          aria-hidden="true"
        />
        {!compact && <span class="text-left">{words}</span>}
        {compact && state.unsent > 0 && <span class="tabular-nums">{state.unsent}</span>}
      </button>
      <span class="sr-only" role="status">
        {words}
      </span>
      {open && <SyncSheet state={state} onClose={() => setOpen(false)} />}
    </>
  );
}

/** How many attachments are not at the office, kept up to date. */
function useAttachmentsWaiting(): number {
  const [waiting, setWaiting] = useState(0);
  useEffect(
    () => attachmentsChanged.subscribe(() => void client.attachmentsWaiting().then(setWaiting, () => undefined)),
    [],
  );
  return waiting;
}

function SyncSheet({ state, onClose }: { state: SyncStatus; onClose: () => void }): JSX.Element {
  const [storage, setStorage] = useState<StorageState | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  useEffect(() => void client.storage().then(setStorage, () => undefined), []);
  const attachments = useAttachmentsWaiting();
  const attempt = (work: () => Promise<void>): void => {
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
  const waiting = (rows.value ?? []).filter((row) => row.unsent > 0 || row.problem !== null);
  const { tone, Icon } = LOOK[state.state];
  return (
    <Dialog title={t("sync/sheet")} onClose={onClose}>
      {state.problem && (
        <Alert tone={state.state === "attention" ? "error" : "info"}>{problemText(state.problem)}</Alert>
      )}
      {expired.value && <SignInForm name={me.value} onDone={onClose} />}
      <div class="sheet-rows text-[0.9375rem]">
        <Line Icon={Icon} tone={tone}>
          {state.state !== "in-step" && <span class="block font-semibold">{inWords(state)}</span>}
          {state.in_step_at === null
            ? t("sync/never")
            : t(state.state === "in-step" ? "sync/proven" : "sync/proven_last", {
                at: formatDateTime(state.in_step_at),
              })}
        </Line>
        <Line Icon={CloudUpload}>
          {state.oldest_unsent_at === null
            ? t("sync/nothing_waits")
            : t("sync/waiting", { n: state.unsent, at: formatDateTime(state.oldest_unsent_at) })}
        </Line>
        {attachments > 0 && <Line Icon={Paperclip}>{t("attachment/to_go", { n: attachments })}</Line>}
        {state.repairs > 0 && <Line Icon={Wrench}>{t("sync/repairs", { n: formatCount(state.repairs) })}</Line>}
        {Math.abs(skew) >= SKEW_SHOWN_MS && (
          <Line Icon={Clock} tone="text-error">
            {t(skew > 0 ? "sync/skew_ahead" : "sync/skew_behind", { span: formatSpan(Math.abs(skew)) })}
          </Line>
        )}
        {storage && (
          <Line Icon={HardDrive}>
            <span class="block">{t("sync/used", { used: formatBytes(storage.usage) })}</span>
            <span class="muted">{t(storage.persisted ? "sync/persisted" : "sync/not_persisted")}</span>
          </Line>
        )}
      </div>
      <button type="button" class="btn btn-primary" onClick={() => attempt(() => client.syncNow())}>
        <RefreshCw class="size-5" aria-hidden="true" />
        {t("sync/now")}
      </button>
      {error && <Alert tone="error">{error}</Alert>}
      {waiting.length > 0 && <Waiting rows={waiting} onOpen={onClose} />}
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
            attempt(async () => {
              await client.signOut();
              await enter({ kind: "signed_out" });
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

/** So many records are named; the list's filter has them all. */
const NAMED_AT_MOST = 20;

/** What has not reached the office, record by record, and why. */
function Waiting({ rows: waiting, onOpen }: { rows: ListRow[]; onOpen: () => void }): JSX.Element {
  return (
    <section aria-label={t("sync/unsent_title")} class="max-h-72 shrink-0 overflow-y-auto" tabIndex={0}>
      <h3 class="label-text pb-1">{t("sync/unsent_title")}</h3>
      <ul class="divide-base-300 divide-y">
        {waiting.slice(0, NAMED_AT_MOST).map((row) => (
          <li key={row.id}>
            <Link
              href={`/visit/${row.id}`}
              class="flex min-h-12 flex-col justify-center py-1.5 no-underline"
              onClick={onOpen}
            >
              <span class="flex justify-between gap-3">
                <span class="truncate font-medium">{row.borrower_name || row.case_no}</span>
                <span class="muted shrink-0 tabular-nums">{t("sync/changes", { n: formatCount(row.unsent) })}</span>
              </span>
              <span class={`text-sm ${row.problem ? "text-error" : "muted"}`}>{t(whyUnsent(row))}</span>
            </Link>
          </li>
        ))}
      </ul>
      {waiting.length > NAMED_AT_MOST && (
        <p class="muted pt-1 text-sm">{t("sync/more", { n: formatCount(waiting.length - NAMED_AT_MOST) })}</p>
      )}
    </section>
  );
}

/** The key of the reason why a record has not reached the office. */
function whyUnsent(row: ListRow): TextKey {
  if (row.problem === "damaged") return "sync/why_damaged";
  if (row.problem !== null) return "sync/why_refused";
  if (row.state === "sending") return "sync/why_sending";
  if (expired.value) return "sync/why_signed_out";
  return status.value?.state === "offline" ? "sync/why_offline" : "sync/why_waiting";
}

function Line(props: { Icon: typeof Clock; tone?: string; children: ComponentChildren }): JSX.Element {
  return (
    <p>
      <props.Icon class={`mt-0.5 size-5 shrink-0 ${props.tone ?? "muted"}`} aria-hidden="true" />
      <span class="min-w-0 grow">{props.children}</span>
    </p>
  );
}
