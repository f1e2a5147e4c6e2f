/** The sync dialog's section about the record that is open: what is unsent, since when, why, and what happens next. */
import { CircleCheck, Clock, CloudUpload, Paperclip, PencilLine } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ListRow } from "../core/api";
import { t } from "../i18n";
import { fieldName } from "../ui/format";
import { missingFiles } from "./missingFiles";
import { client, me, rows } from "./state";
import { sinceText, syncReason } from "./syncReason";

/** Most fields that are named. */
const MAX_FIELDS = 8;

export function RecordSync({ id }: { id: string }): JSX.Element | null {
  const row = (rows.value ?? []).find((candidate) => candidate.id === id);
  if (!row) return null;
  const files = missingFiles.value.get(id) ?? 0;
  return (
    <section
      data-testid="record-sync"
      data-state={row.state}
      aria-label={t("sync/record")}
      class="rounded-field bg-base-200 flex flex-col gap-2 p-3 text-[0.9375rem]"
    >
      <h3 class="label-text">{t("sync/record")}</h3>
      {files > 0 && (
        <p class="flex gap-2.5" data-testid="files-missing">
          <Paperclip class="text-accent mt-0.5 size-5 shrink-0" aria-hidden="true" />
          {t("list/files_missing", { n: files })}
        </p>
      )}
      {row.unsent === 0 && row.problem === null ? (
        <p class="flex gap-2.5">
          <CircleCheck class="text-success mt-0.5 size-5 shrink-0" aria-hidden="true" />
          {t("sync/record_sent")}
        </p>
      ) : (
        <Unsent row={row} />
      )}
    </section>
  );
}

function Unsent({ row }: { row: ListRow }): JSX.Element {
  const { why, next, urgent } = syncReason(row);
  const fields = useUnsentFields(row);
  return (
    <>
      {row.unsent_since !== null && (
        <p class="flex gap-2.5">
          <CloudUpload class="text-accent mt-0.5 size-5 shrink-0" aria-hidden="true" />
          <span>
            {t("sync/record_unsent", { n: row.unsent })} {sinceText(row.unsent_since)}
          </span>
        </p>
      )}
      {fields.length > 0 && (
        <p class="flex gap-2.5">
          <PencilLine class="muted mt-0.5 size-5 shrink-0" aria-hidden="true" />
          <span data-testid="unsent-fields">
            {fields.slice(0, MAX_FIELDS).join(", ")}
            {fields.length > MAX_FIELDS && " …"}
          </span>
        </p>
      )}
      <p class="flex gap-2.5">
        <Clock class={`mt-0.5 size-5 shrink-0 ${urgent ? "text-error" : "muted"}`} aria-hidden="true" />
        <span>
          <span class={`block ${urgent ? "text-error font-medium" : ""}`}>{why}</span>
          <span data-testid="sync-next">{next}</span>
        </span>
      </p>
    </>
  );
}

/** Names of the fields that the user has changed since the oldest unsent change. */
function useUnsentFields({ id, unsent, unsent_since: since }: ListRow): string[] {
  const [fields, setFields] = useState<string[]>([]);
  useEffect(() => {
    let current = true;
    if (since === null) return setFields([]);
    client.history(id).then(
      (entries) => {
        // The times of changes are in whole seconds.
        const own = entries.filter(({ by, at }) => by === me.value && at >= Math.floor(since / 1000) * 1000);
        if (current) setFields([...new Set(own.map(({ path }) => fieldName(path)))]);
      },
      () => undefined,
    );
    return () => void (current = false);
  }, [id, unsent, since]);
  return fields;
}
