/** Chooses the columns of the list and their order. */
import { Columns3 } from "lucide-preact";
import type { JSX } from "preact";
import { t } from "../../i18n";
import {
  COLUMNS,
  moveColumnLeft,
  resetColumns,
  resize,
  shownColumns,
  toggleColumn,
  widthOf,
  type Column,
} from "./columns";
import { Popover } from "./Popover";

/** Change of a width, in pixels. */
const STEP = 16;

export function ColumnMenu(): JSX.Element {
  const shown = shownColumns();
  const hidden = COLUMNS.filter((column) => !shown.includes(column));
  return (
    <Popover
      title={t("office/columns")}
      label={
        <>
          <Columns3 class="size-4" aria-hidden="true" />
          {t("office/columns")}
        </>
      }
    >
      {() => (
        <>
          <ul class="flex flex-col text-sm">
            {[...shown, ...hidden].map((column, at) => (
              <li key={column.key} class="flex min-h-8 items-center gap-2">
                <label class="flex min-w-0 grow items-center gap-2">
                  <input
                    type="checkbox"
                    class="checkbox checkbox-sm min-h-0 rounded"
                    checked={shown.includes(column)}
                    onChange={() => toggleColumn(column.key)}
                  />
                  {t(column.title)}
                </label>
                {shown.includes(column) && <Arrange column={column} first={at === 0} />}
              </li>
            ))}
          </ul>
          <button type="button" class="btn btn-sm btn-outline" onClick={resetColumns}>
            {t("office/columns_reset")}
          </button>
        </>
      )}
    </Popover>
  );
}

/** Width and place of a shown column. */
function Arrange({ column, first }: { column: Column; first: boolean }): JSX.Element {
  const title = { column: t(column.title) };
  const press = (sign: string, label: string, work: () => void): JSX.Element => (
    <button type="button" class="btn btn-ghost btn-xs btn-square min-h-8" aria-label={label} onClick={work}>
      {sign}
    </button>
  );
  return (
    <>
      {press("−", t("office/narrower", title), () => resize(column, widthOf(column) - STEP))}
      {press("+", t("office/wider", title), () => resize(column, widthOf(column) + STEP))}
      {!first && press("↑", t("office/column_left", title), () => moveColumnLeft(column.key))}
    </>
  );
}
