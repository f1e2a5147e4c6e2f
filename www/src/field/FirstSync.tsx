/** The first sync: a step of its own, that can be cut off and goes on. */
import type { JSX } from "preact";
import { sentence, t } from "../i18n";
import { formatBytes } from "../ui/format";
import { Alert } from "../ui/parts";
import { client, status } from "./state";

export function FirstSync(): JSX.Element {
  const state = status.value;
  const first = state?.first_sync;
  const known = first && first.total > 0 ? first : null;
  return (
    <main class="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-5 p-6" aria-live="polite">
      <h1 class="text-xl font-semibold">{t("first/title")}</h1>
      <progress
        class="progress progress-primary h-3 w-full"
        aria-label={t("first/title")}
        value={known?.received}
        max={known?.total}
      />
      <p>
        {known
          ? t("first/text", { received: known.received, total: known.total, size: formatBytes(known.bytes) })
          : t("first/waiting")}
      </p>
      {state?.problem && (
        <>
          <Alert tone="warning">{sentence("problem", state.problem)}</Alert>
          <button type="button" class="btn btn-primary" onClick={() => void client.syncNow()}>
            {t("app/retry")}
          </button>
        </>
      )}
      <p class="muted text-sm">{t("first/safe")}</p>
    </main>
  );
}
