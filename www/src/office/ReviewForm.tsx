/** The seal and the review of the sealed record. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ReviewStatus } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { formatDateTime } from "../ui/format";
import { Field } from "../ui/components";
import { SubmitResult, useUnloadWarning, useSubmit, type FormProps } from "./formDraft";
import { Card, Facts, ByLine } from "./layout";

export function Review(props: FormProps): JSX.Element {
  const { review, seal, stage } = props.view;
  return (
    <Card title={t("office/review_title")}>
      <Facts
        rows={[
          [word("field", "seal"), seal ? <ByLine by={seal.by} at={formatDateTime(seal.at)} /> : t("office/no_seal")],
          [t("office/device"), seal && <span class="font-mono text-xs">{seal.device.slice(0, 8)}</span>],
          [word("field", "review.status"), word("review", review.status)],
          [t("office/reviewed_by"), review.at !== null && <ByLine by={review.by} at={formatDateTime(review.at)} />],
          [word("field", "review.remark"), review.remark],
        ]}
      />
      {props.writes && stage === "sealed" && <ReviewForm {...props} />}
      {props.writes && stage === "reviewed" && <UndoReview {...props} />}
      {stage !== "sealed" && stage !== "reviewed" && <p class="muted text-sm">{t("office/not_sealed")}</p>}
    </Card>
  );
}

function ReviewForm({ apply }: FormProps): JSX.Element {
  const [remark, setRemark] = useState("");
  const [remarkMissing, setRemarkMissing] = useState(false);
  const submit = useSubmit(apply);
  useUnloadWarning(remark !== "");
  const decide = async (status: ReviewStatus): Promise<void> => {
    const missing = status === "returned" && remark.trim() === "";
    setRemarkMissing(missing);
    if (missing) return;
    if (await submit.send({ do: "review", status, remark: remark.trim(), at: Date.now() })) setRemark("");
  };
  return (
    <form class="flex flex-col gap-3" onSubmit={(event) => event.preventDefault()}>
      <Field label={t("office/remark")} error={remarkMissing ? t("office/remark_needed") : undefined}>
        {(id, note) => (
          <textarea
            id={id}
            aria-describedby={note}
            aria-invalid={remarkMissing}
            rows={2}
            class="textarea w-full"
            readOnly={submit.busy}
            value={remark}
            onInput={(event) => setRemark(event.currentTarget.value)}
          />
        )}
      </Field>
      <div class="flex flex-wrap gap-2">
        <button type="button" class="btn btn-primary" disabled={submit.busy} onClick={() => void decide("accepted")}>
          {t("office/accept")}
        </button>
        <button type="button" class="btn btn-outline" disabled={submit.busy} onClick={() => void decide("returned")}>
          {t("office/return")}
        </button>
      </div>
      <SubmitResult submit={submit} />
    </form>
  );
}

function UndoReview({ apply }: FormProps): JSX.Element {
  const submit = useSubmit(apply);
  return (
    <>
      <button
        type="button"
        class="btn btn-outline self-start"
        disabled={submit.busy}
        onClick={() => void submit.send({ do: "review", status: "pending", remark: "", at: Date.now() })}
      >
        {t("office/undo_review")}
      </button>
      <SubmitResult submit={submit} />
    </>
  );
}
