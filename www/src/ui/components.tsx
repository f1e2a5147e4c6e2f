/**
 * Small components that both apps share.
 *
 * `control` names a control for the page position (field/pagePosition.ts); it is stored unencrypted,
 * so it must not contain a text or a value.
 */
import { Check, CircleAlert, Info, TriangleAlert, X } from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { DateInput, isDateType } from "./DateInput";
import { useDirtyForm } from "./dirtyForms";

/** A labelled control, with a hint or an error that screen readers announce. */
export function Field(props: {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  children: (id: string, describedBy: string | undefined) => ComponentChildren;
}): JSX.Element {
  const id = useId();
  const note = props.error ?? props.hint;
  return (
    <div class="flex flex-col gap-1.5">
      <label for={id} class="label-text">
        {props.label}
      </label>
      {props.children(id, note ? `${id}-note` : undefined)}
      {note && (
        <p id={`${id}-note`} class={props.error ? "text-error text-sm" : "muted text-sm"}>
          {note}
        </p>
      )}
    </div>
  );
}

/** The value of a field that can no longer be changed. */
export function Fact(props: { label: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="flex flex-col gap-0.5">
      <span class="muted text-sm">{props.label}</span>
      <span class="whitespace-pre-line">{props.children || "–"}</span>
    </div>
  );
}

/** Radio buttons with large targets; the selection is visible without colour. */
export function Choices<T extends string>(props: {
  label: string;
  control?: string;
  options: readonly T[];
  value: T | "" | null;
  word: (option: T) => string;
  /** Short options in one row, or a grid of longer ones. */
  look?: "segments" | "grid";
  readOnly?: boolean | undefined;
  /** `byTap`: with a finger or a mouse, not with a key. */
  onChange: (option: T, byTap: boolean) => void;
  /** Clears the selection. */
  onClear?: (() => void) | undefined;
}): JSX.Element {
  const id = useId();
  const segments = props.look === "segments";
  if (props.readOnly) {
    return <Fact label={props.label}>{props.value ? props.word(props.value) : null}</Fact>;
  }
  return (
    <div role="radiogroup" aria-labelledby={id} data-control={props.control} class="flex flex-col gap-2">
      <div class="flex items-center justify-between gap-3">
        <span id={id} class="label-text">
          {props.label}
        </span>
        {props.onClear && props.value && (
          <button
            type="button"
            class="btn btn-ghost -my-2 shrink-0 px-2 text-sm font-medium"
            aria-label={t("app/undo_of", { what: props.label })}
            onClick={props.onClear}
          >
            {t("app/undo_last")}
          </button>
        )}
      </div>
      <div class={segments ? "segments" : "choice-grid"}>
        {props.options.map((option, at) => {
          const chosen = option === props.value;
          const tabbable = chosen || (!props.options.some((other) => other === props.value) && at === 0);
          return (
            <button
              key={option}
              type="button"
              role="radio"
              aria-checked={chosen}
              tabIndex={tabbable ? 0 : -1}
              class={segments ? "segment" : "choice"}
              onClick={(event) => props.onChange(option, event.detail > 0)}
              onKeyDown={moveFocus}
            >
              <span>{props.word(option)}</span>
              {!segments && chosen && <Check class="text-primary size-5 shrink-0" aria-hidden="true" />}
            </button>
          );
        })}
      </div>
    </div>
  );
}

/** Arrow keys move the focus between the buttons of a group. */
function moveFocus(event: JSX.TargetedKeyboardEvent<HTMLButtonElement>): void {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const siblings = [...(event.currentTarget.parentElement?.querySelectorAll("button") ?? [])];
  const at = siblings.indexOf(event.currentTarget);
  siblings[(at + step + siblings.length) % siblings.length]?.focus();
}

/** A native select element. */
export function Select<T extends string>(props: {
  label: string;
  control?: string;
  options: readonly T[];
  value: T | "";
  word: (option: T) => string;
  empty?: string;
  disabled?: boolean | undefined;
  onChange: (option: T | "") => void;
}): JSX.Element {
  return (
    <Field label={props.label}>
      {(id) => (
        <select
          id={id}
          data-control={props.control}
          class="select w-full"
          value={props.value}
          disabled={props.disabled}
          onChange={(event) => props.onChange(event.currentTarget.value as T | "")}
        >
          <option value="">{props.empty ?? "–"}</option>
          {props.options.map((option) => (
            <option key={option} value={option}>
              {props.word(option)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** A text input or text area of a form. */
export function TextField(props: {
  label: string;
  control?: string;
  value: string;
  lines?: number;
  type?: "text" | "date" | "datetime-local" | "time" | "number";
  /** A name or code that the keyboard must not correct or capitalise. */
  plain?: boolean;
  min?: string | number;
  max?: string | number;
  hint?: string | undefined;
  error?: string | undefined;
  onInput: (text: string) => void;
}): JSX.Element {
  const { type } = props;
  return (
    <Field label={props.label} hint={props.hint} error={props.error}>
      {(id, note) =>
        isDateType(type) ? (
          <DateInput
            id={id}
            type={type}
            data-control={props.control}
            aria-describedby={note}
            min={props.min}
            max={props.max}
            value={props.value}
            onInput={(event) => props.onInput(event.currentTarget.value)}
          />
        ) : props.lines ? (
          <textarea
            id={id}
            data-control={props.control}
            aria-describedby={note}
            class="textarea w-full"
            rows={props.lines}
            value={props.value}
            onInput={(event) => props.onInput(event.currentTarget.value)}
          />
        ) : (
          <input
            id={id}
            data-control={props.control}
            aria-describedby={note}
            class="input w-full"
            type={type ?? "text"}
            inputMode={type === "number" ? "numeric" : undefined}
            autocapitalize={props.plain ? "none" : undefined}
            spellcheck={props.plain ? false : undefined}
            min={props.min}
            max={props.max}
            value={props.value}
            onInput={(event) => props.onInput(event.currentTarget.value)}
          />
        )
      }
    </Field>
  );
}

/** A modal dialog: focus stays inside; Escape and a tap outside close it. */
export function Dialog(props: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  actions?: ComponentChildren;
  /** For pictures. */
  wide?: boolean;
}): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  // A dialog with actions may hold input that a reload would lose.
  useDirtyForm(props.actions !== undefined);
  useEffect(() => {
    ref.current?.showModal();
  }, []);
  return (
    <dialog
      ref={ref}
      class="modal modal-bottom sm:modal-middle"
      aria-labelledby={id}
      onClose={props.onClose}
      onClick={(event) => {
        if (event.target === event.currentTarget) event.currentTarget.close();
      }}
    >
      <div
        class={`modal-box flex max-h-[88dvh] flex-col gap-4 px-5 pt-3 pb-[max(1.25rem,env(safe-area-inset-bottom))] ${
          props.wide ? "sm:max-w-5xl" : ""
        }`}
      >
        <div class="flex items-center justify-between gap-2">
          <h2 id={id} class="text-lg font-semibold">
            {props.title}
          </h2>
          <button
            type="button"
            class="btn btn-ghost btn-square -mr-2"
            aria-label={t("app/close")}
            onClick={() => ref.current?.close()}
          >
            <X class="size-5" aria-hidden="true" />
          </button>
        </div>
        {props.children}
        {props.actions && <div class="flex flex-wrap justify-end gap-2">{props.actions}</div>}
      </div>
    </dialog>
  );
}

type Tone = "error" | "warning" | "info";

const TONE: Record<Tone, { box: string; Icon: typeof Info }> = {
  error: { box: "border-error text-error bg-base-100", Icon: CircleAlert },
  warning: { box: "bg-warning text-warning-content border-transparent", Icon: TriangleAlert },
  info: { box: "border-base-300 bg-base-100", Icon: Info },
};

/** A message; errors are announced by screen readers as they appear. */
export function Alert(props: { children: ComponentChildren; tone?: Tone }): JSX.Element {
  const { box, Icon } = TONE[props.tone ?? "info"];
  return (
    <div
      role={props.tone === "error" ? "alert" : "status"}
      class={`rounded-box flex gap-2.5 border p-3 text-sm leading-relaxed ${box}`}
    >
      <Icon class="mt-0.5 size-[1.125rem] shrink-0" aria-hidden="true" />
      <div class="min-w-0 grow">{props.children}</div>
    </div>
  );
}

/** Whether work that a button started is running, and a function that runs it. */
export function useBusy(): [boolean, (work: () => Promise<void>) => Promise<void>] {
  const [busy, setBusy] = useState(false);
  const run = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    try {
      await work();
    } finally {
      setBusy(false);
    }
  };
  return [busy, run];
}
