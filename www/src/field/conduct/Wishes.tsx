/** Recorded times that the borrower does not want. */
import { CalendarOff } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { wishText } from "../../ui/conduct";
import type { OpenRecord } from "../useRecord";
import { WishDialog } from "./ConductDialogs";

export function Wishes({ record }: { record: OpenRecord }): JSX.Element {
  const [open, setOpen] = useState(false);
  const wishes = record.view.conduct.filter(({ kind }) => kind === "wish");
  return (
    <section class="card-plain flex flex-col gap-3">
      <h3 class="section-title">{t("conduct/page/wishes")}</h3>
      {wishes.length === 0 && <p class="muted">{t("conduct/page/wishes_none")}</p>}
      <ul class="flex flex-col gap-2 empty:hidden">
        {wishes.map((wish) => (
          <li key={wish.id} data-testid="wish" class="rounded-field bg-base-200 px-3 py-2">
            <p class="font-medium tabular-nums">{wishText(wish)}</p>
            {wish.note && <p class="text-sm">{wish.note}</p>}
          </li>
        ))}
      </ul>
      {!record.readOnly && (
        <button type="button" class="btn btn-quiet" onClick={() => setOpen(true)}>
          <CalendarOff class="size-5" aria-hidden="true" />
          {t("conduct/page/wish")}
        </button>
      )}
      {open && <WishDialog record={record} onClose={() => setOpen(false)} />}
    </section>
  );
}
