/** Exports decided items in two steps: download a file, then delete the items from the office. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { formatBytes, formatDateTime } from "../ui/format";
import { Alert, Dialog } from "../ui/components";
import { api, ApiError, type ExportEnd, type QuarantineUsage } from "./api";
import { ByLine } from "./layout";
import { useRequest } from "./useRequest";
import { me } from "./state";

export function QuarantineExports({
  usage,
  reload,
}: {
  usage: QuarantineUsage;
  reload: () => void;
}): JSX.Element | null {
  const [open, setOpen] = useState(false);
  const isAdmin = me.value?.role === "admin";
  const { decided, exports } = usage;
  if (!isAdmin && exports.length === 0) return null;
  return (
    <section class="card-plain flex flex-col gap-3" aria-label={t("office/room/title")}>
      <h2 class="section-title">{t("office/room/title")}</h2>
      {isAdmin && (
        <>
          <p class="muted text-sm">
            {decided.pieces > 0
              ? t("office/room/lead", { pieces: decided.pieces, bytes: formatBytes(decided.bytes) })
              : t("office/room/nothing")}
          </p>
          <button
            type="button"
            class="btn btn-outline self-start"
            aria-haspopup="dialog"
            disabled={decided.pieces === 0}
            onClick={() => setOpen(true)}
          >
            {t("office/room/export")}
          </button>
        </>
      )}
      <ol class="flex flex-col gap-2 empty:hidden">
        {exports.map((item) => (
          <li key={item.id} data-testid="quarantine-export" class="text-sm">
            {t("office/room/line", { n: item.id, pieces: item.pieces, bytes: formatBytes(item.bytes) })}{" "}
            <ByLine by={item.by} at={formatDateTime(item.at)} />
            <span class="block font-mono text-xs break-all">{item.sha256}</span>
          </li>
        ))}
      </ol>
      {open && (
        <ExportDialog
          onClose={() => setOpen(false)}
          onDone={() => {
            setOpen(false);
            reload();
          }}
        />
      )}
    </section>
  );
}

function ExportDialog(props: { onClose: () => void; onDone: () => void }): JSX.Element {
  const [end, setEnd] = useState<ExportEnd | null>(null);
  const [safe, setSafe] = useState(false);
  const downloading = useRequest(() => undefined);
  const deletion = useRequest(props.onDone);
  const download = (): void =>
    downloading.send(async () => {
      setEnd(null);
      setSafe(false);
      const file = await api.exportQuarantine();
      const lastLine = await readEnd(file);
      // Without its last line the file is incomplete, so nothing may be deleted.
      if (!lastLine) throw new ApiError("export_changed", "");
      save(file);
      setEnd(lastLine);
    });
  const error = downloading.error ?? deletion.error;
  return (
    <Dialog title={t("office/room/title")} onClose={props.onClose}>
      <div class="flex flex-col gap-4">
        <p>{t("office/room/step_1")}</p>
        <button type="button" class="btn btn-primary" disabled={downloading.busy} onClick={download}>
          {t("office/room/download")}
        </button>
        {end && (
          <>
            <p class="break-words">{t("office/room/step_2", { pieces: end.pieces, bytes: formatBytes(end.bytes) })}</p>
            <p class="font-mono text-xs break-all">{end.sha256}</p>
            <label class="flex items-center gap-3">
              <input
                type="checkbox"
                class="checkbox min-h-0"
                checked={safe}
                onChange={(event) => setSafe(event.currentTarget.checked)}
              />
              {t("office/room/safe")}
            </label>
            <button
              type="button"
              class="btn btn-error"
              disabled={!safe || deletion.busy}
              onClick={() => deletion.send(() => api.deleteExported(end))}
            >
              {t("office/room/delete")}
            </button>
          </>
        )}
        {error && <Alert tone="error">{error}</Alert>}
      </div>
    </Dialog>
  );
}

/** Upper bound for the length of the last line. */
const TAIL = 1024;

/** The last line of an export, if the file is complete. */
async function readEnd(file: Blob): Promise<ExportEnd | null> {
  const tail = await file.slice(-TAIL).text();
  if (!tail.endsWith("\n")) return null;
  try {
    const end = JSON.parse(tail.trimEnd().split("\n").at(-1) ?? "") as Partial<ExportEnd>;
    return typeof end.sha256 === "string" && typeof end.pieces === "number" ? (end as ExportEnd) : null;
  } catch {
    return null;
  }
}

function save(file: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `quarantine-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.jsonl`;
  link.click();
  // The download has read the data by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
