/** The checklist at the door: yes, no, or not possible because. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { CheckAnswer, CheckItem, CheckView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { Choices } from "../ui/parts";
import { AutoText } from "./AutoText";
import { session, showToast } from "./state";
import type { OpenRecord } from "./useRecord";

/** In the order in which a visit goes; reading back belongs to the last step. */
const ITEMS: readonly CheckItem[] = [
  "identity_stated",
  "id_shown",
  "credentials_shown",
  "identity_verified",
  "purpose_stated",
  "convenient_now",
  "recording_announced",
  "visit_recorded",
  "entry_consent",
  "loan_info_shown",
  "complaint_channel_told",
  "no_third_party_disclosure",
  "no_money_taken",
];
const ANSWERS: readonly CheckAnswer[] = ["yes", "no", "not_possible"];

export function Checklist({ record }: { record: OpenRecord }): JSX.Element {
  return (
    <section class="card-plain flex flex-col gap-5">
      <h2 class="section-title">{t("site/checks")}</h2>
      {ITEMS.map((item) => (
        <Check key={item} item={item} record={record} />
      ))}
    </section>
  );
}

/** One item, answered by the person who is signed in; another collector's answer shows beside it. */
export function Check({ item, record }: { item: CheckItem; record: OpenRecord }): JSX.Element {
  const { view, apply, readOnly } = record;
  const [asking, setAsking] = useState(false);
  const me = session.value?.kind === "ready" ? session.value.user : "";
  const of = (mine: boolean): CheckView[] =>
    view.checks.filter((check) => check.item === item && (check.by === me) === mine);
  const own = of(true)[0];
  const set = (answer: CheckAnswer | null, reason: string | null): Promise<boolean> =>
    apply({ do: "check", item, answer, grade: "attested", at: Date.now(), reason });
  const choose = async (answer: CheckAnswer): Promise<void> => {
    // "Not possible" is an answer only with its reason.
    setAsking(answer === "not_possible");
    if (answer === "not_possible" || !(await set(answer, null))) return;
    showToast({ text: word("check", item), undo: () => void set(own?.answer ?? null, own?.reason || null) });
  };
  return (
    <div class="flex flex-col gap-2">
      <Choices<CheckAnswer>
        label={word("check", item)}
        options={ANSWERS}
        value={asking ? "not_possible" : (own?.answer ?? null)}
        disabled={readOnly}
        word={(answer) => word("answer", answer)}
        onChange={(answer) => void choose(answer)}
      />
      {(asking || own?.answer === "not_possible") && (
        <AutoText
          label={t("site/why_not")}
          value={own?.reason ?? ""}
          disabled={readOnly}
          onSave={async (reason) => {
            const saved = reason.trim() !== "" && (await set("not_possible", reason));
            if (saved) setAsking(false);
            return saved;
          }}
        />
      )}
      {of(false).map((check) => (
        <p key={check.by} class="muted text-sm">
          {check.by}: {word("answer", check.answer)} {check.reason}
        </p>
      ))}
    </div>
  );
}
