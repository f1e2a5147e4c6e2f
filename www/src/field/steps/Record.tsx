/** Step 5: outcome, feedback, notes, payments, reading back, seal; amendments after it. */
import type { JSX } from "preact";
import type { Disposition } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { Choices, Fact } from "../../ui/parts";
import { Prose, type ProseState } from "../AutoText";
import { textCommand } from "../carryOut";
import { Afterwards } from "../conduct/Door";
import { Spot } from "../Missing";
import { putBack } from "../putBack";
import type { OpenRecord } from "../useRecord";
import { DISPOSITIONS } from "../words";
import { Attachments } from "./Attachments";
import { Payments } from "./Payments";
import { ReadBack } from "./ReadBack";
import { Amendments, Seal, Signed } from "./Seal";

export function RecordStep({ record }: { record: OpenRecord }): JSX.Element {
  return (
    <>
      <Outcome record={record} />
      <section class="card-plain flex flex-col gap-5">
        {(["feedback", "notes"] as const).map((field) => (
          <Spot key={field} paths={[field]}>
            <Text record={record} field={field} />
          </Spot>
        ))}
      </section>
      <Payments record={record} />
      <Attachments record={record} />
      <ReadBack record={record} />
      <Afterwards record={record} />
      {record.readOnly && <Signed record={record} />}
      {record.readOnly ? <Amendments record={record} /> : <Seal record={record} />}
    </>
  );
}

function Text({ record, field }: { record: OpenRecord; field: "feedback" | "notes" }): JSX.Element {
  const { view, apply, readOnly } = record;
  const save = async (base: ProseState, text: string): Promise<ProseState | null> => {
    const typed = { field, base, text };
    const next = await apply(textCommand(typed), { typed });
    return next && { text: next[field], heads: next.heads };
  };
  return (
    <Prose
      label={word("field", field)}
      lines={4}
      state={{ text: view[field], heads: view.heads }}
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
    const back = putBack("talk", { disposition: before });
    void applyWithUndo({ do: "edit_talk", disposition }, word("disposition", disposition), back);
  };
  const clear = (): void => {
    const said = t("app/taken_back", { what: t("end/disposition") });
    void applyWithUndo({ do: "clear", paths: ["talk.disposition"] }, said, putBack("talk", { disposition: before }));
  };
  if (readOnly) {
    return (
      <section class="card-plain text-lg font-semibold">
        <Fact label={t("end/disposition")}>{before && word("disposition", before)}</Fact>
      </section>
    );
  }
  return (
    <Spot paths={["talk.disposition"]}>
      <section class="card-plain flex flex-col gap-5">
        <h3 class="section-title">{t("end/disposition")}</h3>
        {DISPOSITIONS.map(([group, options]) => (
          <Choices<Disposition>
            key={group}
            label={t(group)}
            options={options}
            value={before}
            word={(option) => word("disposition", option)}
            onChange={choose}
            onClear={before && options.includes(before) ? clear : undefined}
          />
        ))}
      </section>
    </Spot>
  );
}
