/** The notes, merged by character, and the borrower's own feedback, which only the collector writes. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { t, word } from "../i18n";
import { Result, useGuard, useSending } from "./formDraft";
import type { FormProps } from "./forms";
import { Card } from "./layout";

export function Notes(props: FormProps): JSX.Element {
  const { view } = props;
  return (
    <Card title={t("office/notes")}>
      {props.writes ? (
        <NotesForm {...props} />
      ) : (
        <p class="text-sm whitespace-pre-line">{view.notes || t("office/nothing_yet")}</p>
      )}
      <h3 class="text-sm font-medium">{word("field", "feedback")}</h3>
      <p class={`text-sm whitespace-pre-line ${view.feedback ? "" : "muted"}`}>
        {view.feedback || t("office/nothing_yet")}
      </p>
    </Card>
  );
}

function NotesForm({ view, apply }: FormProps): JSX.Element {
  const [typed, setTyped] = useState<string | null>(null);
  const base = useRef(view.heads);
  const sending = useSending(apply);
  // The text is merged against the state that typing began from.
  if (typed === null) base.current = view.heads;
  useGuard(typed !== null);
  const save = async (): Promise<void> => {
    if (typed !== null && (await sending.send({ do: "edit_notes", base: base.current, text: typed }))) setTyped(null);
  };
  return (
    <form class="flex flex-col gap-3" onSubmit={(event) => event.preventDefault()}>
      <textarea
        aria-label={word("field", "notes")}
        rows={5}
        class="textarea w-full"
        readOnly={sending.busy}
        value={typed ?? view.notes}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <div class="flex flex-wrap gap-2">
        <button
          type="button"
          class="btn btn-primary"
          disabled={typed === null || sending.busy}
          onClick={() => void save()}
        >
          {t("office/save_notes")}
        </button>
        {typed !== null && (
          <button type="button" class="btn btn-ghost" disabled={sending.busy} onClick={() => setTyped(null)}>
            {t("office/discard")}
          </button>
        )}
      </div>
      <Result sending={sending} quiet={typed !== null} />
    </form>
  );
}
