/** The seal, its signatures, and amendments after it. */
import { LockKeyhole, PenLine } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { fieldName, formatDateTime } from "../../ui/format";
import { Alert, Dialog, Select, TextField, useBusy } from "../../ui/components";
import { Signatures } from "../../ui/Signatures";
import { DraftNotice, openDrafts } from "../DraftNotices";
import { useForm } from "../useForm";
import { FieldAnchor } from "../MissingFields";
import { readBackText } from "../readBack";
import { client, me } from "../state";
import type { OpenRecord } from "../useRecord";
import { AMENDABLE } from "../formOptions";

export function Seal({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply, sign } = record;
  const [asking, setAsking] = useState(false);
  const [busy, run] = useBusy();
  const missing = view.steps.flatMap((step) => step.missing).filter((path) => path !== "seal");
  const forms = openDrafts(record);
  const noOutcome = view.talk.disposition === null;
  const sealNow = (): Promise<void> =>
    run(async () => {
      const sealed = await apply({ do: "seal", at: Date.now() });
      if (!sealed) return;
      setAsking(false);
      // If signing fails, the record stays sealed and can be signed later.
      await sign(sealed, readBackText(sealed));
    });
  return (
    <FieldAnchor paths={["seal"]}>
      <button type="button" class="btn btn-primary min-h-14 text-lg" onClick={() => setAsking(true)}>
        <LockKeyhole class="size-6" aria-hidden="true" />
        {t("outcome/seal")}
      </button>
      {asking && (
        <Dialog
          title={t("outcome/seal_title")}
          onClose={() => setAsking(false)}
          actions={
            <>
              <button type="button" class="btn btn-ghost" onClick={() => setAsking(false)}>
                {t("app/cancel")}
              </button>
              <button type="button" class="btn btn-primary" disabled={noOutcome || busy} onClick={() => void sealNow()}>
                {t("outcome/seal_now")}
              </button>
            </>
          }
        >
          <p>{t("outcome/seal_text")}</p>
          <p>{t("signature/with_seal", { user: me.value })}</p>
          {noOutcome && <Alert tone="error">{t("outcome/needs_outcome")}</Alert>}
          {forms.length > 0 && (
            <Alert tone="warning">
              <p>{t("form/not_sealed")}</p>
              <ul class="list-disc pl-5">
                {forms.map(({ form, title }) => (
                  <li key={form}>{title}</li>
                ))}
              </ul>
            </Alert>
          )}
          {missing.length > 0 && (
            <Alert tone="warning">
              <p>{t("outcome/seal_missing")}</p>
              <ul class="list-disc pl-5">
                {missing.map((path) => (
                  <li key={path}>{fieldName(path)}</li>
                ))}
              </ul>
            </Alert>
          )}
        </Dialog>
      )}
    </FieldAnchor>
  );
}

/** The signatures under the seal, and a button for a collector who has not signed. */
export function RecordSignatures({ record }: { record: OpenRecord }): JSX.Element {
  const { view, sign } = record;
  const [asking, setAsking] = useState(false);
  const [busy, run] = useBusy();
  const mine = view.seal?.signatures.some((one) => one.by === me.value && one.standing && one.sound);
  const text = readBackText(view);
  const signNow = (): Promise<void> =>
    run(async () => {
      if (await sign(view, text)) setAsking(false);
    });
  return (
    <Signatures view={view}>
      {!mine && (
        <button type="button" class="btn btn-tonal" onClick={() => setAsking(true)}>
          <PenLine class="size-5" aria-hidden="true" />
          {t("signature/sign")}
        </button>
      )}
      {asking && (
        <Dialog
          title={t("signature/sign_title")}
          onClose={() => setAsking(false)}
          actions={
            <>
              <button type="button" class="btn btn-ghost" onClick={() => setAsking(false)}>
                {t("app/cancel")}
              </button>
              <button type="button" class="btn btn-primary" disabled={busy} onClick={() => void signNow()}>
                {t("signature/sign_now")}
              </button>
            </>
          }
        >
          <p>{t("signature/with_key", { user: me.value })}</p>
          <p class="bg-base-200 rounded-field overflow-y-auto p-3 whitespace-pre-line" tabIndex={0}>
            {text}
          </p>
        </Dialog>
      )}
    </Signatures>
  );
}

export function Amendments({ record }: { record: OpenRecord }): JSX.Element {
  const { view } = record;
  const form = useForm(record, "amendment", { path: "", text: "" });
  const { path, text } = form.fields;
  const [busy, run] = useBusy();
  const add = (): Promise<void> =>
    run(async () => {
      const id = await client.newId();
      await form.submit({ do: "amend", id, at: Date.now(), path, text: text.trim() });
    });
  return (
    <section class="card-plain flex flex-col gap-4">
      <h3 class="section-title">{t("outcome/amendments")}</h3>
      {view.seal && (
        <p class="muted flex items-center gap-2 text-sm">
          <LockKeyhole class="size-[1.125rem] shrink-0" aria-hidden="true" />
          {t("outcome/sealed_at", { by: view.seal.by, at: formatDateTime(view.seal.at) })}
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
        label={t("outcome/amend_about")}
        options={AMENDABLE}
        empty={t("outcome/amend_all")}
        word={fieldName}
        {...form.bind("path")}
      />
      <TextField label={t("outcome/amend_text")} lines={3} {...form.bind("text")} />
      <button type="button" class="btn btn-primary" disabled={text.trim() === "" || busy} onClick={() => void add()}>
        {t("outcome/amend")}
      </button>
      <DraftNotice form={form} />
    </section>
  );
}
