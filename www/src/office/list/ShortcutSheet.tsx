/** What the keys of the list do. */
import type { JSX } from "preact";
import { t, type TextKey } from "../../i18n";
import { Dialog } from "../../ui/components";

const SHEET: readonly [string, TextKey][] = [
  ["j / ↓, k / ↑", "office/shortcut/move"],
  ["Shift + ↓ / ↑", "office/shortcut/extend"],
  ["x", "office/shortcut/select"],
  ["Ctrl + A", "office/shortcut/select_all"],
  ["Enter", "office/shortcut/panel"],
  ["o", "office/shortcut/open"],
  ["Esc", "office/shortcut/close"],
  ["/", "office/shortcut/search"],
  ["a", "office/shortcut/assign"],
  ["Ctrl + C", "office/shortcut/copy"],
  ["r", "office/shortcut/refresh"],
  ["?", "office/shortcut/sheet"],
];

export function ShortcutSheet({ onClose }: { onClose: () => void }): JSX.Element {
  return (
    <Dialog title={t("office/keys")} onClose={onClose}>
      <dl class="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2 text-sm" data-testid="shortcuts">
        {SHEET.map(([keys, text]) => (
          <>
            <dt>
              <kbd class="border-base-300 bg-base-200 rounded border px-1.5 py-0.5 font-mono text-xs">{keys}</kbd>
            </dt>
            <dd>{t(text)}</dd>
          </>
        ))}
      </dl>
    </Dialog>
  );
}
