/** Small parts that both apps are made of. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { t } from "../i18n";

/** A labelled control, with a hint or an error that a screen reader finds. */
export function Field(props: {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  children: (id: string, describedBy: string | undefined) => ComponentChildren;
}): JSX.Element {
  const id = useId();
  const note = props.error ?? props.hint;
  return (
    <div class="flex flex-col gap-1">
      <label for={id} class="text-sm font-medium">
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

/** One of several, as big buttons; the choice shows without colour too. */
export function Choices<T extends string>(props: {
  label: string;
  options: readonly T[];
  value: T | null;
  word: (option: T) => string;
  disabled?: boolean | undefined;
  onChange: (option: T) => void;
}): JSX.Element {
  const id = useId();
  return (
    <div role="radiogroup" aria-labelledby={id} class="flex flex-col gap-2">
      <span id={id} class="text-sm font-medium">
        {props.label}
      </span>
      <div class="flex flex-wrap gap-2">
        {props.options.map((option, at) => {
          const chosen = option === props.value;
          const tabbable = chosen || (props.value === null && at === 0);
          return (
            <button
              key={option}
              type="button"
              role="radio"
              aria-checked={chosen}
              tabIndex={tabbable ? 0 : -1}
              disabled={props.disabled}
              class={`btn h-auto min-h-11 py-2 text-left font-normal ${chosen ? "btn-primary" : "bg-base-100 border-base-300"}`}
              onClick={() => props.onChange(option)}
              onKeyDown={stepThrough}
            >
              {chosen && <span aria-hidden="true">✓</span>}
              {props.word(option)}
            </button>
          );
        })}
      </div>
    </div>
  );
}

/** Arrow keys move between the buttons of a group. */
function stepThrough(event: JSX.TargetedKeyboardEvent<HTMLButtonElement>): void {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const siblings = [...(event.currentTarget.parentElement?.querySelectorAll("button") ?? [])];
  const at = siblings.indexOf(event.currentTarget);
  siblings[(at + step + siblings.length) % siblings.length]?.focus();
}

/** One of many, as a native list. */
export function Select<T extends string>(props: {
  label: string;
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

/** A dialog over the page: focus stays inside, Escape closes. */
export function Dialog(props: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  actions?: ComponentChildren;
}): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    ref.current?.showModal();
  }, []);
  return (
    <dialog ref={ref} class="modal modal-bottom sm:modal-middle" aria-labelledby={id} onClose={props.onClose}>
      <div class="modal-box flex max-h-[88dvh] flex-col gap-4">
        <div class="flex items-start justify-between gap-2">
          <h2 id={id} class="text-lg font-semibold">
            {props.title}
          </h2>
          <button
            type="button"
            class="btn btn-ghost btn-square"
            aria-label={t("app/close")}
            onClick={() => ref.current?.close()}
          >
            ✕
          </button>
        </div>
        {props.children}
        {props.actions && <div class="flex flex-wrap justify-end gap-2">{props.actions}</div>}
      </div>
    </dialog>
  );
}

/** An error in words; read out as it appears. */
export function Alert(props: { children: ComponentChildren; tone?: "error" | "warning" | "info" }): JSX.Element {
  const tone = {
    error: "border-error text-error",
    warning: "bg-warning text-warning-content border-transparent",
    info: "border-info text-info",
  };
  return (
    <div
      role={props.tone === "error" ? "alert" : "status"}
      class={`rounded-box bg-base-100 border p-3 text-sm ${tone[props.tone ?? "info"]}`}
    >
      {props.children}
    </div>
  );
}

/** What is happening to a promise that a button started. */
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
