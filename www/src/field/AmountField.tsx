/** An input for an amount in major units; `parseMoney` converts its text to minor units. */
import type { JSX } from "preact";
import { t } from "../i18n";
import { parseMoney } from "../ui/format";
import { Field } from "../ui/components";

export function AmountField(props: {
  currency: string;
  control: string;
  value: string;
  onInput: (text: string) => void;
}): JSX.Element {
  const valid = props.value === "" || parseMoney(props.value, props.currency) !== null;
  return (
    <Field label={t("talk/amount", { currency: props.currency })} error={valid ? undefined : t("talk/bad_amount")}>
      {(id, note) => (
        <input
          id={id}
          data-control={props.control}
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
