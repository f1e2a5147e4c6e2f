/** The notes, which are merged by character. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { t, word } from "../i18n";
import { SubmitResult, useUnloadWarning, useSubmit, type FormProps } from "./formDraft";
import { Card } from "./layout";

export function Notes(props: FormProps): JSX.Element {
  const { view } = props;
  return (
    <Card title={word("field", "notes")}>
      {props.writes ? (
        <NotesForm {...props} />
      ) : (
        <p class="text-sm whitespace-pre-line">{view.notes || t("office/nothing_yet")}</p>
      )}
    </Card>
  );
}

function NotesForm({ view, apply }: FormProps): JSX.Element {
  const [typed, setTyped] = useState<string | null>(null);
  const base = useRef(view.heads);
  const submit = useSubmit(apply);
  // The text is merged against the version that typing began from.
  if (typed === null) base.current = view.heads;
  useUnloadWarning(typed !== null);
  const save = async (): Promise<void> => {
    if (typed !== null && (await submit.send({ do: "edit_notes", base: base.current, text: typed }))) setTyped(null);
  };
  return (
    <form class="flex flex-col gap-3" onSubmit={(event) => event.preventDefault()}>
      <textarea
        aria-label={word("field", "notes")}
        rows={5}
        class="textarea w-full"
        readOnly={submit.busy}
        value={typed ?? view.notes}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <div class="flex flex-wrap gap-2">
        <button
          type="button"
          class="btn btn-primary"
          disabled={typed === null || submit.busy}
          onClick={() => void save()}
        >
          {t("office/save_notes")}
        </button>
        {typed !== null && (
          <button type="button" class="btn btn-ghost" disabled={submit.busy} onClick={() => setTyped(null)}>
            {t("office/discard")}
          </button>
        )}
      </div>
      <SubmitResult submit={submit} quiet={typed !== null} />
    </form>
  );
}
