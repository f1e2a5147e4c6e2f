/**
 * The checklist at the door. Every answer costs the same: yes, no and not possible are one tap each, a
 * reason is one more, and nothing answers several items with yes.
 */
import { UserX } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { CheckAnswer, CheckItem, Command, VisitView } from "../wasm/doorstep";
import { t, word, type TextKey } from "../i18n";
import { Choices, useBusy } from "../ui/components";
import { advance } from "./advance";
import { AutosaveText } from "./AutosaveText";
import { FieldAnchor } from "./MissingFields";
import { me, showToast, toast } from "./state";
import type { OpenRecord } from "./useRecord";
import { ANSWERS, DOOR_CHECKS, NEEDS_SOMEBODY } from "./formOptions";

/** Reasons that are offered; any other can be typed. */
const REASONS: readonly TextKey[] = ["site/why_nobody", "site/why_refused", "site/why_ended", "site/why_no_need"];

/** Items of the door that the signed-in user has not answered. */
export function unanswered(view: VisitView): CheckItem[] {
  return DOOR_CHECKS.filter((item) => !view.checks.some((check) => check.item === item && check.by === me.value));
}

export function Checklist({ record }: { record: OpenRecord }): JSX.Element {
  const answered = DOOR_CHECKS.length - unanswered(record.view).length;
  return (
    <section class="card-plain flex flex-col gap-5" data-testid="checklist">
      <h2 class="section-title flex items-baseline justify-between gap-2">
        {t("site/checks")}
        <span class="muted text-sm font-medium tabular-nums">
          {answered} / {DOOR_CHECKS.length}
        </span>
      </h2>
      {!record.readOnly && <NobodyMet record={record} />}
      {DOOR_CHECKS.map((item) => (
        <Check key={item} item={item} record={record} />
      ))}
    </section>
  );
}

/** If no person was met, answers items that take two people as not possible, in one tap. */
function NobodyMet({ record }: { record: OpenRecord }): JSX.Element | null {
  const { view, apply } = record;
  const [busy, run] = useBusy();
  const items = unanswered(view).filter((item) => NEEDS_SOMEBODY.includes(item));
  if (view.visit.person_met !== "nobody" || items.length === 0) return null;
  const reason = t("site/why_nobody");
  const fill = (): Promise<void> =>
    run(async () => {
      const done: Command[] = [];
      for (const item of items) {
        if (!(await apply(checkCommand(item, "not_possible", reason)))) break;
        done.push(checkCommand(item, null, null));
      }
      const undo = async (): Promise<void> => {
        for (const command of done) if (!(await apply(command))) return;
      };
      if (done.length > 0) showToast({ text: t("site/filled", { n: done.length }), undo: () => void undo() });
    });
  return (
    <button type="button" class="btn btn-tonal h-auto py-2" disabled={busy} onClick={() => void fill()}>
      <UserX class="size-5 shrink-0" aria-hidden="true" />
      {t("site/fill_nobody", { n: items.length })}
    </button>
  );
}

function checkCommand(item: CheckItem, answer: CheckAnswer | null, reason: string | null): Command {
  return { do: "check", item, answer, grade: "attested", at: Date.now(), reason };
}

/** One item, answered by the signed-in user; other collectors' answers are shown below it. */
export function Check({ item, record }: { item: CheckItem; record: OpenRecord }): JSX.Element {
  const { view, apply, applyWithUndo, readOnly } = record;
  const [asking, setAsking] = useState(false);
  const answers = view.checks.filter((check) => check.item === item);
  const own = answers.find(({ by }) => by === me.value);
  const others = answers.filter(({ by }) => by !== me.value);
  const saveAnswer = (answer: CheckAnswer, reason: string | null): void => {
    const undo = checkCommand(item, own?.answer ?? null, own?.reason || null);
    void applyWithUndo(checkCommand(item, answer, reason), `${word("check", item)}: ${word("answer", answer)}`, [undo]);
  };
  const choose = (answer: CheckAnswer, byTap: boolean): void => {
    // "Not possible" is saved only together with its reason.
    setAsking(answer === "not_possible");
    if (answer === "not_possible") toast.value = null;
    if (answer === "not_possible" || answer === own?.answer) return;
    saveAnswer(answer, null);
    if (byTap) advance(`checks.${item}`);
  };
  const chooseReason = (reason: string): void => {
    setAsking(false);
    saveAnswer("not_possible", reason);
    advance(`checks.${item}`);
  };
  const clear = (): void => {
    setAsking(false);
    if (!own) return;
    const text = t("app/undone", { what: word("check", item) });
    void applyWithUndo(checkCommand(item, null, null), text, [checkCommand(item, own.answer, own.reason || null)]);
  };
  return (
    <FieldAnchor paths={[`checks.${item}`]}>
      <div class="flex flex-col gap-2" data-check={item} data-answered={own !== undefined}>
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
        {asking && (
          <div role="group" aria-label={t("site/why_offered")} class="flex flex-wrap gap-2">
            {REASONS.map((key) => (
              <button
                key={key}
                type="button"
                class="btn btn-quiet rounded-full px-3.5"
                onClick={() => chooseReason(t(key))}
              >
                {t(key)}
              </button>
            ))}
          </div>
        )}
        {(asking || own?.answer === "not_possible") && (
          <AutosaveText
            label={t("site/why_not")}
            control={`checks.${item}.reason`}
            value={own?.reason ?? ""}
            readOnly={readOnly}
            check={(reason) => (reason.trim() === "" ? t("site/why_needed") : undefined)}
            onSave={async (reason) => {
              const saved = await apply(checkCommand(item, "not_possible", reason.trim()));
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
