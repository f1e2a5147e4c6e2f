/** The checklist at the door: yes, no, or not possible because. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { CheckAnswer, CheckItem, CheckView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { Choices } from "../ui/components";
import { AutosaveText } from "./AutosaveText";
import { FieldAnchor } from "./MissingFields";
import { me, toast } from "./state";
import type { OpenRecord } from "./useRecord";
import { ANSWERS, DOOR_CHECKS } from "./formOptions";

export function Checklist({ record }: { record: OpenRecord }): JSX.Element {
  const own = record.view.checks.filter(({ item, by }) => by === me.value && DOOR_CHECKS.includes(item));
  return (
    <section class="card-plain flex flex-col gap-5">
      <h2 class="section-title flex items-baseline justify-between gap-2">
        {t("site/checks")}
        <span class="muted text-sm font-medium tabular-nums">
          {own.length} / {DOOR_CHECKS.length}
        </span>
      </h2>
      {DOOR_CHECKS.map((item) => (
        <Check key={item} item={item} record={record} />
      ))}
    </section>
  );
}

/** One item, answered by the person who is signed in; another collector's answer shows beside it. */
export function Check({ item, record }: { item: CheckItem; record: OpenRecord }): JSX.Element {
  const { view, apply, applyWithUndo, readOnly } = record;
  const [asking, setAsking] = useState(false);
  const of = (mine: boolean): CheckView[] =>
    view.checks.filter((check) => check.item === item && (check.by === me.value) === mine);
  const own = of(true)[0];
  const command = (answer: CheckAnswer | null, reason: string | null) =>
    ({ do: "check", item, answer, grade: "attested", at: Date.now(), reason }) as const;
  const choose = (answer: CheckAnswer): void => {
    // "Not possible" is an answer only with its reason.
    setAsking(answer === "not_possible");
    if (answer === "not_possible") toast.value = null;
    if (answer === "not_possible" || answer === own?.answer) return;
    const back = command(own?.answer ?? null, own?.reason || null);
    void applyWithUndo(command(answer, null), `${word("check", item)}: ${word("answer", answer)}`, [back]);
  };
  const clear = (): void => {
    setAsking(false);
    if (!own) return;
    const text = t("app/taken_back", { what: word("check", item) });
    void applyWithUndo(command(null, null), text, [command(own.answer, own.reason || null)]);
  };
  return (
    <FieldAnchor paths={[`checks.${item}`]}>
      <div class="flex flex-col gap-2">
        <Choices<CheckAnswer>
          label={word("check", item)}
          options={ANSWERS}
          look="segments"
          value={asking ? "not_possible" : (own?.answer ?? null)}
          readOnly={readOnly}
          word={(answer) => word("answer", answer)}
          onChange={choose}
          onClear={clear}
        />
        {(asking || own?.answer === "not_possible") && (
          <AutosaveText
            label={t("site/why_not")}
            value={own?.reason ?? ""}
            readOnly={readOnly}
            check={(reason) => (reason.trim() === "" ? t("site/why_needed") : undefined)}
            onSave={async (reason) => {
              const saved = await apply(command("not_possible", reason.trim()));
              if (saved) setAsking(false);
              return saved;
            }}
          />
        )}
        {of(false).map((check) => (
          <p key={check.by} class="muted text-sm">
            {check.by}: {word("answer", check.answer)}
            {check.reason && ` – ${check.reason}`}
          </p>
        ))}
      </div>
    </FieldAnchor>
  );
}
