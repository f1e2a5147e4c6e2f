/** An amount in major units, as people write it; exact minor units come out of its text. */
import type { JSX } from "preact";
import { t } from "../i18n";
import { parseMoney } from "../ui/format";
import { Field } from "../ui/components";

export function Amount(props: { currency: string; value: string; onInput: (text: string) => void }): JSX.Element {
  const sound = props.value === "" || parseMoney(props.value, props.currency) !== null;
  return (
    <Field label={t("talk/amount", { currency: props.currency })} error={sound ? undefined : t("talk/bad_amount")}>
      {(id, note) => (
        <input
          id={id}
          aria-describedby={note}
          class="input w-full tabular-nums"
          inputMode="decimal"
          autocomplete="off"
          value={props.value}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
