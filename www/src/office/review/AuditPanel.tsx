/** The audit of a drawn record: its outcome, and the form for it. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { Alert, Choices, TextField } from "../../ui/components";
import { formatDateTime } from "../../ui/format";
import { api, type ReviewState } from "../api";
import { useUnloadWarning } from "../formDraft";
import { ByLine, Card, Facts } from "../layout";
import { announceChange } from "../list/live";
import { me } from "../state";
import { useRequest } from "../useRequest";

type Sample = NonNullable<ReviewState["audit"]>;

const OUTCOMES = ["passed", "failed"] as const;

export function AuditPanel(props: { id: string; sample: Sample; reload: () => void }): JSX.Element {
  const { id, sample, reload } = props;
  return (
    <Card title={t("office/sample/title")}>
      <p class="muted text-sm">{t("office/sample/lead", { at: formatDateTime(sample.drawn_at) })}</p>
      {sample.at !== null && (
        <Facts
          rows={[
            [t("office/sample/outcome"), sample.outcome && t(`office/sample/${sample.outcome}`)],
            [t("office/sample/by"), <ByLine by={sample.by} at={formatDateTime(sample.at)} />],
            [t("office/sample/note"), sample.note],
          ]}
        />
      )}
      {/* The auditor may correct the outcome. */}
      {(sample.at === null || sample.by === me.value?.user) && (
        <AuditForm key={sample.at} id={id} sample={sample} reload={reload} />
      )}
    </Card>
  );
}

function AuditForm({ id, sample, reload }: { id: string; sample: Sample; reload: () => void }): JSX.Element {
  const [outcome, setOutcome] = useState<(typeof OUTCOMES)[number] | "">(sample.outcome ?? "");
  const [note, setNote] = useState(sample.note);
  const request = useRequest(() => {
    announceChange();
    reload();
  });
  const changed = outcome !== (sample.outcome ?? "") || note !== sample.note;
  useUnloadWarning(changed);
  const save = (): void => {
    if (outcome) request.send(() => api.putAudit(id, { sealed_at: sample.sealed_at, outcome, note: note.trim() }));
  };
  const unsaid = outcome === "failed" && note.trim() === "";
  return (
    <div class="flex flex-col gap-3" data-testid="audit-form">
      <Choices
        label={t("office/sample/outcome")}
        options={OUTCOMES}
        look="segments"
        value={outcome}
        word={(option) => t(`office/sample/${option}`)}
        onChange={setOutcome}
      />
      <TextField label={t("office/sample/note")} lines={2} value={note} onInput={setNote} />
      <button
        type="button"
        class="btn btn-primary self-start"
        disabled={request.busy || !changed || !outcome || unsaid}
        onClick={save}
      >
        {t("office/sample/save")}
      </button>
      {request.error && <Alert tone="error">{request.error}</Alert>}
    </div>
  );
}
