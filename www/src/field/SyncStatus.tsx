/** The sync chip and what stands behind it. Offline is neutral; red is for what needs a person. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { StorageState, SyncStatus } from "../core/api";
import { sentence, t } from "../i18n";
import { formatBytes, formatDateTime } from "../ui/format";
import { Alert, Dialog, useBusy } from "../ui/parts";
import { Settings } from "../ui/settings";
import { SignInForm } from "./SignIn";
import { client, enter, expired, explain, session, status } from "./state";

/** A clock that is off by less is nobody's concern. */
const SKEW_SHOWN_MS = 2 * 60_000;

const DOT: Record<SyncStatus["state"], string> = {
  "in-step": "bg-success",
  unsent: "bg-accent",
  syncing: "bg-info",
  offline: "bg-neutral",
  attention: "bg-error",
};

function inWords(state: SyncStatus): string {
  if (state.state === "offline" && state.unsent > 0) return t("sync/offline_unsent", { n: state.unsent });
  return t(`sync/${state.state}`, { n: state.unsent });
}

export function SyncChip(): JSX.Element | null {
  const [open, setOpen] = useState(false);
  const state = status.value;
  if (!state) return null;
  const words = inWords(state);
  return (
    <>
      <button
        type="button"
        data-testid="sync-status"
        data-state={state.state}
        data-unsent={state.unsent}
        class={`btn btn-sm min-h-11 rounded-full font-medium ${state.state === "attention" ? "btn-error" : "bg-base-100 border-base-300"}`}
        aria-label={t("sync/label", { state: words })}
        onClick={() => setOpen(true)}
      >
        <span
          aria-hidden="true"
          class={`size-2.5 rounded-full ${DOT[state.state]} ${state.state === "syncing" ? "animate-pulse" : ""}`}
        />
        {words}
      </button>
      <span class="sr-only" role="status">
        {words}
      </span>
      {open && <SyncSheet state={state} onClose={() => setOpen(false)} />}
    </>
  );
}

function SyncSheet({ state, onClose }: { state: SyncStatus; onClose: () => void }): JSX.Element {
  const [storage, setStorage] = useState<StorageState | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  useEffect(() => void client.storage().then(setStorage, () => undefined), []);
  const who = session.value?.kind === "ready" ? session.value.user : "";
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
  return (
    <Dialog title={t("sync/sheet")} onClose={onClose}>
      {state.problem && (
        <Alert tone={state.state === "attention" ? "error" : "warning"}>{sentence("problem", state.problem)}</Alert>
      )}
      {expired.value && <SignInForm name={who} onDone={onClose} />}
      <ul class="flex flex-col gap-2 text-sm">
        <li>
          {state.in_step_at === null ? t("sync/never") : t("sync/proven", { at: formatDateTime(state.in_step_at) })}
        </li>
        <li>
          {state.oldest_unsent_at === null
            ? t("sync/nothing_waits")
            : t("sync/waiting", { n: state.unsent, at: formatDateTime(state.oldest_unsent_at) })}
        </li>
        {state.clock_skew_ms !== null && Math.abs(state.clock_skew_ms) >= SKEW_SHOWN_MS && (
          <li class="text-error">{t("sync/skew", { n: Math.round(Math.abs(state.clock_skew_ms) / 60_000) })}</li>
        )}
        {storage && (
          <>
            <li class="muted">{t(storage.persisted ? "sync/persisted" : "sync/not_persisted")}</li>
            <li class="muted">{t("sync/used", { used: formatBytes(storage.usage) })}</li>
          </>
        )}
      </ul>
      <button type="button" class="btn btn-primary" onClick={() => attempt(() => client.syncNow())}>
        {t("sync/now")}
      </button>
      <Settings />
      {error && <Alert tone="error">{error}</Alert>}
      <div class="flex items-center justify-between gap-2">
        <span class="muted text-sm">{who}</span>
        <button
          type="button"
          class="btn btn-outline"
          disabled={busy}
          onClick={() =>
            attempt(async () => {
              await client.signOut();
              await enter({ kind: "signed_out" });
            })
          }
        >
          {t("sign/out")}
        </button>
      </div>
    </Dialog>
  );
}
