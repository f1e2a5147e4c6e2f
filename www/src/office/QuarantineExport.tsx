/** Takes decided work out of the office in two steps: a file first, and once it is safe the deletion. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { formatBytes, formatDateTime } from "../ui/format";
import { Alert, Dialog } from "../ui/components";
import { api, ApiError, type ExportEnd, type QuarantineUsage } from "./api";
import { Signed } from "./layout";
import { useRequest } from "./PeoplePage";
import { me } from "./state";

export function QuarantineExports({ usage, again }: { usage: QuarantineUsage; again: () => void }): JSX.Element | null {
  const [open, setOpen] = useState(false);
  const keeps = me.value?.role === "admin";
  const { decided, exports } = usage;
  if (!keeps && exports.length === 0) return null;
  return (
    <section class="card-plain flex flex-col gap-3" aria-label={t("office/room/title")}>
      <h2 class="section-title">{t("office/room/title")}</h2>
      {keeps && (
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
        {exports.map((made) => (
          <li key={made.id} data-testid="quarantine-export" class="text-sm">
            {t("office/room/line", { n: made.id, pieces: made.pieces, bytes: formatBytes(made.bytes) })}{" "}
            <Signed by={made.by} at={formatDateTime(made.at)} />
            <span class="block font-mono text-xs break-all">{made.sha256}</span>
          </li>
        ))}
      </ol>
      {open && (
        <Exporting
          onClose={() => setOpen(false)}
          onDone={() => {
            setOpen(false);
            again();
          }}
        />
      )}
    </section>
  );
}

function Exporting(props: { onClose: () => void; onDone: () => void }): JSX.Element {
  const [end, setEnd] = useState<ExportEnd | null>(null);
  const [safe, setSafe] = useState(false);
  const getting = useRequest(() => undefined);
  const deleting = useRequest(props.onDone);
  const download = (): void =>
    getting.ask(async () => {
      setEnd(null);
      setSafe(false);
      const file = await api.exportQuarantine();
      const found = await endOf(file);
      // Without its last line a file is not whole, and nothing may be deleted for it.
      if (!found) throw new ApiError("export_changed", "");
      save(file);
      setEnd(found);
    });
  const error = getting.error ?? deleting.error;
  return (
    <Dialog title={t("office/room/title")} onClose={props.onClose}>
      <div class="flex flex-col gap-4">
        <p>{t("office/room/step_1")}</p>
        <button type="button" class="btn btn-primary" disabled={getting.busy} onClick={download}>
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
              disabled={!safe || deleting.busy}
              onClick={() => deleting.ask(() => api.deleteExported(end))}
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

/** Longer than the last line ever is. */
const TAIL = 1024;

/** What the last line of an export says, if it is there. */
async function endOf(file: Blob): Promise<ExportEnd | null> {
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
  // The browser has taken it once the download has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
