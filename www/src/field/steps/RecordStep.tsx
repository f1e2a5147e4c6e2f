/** Step 5: outcome, feedback, notes, payments, reading back, seal; amendments after it. */
import type { JSX } from "preact";
import type { Disposition } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { Choices, Fact } from "../../ui/components";
import { advance } from "../advance";
import { MergedTextField, type TextVersion } from "../AutosaveText";
import { textCommand } from "../applyCommand";
import { PostVisitCheck } from "../conduct/VisitChecks";
import { FieldAnchor } from "../MissingFields";
import { undoCommands } from "../undoCommands";
import type { OpenRecord } from "../useRecord";
import { DISPOSITIONS } from "../formOptions";
import { Attachments } from "./Attachments";
import { Payments } from "./Payments";
import { ReadBack } from "./ReadBack";
import { Amendments, Seal, RecordSignatures } from "./Seal";

export function RecordStep({ record }: { record: OpenRecord }): JSX.Element {
  return (
    <>
      <Outcome record={record} />
      <section class="card-plain flex flex-col gap-5">
        {(["feedback", "notes"] as const).map((field) => (
          <FieldAnchor key={field} paths={[field]}>
            <RecordText record={record} field={field} />
          </FieldAnchor>
        ))}
      </section>
      <Payments record={record} />
      <Attachments record={record} />
      <ReadBack record={record} />
      <PostVisitCheck record={record} />
      {record.readOnly && <RecordSignatures record={record} />}
      {record.readOnly ? <Amendments record={record} /> : <Seal record={record} />}
    </>
  );
}

function RecordText({ record, field }: { record: OpenRecord; field: "feedback" | "notes" }): JSX.Element {
  const { view, apply, readOnly } = record;
  const save = async (base: TextVersion, text: string): Promise<TextVersion | null> => {
    const edit = { field, base, text };
    const next = await apply(textCommand(edit), { edit });
    return next && { text: next[field], heads: next.heads };
  };
  return (
    <MergedTextField
      label={word("field", field)}
      control={field}
      lines={4}
      saved={{ text: view[field], heads: view.heads }}
      readOnly={readOnly}
      onSave={save}
    />
  );
}

function Outcome({ record }: { record: OpenRecord }): JSX.Element {
  const { view, applyWithUndo, readOnly } = record;
  const before = view.talk.disposition;
  const choose = (disposition: Disposition): void => {
    if (disposition === before) return;
    const undo = undoCommands("talk", { disposition: before });
    void applyWithUndo({ do: "edit_talk", disposition }, word("disposition", disposition), undo);
  };
  const clear = (): void => {
    const message = t("app/undone", { what: t("outcome/disposition") });
    void applyWithUndo(
      { do: "clear", paths: ["talk.disposition"] },
      message,
      undoCommands("talk", { disposition: before }),
    );
  };
  if (readOnly) {
    return (
      <section class="card-plain text-lg font-semibold">
        <Fact label={t("outcome/disposition")}>{before && word("disposition", before)}</Fact>
      </section>
    );
  }
  return (
    <FieldAnchor paths={["talk.disposition"]}>
      <section class="card-plain flex flex-col gap-5">
        <h3 class="section-title">{t("outcome/disposition")}</h3>
        {DISPOSITIONS.map(([group, options]) => (
          <Choices<Disposition>
            key={group}
            label={t(group)}
            control={group}
            options={options}
            value={before}
            word={(option) => word("disposition", option)}
            onChange={(option, byTap) => {
              choose(option);
              if (byTap) advance(group, "feedback");
            }}
            onClear={before && options.includes(before) ? clear : undefined}
          />
        ))}
      </section>
    </FieldAnchor>
  );
}
