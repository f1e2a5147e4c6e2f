/** The placeholder of an empty list. */
import type { LucideIcon } from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";

export function EmptyState(props: { Icon: LucideIcon; title: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="flex flex-col items-center gap-2 py-14 text-center">
      <props.Icon class="muted size-12" strokeWidth={1.25} aria-hidden="true" />
      <p class="text-lg font-semibold">{props.title}</p>
      {props.children}
    </div>
  );
}
