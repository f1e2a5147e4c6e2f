/** Imports cases from a file: upload, map the columns, check every row, import, and correct refused rows. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import { t } from "../../i18n";
import { Alert } from "../../ui/components";
import { formatDateTime } from "../../ui/format";
import { api, type ImportLine } from "../api";
import { Empty, PageTitle } from "../layout";
import { explain, loadCollectors, mayWrite } from "../state";
import { Mapping } from "./Mapping";
import { Outcome } from "./Outcome";
import { Upload } from "./Upload";
import { isRunning, useImport } from "./useImport";

/** `id` is the import that is shown; without one a file is chosen. */
export function ImportPage({ id }: { id: string }): JSX.Element {
  useEffect(() => void loadCollectors(), []);
  if (!mayWrite()) return <Empty title={t("error/not_allowed")} />;
  return (
    <div class="flex max-w-5xl flex-col gap-4">
      <div class="flex flex-wrap items-center gap-3">
        <PageTitle>{t("office/import")}</PageTitle>
        {id && (
          <Link href="/import" class="btn btn-outline">
            {t("office/imports/another")}
          </Link>
        )}
      </div>
      {id ? <OneImport key={id} id={id} /> : <Start />}
    </div>
  );
}

function Start(): JSX.Element {
  const [, go] = useLocation();
  return (
    <>
      <Upload onUploaded={(id) => go(`/import/${id}`)} />
      <Recent />
    </>
  );
}

/** Imports that go on, or whose refused rows may still be needed. */
function Recent(): JSX.Element | null {
  const [imports, setImports] = useState<ImportLine[]>([]);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => void api.imports().then(setImports, (cause: unknown) => setError(explain(cause))), []);
  if (error) return <Alert tone="error">{error}</Alert>;
  if (imports.length === 0) return null;
  return (
    <section class="card-plain flex flex-col gap-2" aria-labelledby="recent-imports">
      <h2 id="recent-imports" class="section-title">
        {t("office/imports/recent")}
      </h2>
      <p class="muted text-sm">{t("office/imports/recent_note")}</p>
      <ul class="divide-base-300 flex flex-col divide-y">
        {imports.map((line) => (
          <li
            key={line.id}
            data-testid="import"
            data-state={line.phase}
            class="flex flex-wrap items-center gap-x-4 py-1"
          >
            <Link href={`/import/${line.id}`} class="link inline-flex min-h-9 items-center">
              {line.name}
            </Link>
            <span class="text-sm">{t(`office/imports/phase/${line.phase}`)}</span>
            <span class="muted text-sm">{formatDateTime(line.created_at)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function OneImport({ id }: { id: string }): JSX.Element {
  const { line, error, send, busy } = useImport(id);
  const [mapping, setMapping] = useState(false);
  const [, go] = useLocation();
  if (!line) return error ? <Alert tone="error">{error}</Alert> : <p role="status">{t("app/loading")}</p>;
  const running = isRunning(line);
  const asks = line.phase === "uploaded" || line.phase === "failed" || (mapping && line.phase === "checked");
  return (
    <>
      <p>
        <strong>{line.name}</strong> · {t("office/imports/rows", { n: line.total })}
      </p>
      {error && <Alert tone="error">{error}</Alert>}
      {line.phase === "failed" && (
        <Alert tone="error">
          {t("office/imports/failed")} {line.failure}
        </Alert>
      )}
      {running && <Progress line={line} />}
      {asks && (
        <Mapping
          line={line}
          busy={busy}
          onCheck={(settings) => {
            setMapping(false);
            send(() => api.checkImport(id, settings));
          }}
        />
      )}
      {!asks && (line.phase === "checked" || line.phase === "done") && (
        <Outcome line={line} busy={busy} onRun={() => send(() => api.runImport(id))} onMap={() => setMapping(true)} />
      )}
      {!running && (
        <button
          type="button"
          class="btn btn-ghost self-start"
          disabled={busy}
          onClick={() =>
            send(async () => {
              await api.deleteImport(id);
              go("/import");
              return undefined;
            })
          }
        >
          {t("office/imports/delete")}
        </button>
      )}
    </>
  );
}

function Progress({ line }: { line: ImportLine }): JSX.Element {
  const label = t(`office/imports/phase/${line.phase}`);
  return (
    <section class="card-plain flex flex-col gap-2" data-testid="import-progress" data-done={line.done}>
      <p class="font-semibold">{label}</p>
      <progress class="progress progress-primary w-full" max={line.total} value={line.done} aria-label={label} />
      <p class="muted text-sm">
        {t("office/imports/progress", { done: line.done, total: line.total })} {t("office/imports/goes_on")}
      </p>
    </section>
  );
}
