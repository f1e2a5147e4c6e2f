/** Components that every page of the console uses. */
import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";

const query = matchMedia("(max-width: 47.99rem)");

/** The window is too narrow for tables, so rows are rendered as cards. */
export const isNarrow = signal(query.matches);
query.addEventListener("change", () => (isNarrow.value = query.matches));

/** False until the first page is shown, which leaves the focus where it is. */
let navigated = false;

/** The main heading, which gets the focus after a navigation, so that screen readers start there. */
export function PageTitle(props: { children: string; small?: boolean }): JSX.Element {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${props.children} · ${t("office/title")}`;
  }, [props.children]);
  useEffect(() => {
    const active = document.activeElement;
    if (navigated && (!active || active === document.body || active.closest("nav"))) ref.current?.focus();
    navigated = true;
  }, []);
  return (
    <h1 ref={ref} tabIndex={-1} class={`${props.small ? "text-lg" : "text-2xl"} font-bold outline-none`}>
      {props.children}
    </h1>
  );
}

/** A part of a record with a heading. No landmark, since a page has a dozen of them. */
export function Card(props: { title: string; action?: ComponentChildren; children: ComponentChildren }): JSX.Element {
  return (
    <section class="card-plain flex min-w-0 flex-col gap-3">
      <div class="flex items-center gap-2">
        <h2 class="section-title">{props.title}</h2>
        {props.action}
      </div>
      {props.children}
    </section>
  );
}

/** A list of labels and values; rows without a value are left out. */
export function Facts({ rows }: { rows: [string, ComponentChildren][] }): JSX.Element | null {
  const shown = rows.filter(([, value]) => value !== null && value !== "" && value !== undefined && value !== false);
  if (shown.length === 0) return <p class="muted text-sm">{t("office/nothing_yet")}</p>;
  return (
    <dl class="grid grid-cols-[minmax(6rem,auto)_1fr] gap-x-4 gap-y-1 text-sm">
      {shown.map(([name, value]) => (
        <>
          <dt class="muted">{name}</dt>
          <dd class="min-w-0 whitespace-pre-line">{value}</dd>
        </>
      ))}
    </dl>
  );
}

/** The placeholder of an empty list. */
export function Empty(props: { title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="card-plain flex flex-col items-center gap-3 py-10 text-center">
      <p class="font-medium">{props.title}</p>
      {props.children}
    </div>
  );
}

/** A user name and a time. */
export function ByLine({ by, at }: { by: string; at: string }): JSX.Element {
  return <span class="muted">{t("app/by_at", { by, at })}</span>;
}
