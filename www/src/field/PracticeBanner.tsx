/** The banner that marks every page in practice mode. */
import { GraduationCap } from "lucide-preact";
import type { JSX } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { Dialog } from "../ui/components";
import { endPractice } from "./practiceMode";

export function PracticeBanner(): JSX.Element {
  const [asking, setAsking] = useState(false);
  // Sticky headers are placed below the banner.
  useLayoutEffect(() => document.documentElement.style.setProperty("--practice", "3rem"), []);
  return (
    <section
      aria-label={t("practice/title")}
      data-testid="practice"
      class="bg-warning text-warning-content sticky top-0 z-20 flex h-12 items-center justify-center gap-2 px-3 text-sm"
    >
      <GraduationCap class="size-5 shrink-0" aria-hidden="true" />
      <span class="min-w-0 truncate font-medium">{t("practice/mark")}</span>
      <button type="button" class="btn btn-ghost px-2 text-sm font-bold" onClick={() => setAsking(true)}>
        {t("practice/end")}
      </button>
      {asking && (
        <Dialog
          title={t("practice/end_title")}
          onClose={() => setAsking(false)}
          actions={
            <button type="button" class="btn btn-primary" onClick={endPractice}>
              {t("practice/end")}
            </button>
          }
        >
          <p>{t("practice/end_text")}</p>
        </Dialog>
      )}
    </section>
  );
}
