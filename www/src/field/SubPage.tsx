/** A page with a title and a link back to the list. */
import { ChevronLeft } from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Link } from "wouter-preact";
import { t } from "../i18n";

export function SubPage({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  useEffect(() => void (document.title = `${title} – ${t("app/name")}`));
  return (
    <div class="mx-auto max-w-xl pb-12">
      <header class="bg-base-200/95 sticky top-(--banner) z-10 py-2 pt-[max(0.5rem,env(safe-area-inset-top))] pl-1 backdrop-blur">
        <BackLink href="/" label={t("list/title")} />
      </header>
      <main class="flex flex-col gap-4 px-4">
        <h1 tabIndex={-1} class="px-1 text-2xl font-bold">
          {title}
        </h1>
        {children}
      </main>
    </div>
  );
}

export function BackLink({ href, label }: { href: string; label: string }): JSX.Element {
  return (
    <Link href={href} class="btn btn-ghost gap-0.5 px-2">
      <ChevronLeft class="size-6" aria-hidden="true" />
      {label}
    </Link>
  );
}
