/** The support bundle: shown in full first, and only then shared, copied or downloaded by the user. */
import { ClipboardCopy, Download, Share2 } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { diagnostics } from "./diagnostics";
import { showToast } from "./state";

const FILE = "doorstep-support.txt";

export function SupportBundle(): JSX.Element {
  const [text, setText] = useState<string | null>(null);
  if (text === null) {
    return (
      <>
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
