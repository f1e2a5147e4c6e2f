/** The checklist at the door. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { CheckAnswer, CheckItem } from "../wasm/doorstep";
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

/** One item, answered by the signed-in user; other collectors' answers are shown below it. */
export function Check({ item, record }: { item: CheckItem; record: OpenRecord }): JSX.Element {
  const { view, apply, applyWithUndo, readOnly } = record;
  const [asking, setAsking] = useState(false);
  const answers = view.checks.filter((check) => check.item === item);
  const own = answers.find(({ by }) => by === me.value);
  const others = answers.filter(({ by }) => by !== me.value);
  const command = (answer: CheckAnswer | null, reason: string | null) =>
    ({ do: "check", item, answer, grade: "attested", at: Date.now(), reason }) as const;
  const choose = (answer: CheckAnswer): void => {
    // "Not possible" is saved only together with its reason.
    setAsking(answer === "not_possible");
    if (answer === "not_possible") toast.value = null;
    if (answer === "not_possible" || answer === own?.answer) return;
    const undo = command(own?.answer ?? null, own?.reason || null);
    void applyWithUndo(command(answer, null), `${word("check", item)}: ${word("answer", answer)}`, [undo]);
  };
  const clear = (): void => {
    setAsking(false);
    if (!own) return;
    const text = t("app/undone", { what: word("check", item) });
    void applyWithUndo(command(null, null), text, [command(own.answer, own.reason || null)]);
  };
  return (
    <FieldAnchor paths={[`checks.${item}`]}>
      <div class="flex flex-col gap-2">
        <Choices<CheckAnswer>
          label={word("check", item)}
          control={`checks.${item}`}
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
            control={`checks.${item}.reason`}
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
        {others.map((check) => (
          <p key={check.by} class="muted text-sm">
            {check.by}: {word("answer", check.answer)}
            {check.reason && ` – ${check.reason}`}
          </p>
        ))}
      </div>
    </FieldAnchor>
  );
}
