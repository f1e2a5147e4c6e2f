/** Takes a file: dropped, or chosen with a dialog. */
import { FileUp } from "lucide-preact";
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { t } from "../../i18n";
import { Alert, useBusy } from "../../ui/components";
import { api } from "../api";
import { explain } from "../state";

export function Upload({ onUploaded }: { onUploaded: (id: string) => void }): JSX.Element {
  const [over, setOver] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  /** The same file once more is the same import, since a reply may have been lost. */
  const sent = useRef<{ file: File; id: string } | null>(null);
  const upload = (file: File | undefined): void =>
    void run(async () => {
      if (!file) return;
      setError(null);
      if (sent.current?.file !== file) sent.current = { file, id: crypto.randomUUID() };
      try {
        onUploaded((await api.uploadImport(sent.current.id, file)).id);
      } catch (cause) {
        setError(explain(cause));
      }
    });
  return (
    <section
      class={`rounded-box flex flex-col items-center gap-3 border-2 border-dashed p-8 text-center ${
        over ? "border-primary bg-base-300" : "border-base-300"
      }`}
      aria-label={t("office/imports/drop")}
      data-testid="import-drop"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (!busy) upload(event.dataTransfer?.files[0]);
      }}
    >
      <FileUp class="muted size-8" aria-hidden="true" />
      <p class="font-medium">{t("office/imports/drop")}</p>
      <label class="flex flex-col gap-1.5">
        <span class="label-text">{t("office/file")}</span>
        <input
          type="file"
          accept=".csv,.xlsx,text/csv"
          class="file-input w-full"
          aria-describedby="import-file-note"
          disabled={busy}
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            // The same file may be chosen again, corrected or after a failure.
            event.currentTarget.value = "";
            upload(file);
          }}
        />
      </label>
      <p id="import-file-note" class="muted text-sm">
        {t("office/file_hint")}
      </p>
      {busy && <progress class="progress w-full max-w-md" aria-label={t("office/checking")} />}
      {error && <Alert tone="error">{error}</Alert>}
    </section>
  );
}
