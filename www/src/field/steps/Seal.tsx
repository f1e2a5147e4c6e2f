/** The seal, and what may be added after it. */
import { LockKeyhole } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { fieldName, formatDateTime } from "../../ui/format";
import { Alert, Dialog, Select, TextField, useBusy } from "../../ui/parts";
import { Spot } from "../Missing";
import { client } from "../state";
import type { OpenRecord } from "../useRecord";
import { AMENDABLE } from "../words";

export function Seal({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply } = record;
  const [asking, setAsking] = useState(false);
  const [busy, run] = useBusy();
  const missing = view.steps.flatMap((step) => step.missing).filter((path) => path !== "seal");
  const noOutcome = view.talk.disposition === null;
  const sealNow = (): Promise<void> =>
    run(async () => {
      if (await apply({ do: "seal", at: Date.now() })) setAsking(false);
    });
  return (
    <Spot paths={["seal"]}>
      <button type="button" class="btn btn-primary min-h-14 text-lg" onClick={() => setAsking(true)}>
        <LockKeyhole class="size-6" aria-hidden="true" />
        {t("end/seal")}
      </button>
      {asking && (
        <Dialog
          title={t("end/seal_title")}
          onClose={() => setAsking(false)}
          actions={
            <>
              <button type="button" class="btn btn-ghost" onClick={() => setAsking(false)}>
                {t("app/cancel")}
              </button>
              <button type="button" class="btn btn-primary" disabled={noOutcome || busy} onClick={() => void sealNow()}>
                {t("end/seal_now")}
              </button>
            </>
          }
        >
          <p>{t("end/seal_text")}</p>
          {noOutcome && <Alert tone="error">{t("end/needs_outcome")}</Alert>}
          {missing.length > 0 && (
            <Alert tone="warning">
              <p>{t("end/seal_missing")}</p>
              <ul class="list-disc pl-5">
                {missing.map((path) => (
                  <li key={path}>{fieldName(path)}</li>
                ))}
              </ul>
            </Alert>
          )}
        </Dialog>
      )}
    </Spot>
  );
}

export function Amendments({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply } = record;
  const [path, setPath] = useState("");
  const [text, setText] = useState("");
  const [busy, run] = useBusy();
  const add = (): Promise<void> =>
    run(async () => {
      const id = await client.newId();
      if (!(await apply({ do: "amend", id, at: Date.now(), path, text: text.trim() }))) return;
      setText("");
      setPath("");
    });
  return (
    <section class="card-plain flex flex-col gap-4">
      <h3 class="section-title">{t("end/amendments")}</h3>
      {view.seal && (
        <p class="muted flex items-center gap-2 text-sm">
          <LockKeyhole class="size-[1.125rem] shrink-0" aria-hidden="true" />
          {t("end/sealed_at", { by: view.seal.by, at: formatDateTime(view.seal.at) })}
        </p>
      )}
      {view.amendments.length > 0 && (
        <ul class="flex flex-col gap-4">
          {view.amendments.map((amendment) => (
            <li key={amendment.id} class="border-base-300 border-l-[3px] pl-3">
              {amendment.path && <p class="text-sm font-medium">{fieldName(amendment.path)}</p>}
              <p class="whitespace-pre-line">{amendment.text}</p>
              <p class="muted text-sm">{t("app/by_at", { by: amendment.by, at: formatDateTime(amendment.at) })}</p>
            </li>
          ))}
        </ul>
      )}
      <Select
        label={t("end/amend_about")}
        options={AMENDABLE}
        value={path}
        empty={t("end/amend_all")}
        word={fieldName}
        onChange={setPath}
      />
      <TextField label={t("end/amend_text")} lines={3} value={text} onInput={setText} />
      <button type="button" class="btn btn-primary" disabled={text.trim() === "" || busy} onClick={() => void add()}>
        {t("end/amend")}
      </button>
    </section>
  );
}
