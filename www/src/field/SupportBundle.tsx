/**
 * The support bundle: shown in full first, and only then sent, shared, copied or downloaded by the user.
 */
import { ClipboardCopy, Download, Send, Share2 } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ClientError, type SupportRequest } from "../core/api";
import { t } from "../i18n";
import { Alert, useBusy } from "../ui/components";
import { formatDateTime } from "../ui/format";
import { diagnostics } from "./diagnostics";
import { practising } from "./practiceMode";
import { client, explain, showToast } from "./state";
import { refreshSupportRequest, supportRequest } from "./supportRequest";

const FILE = "doorstep-support.txt";

export function SupportBundle(): JSX.Element {
  const [text, setText] = useState<string | null>(null);
  const request = supportRequest.value;
  useEffect(() => void (!practising && refreshSupportRequest()), []);
  if (text === null) {
    return (
      <>
        {request && <Requested request={request} bundle={null} />}
        <p>{t("settings/help_text")}</p>
        <button type="button" class="btn btn-quiet" onClick={() => void diagnostics().then(setText)}>
          {t("settings/help_show")}
        </button>
      </>
    );
  }
  return (
    <>
      <p>{t("settings/help_review")}</p>
      <pre
        class="bg-base-200 rounded-field max-h-64 overflow-auto p-3 text-xs whitespace-pre-wrap select-all"
        tabIndex={0}
        aria-label={t("settings/help")}
        data-testid="diagnostics"
      >
        {text}
      </pre>
      {request && <Requested request={request} bundle={text} />}
      <div class="flex flex-wrap gap-2">
        {"share" in navigator && (
          <button type="button" class="btn btn-primary grow" onClick={() => void share(text)}>
            <Share2 class="size-5" aria-hidden="true" />
            {t("copy/share")}
          </button>
        )}
        <button type="button" class="btn btn-tonal grow" onClick={() => void copy(text)}>
          <ClipboardCopy class="size-5" aria-hidden="true" />
          {t("settings/help_copy")}
        </button>
        <button type="button" class="btn btn-quiet grow" onClick={() => download(text)}>
          <Download class="size-5" aria-hidden="true" />
          {t("copy/download")}
        </button>
      </div>
    </>
  );
}

/** Who asks for the bundle, and the user's answer. It can be sent only after it was shown. */
function Requested({ request, bundle }: { request: SupportRequest; bundle: string | null }): JSX.Element {
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  const answer = (sent: string | null): Promise<void> =>
    run(async () => {
      setError(null);
      try {
        await client.answerSupport(request.id, sent);
        showToast({ text: t(sent === null ? "support/declined" : "support/sent") });
      } catch (cause) {
        // The office has asked for another one since.
        const gone = cause instanceof ClientError && cause.code === "not_found";
        if (!gone) return setError(explain(cause));
        showToast({ text: t("support/gone") });
      }
      supportRequest.value = null;
      await refreshSupportRequest();
    });
  return (
    <div class="flex flex-col gap-2" data-testid="support-request">
      <Alert tone="warning">
        {t("support/asked", { name: request.requested_by, at: formatDateTime(request.requested_at) })}
      </Alert>
      {error && <Alert tone="error">{error}</Alert>}
      <div class="flex flex-wrap gap-2">
        {bundle !== null && (
          <button type="button" class="btn btn-primary grow" disabled={busy} onClick={() => void answer(bundle)}>
            <Send class="size-5" aria-hidden="true" />
            {t("support/send")}
          </button>
        )}
        <button type="button" class="btn btn-quiet grow" disabled={busy} onClick={() => void answer(null)}>
          {t("support/decline")}
        </button>
      </div>
    </div>
  );
}

async function share(text: string): Promise<void> {
  try {
    await navigator.share({ title: FILE, text });
  } catch (cause) {
    // The user closed the system's dialog.
    if (!(cause instanceof DOMException && cause.name === "AbortError")) showToast({ text: t("settings/not_shared") });
  }
}

async function copy(text: string): Promise<void> {
  const copied = await navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
  showToast({ text: t(copied ? "settings/copied" : "settings/not_copied") });
}

function download(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = FILE;
  link.click();
  URL.revokeObjectURL(url);
}
