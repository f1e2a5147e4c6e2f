/** A panel under its button. Escape and a click elsewhere close it. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

export function Popover(props: {
  label: ComponentChildren;
  /** Name of the panel. */
  title: string;
  children: (close: () => void) => ComponentChildren;
  /** The edge of the button that the panel shares; right if left out. */
  align?: "left";
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event): void => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    root.current?.querySelector<HTMLElement>(`[id="${id}"] :is(input, select, button, a)`)?.focus();
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div
      ref={root}
      class="relative"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        close();
      }}
    >
      <button
        ref={button}
        type="button"
        class="btn btn-sm btn-outline bar-control"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        {props.label}
      </button>
      {open && (
        <div
          id={id}
          role="group"
          aria-label={props.title}
          class={`card-plain absolute ${props.align === "left" ? "left-0" : "right-0"} z-20 mt-1 flex max-h-[70dvh] w-72 flex-col gap-3 overflow-y-auto shadow-lg`}
        >
          {props.children(close)}
        </div>
      )}
    </div>
  );
}
