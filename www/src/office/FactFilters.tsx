/** The filters that links of the dashboard set, each with a button that removes it. */
import { X } from "lucide-preact";
import type { JSX } from "preact";
import { t, textFor, word } from "../i18n";
import { ruleText } from "../ui/conduct";
import { formatDate } from "../ui/format";
import { dpdText } from "./dpd";

/** Keys that are removed with a key, since they only say more about it. */
const PARTS: Record<string, string[]> = { event: ["from", "to"] };

export function FactFilters(props: { search: string; onRemove: (keys: string[]) => void }): JSX.Element | null {
  const filters = new URLSearchParams(props.search);
  const shown = ["event", "visited", "met", "outcome", "reason", "dpd", "promise", "rule", "answer"].flatMap((key) => {
    const value = filters.get(key);
    return value ? [{ key, text: filterText(key, value, filters) }] : [];
  });
  if (shown.length === 0) return null;
  return (
    <ul class="flex flex-wrap gap-2" aria-label={t("office/fact/active")}>
      {shown.map(({ key, text }) => (
        <li key={key} class="badge badge-outline gap-1 pr-0" data-testid={`fact-${key}`}>
          {text}
          <button
            type="button"
            class="btn btn-ghost btn-xs btn-circle min-h-0"
            aria-label={t("office/fact/remove", { text })}
            onClick={() => props.onRemove([key, ...(PARTS[key] ?? [])])}
          >
            <X class="size-3.5" aria-hidden="true" />
          </button>
        </li>
      ))}
    </ul>
  );
}

function filterText(key: string, value: string, filters: URLSearchParams): string {
  const named = (vocabulary: string): string =>
    value === "none" ? t("office/dashboard/none") : word(vocabulary, value);
  switch (key) {
    case "event":
      return t("office/fact/event", {
        event: textFor(`office/fact/${value}`) ?? value,
        from: formatDate(filters.get("from") ?? ""),
        to: formatDate(filters.get("to") ?? ""),
      });
    case "outcome":
      return t("office/fact/is", { name: t("office/outcome"), value: named("disposition") });
    case "reason":
      return t("office/fact/is", { name: t("office/dashboard/reasons/reason"), value: named("reason") });
    case "dpd":
      return t("office/fact/is", { name: t("office/dashboard/dpd/days"), value: dpdText(value) });
    case "promise":
      return textFor(`office/dashboard/promises/${value}`) ?? value;
    case "rule":
      return ruleText(value);
    case "answer":
      return textFor(`conduct/answer/${value}`) ?? value;
    default:
      return textFor(`office/fact/${key}`) ?? key;
  }
}
