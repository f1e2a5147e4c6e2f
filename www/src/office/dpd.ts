/** Names of ranges of days past due. */
import { t } from "../i18n";
import { formatCount } from "../ui/format";

/** A range of days such as `31–60`. */
export function dpdText(name: string): string {
  const [least = "", most] = name.split("-");
  if (most === "") return t("office/dashboard/dpd/more", { least: formatCount(Number(least)) });
  return most === undefined ? t("office/dashboard/dpd/not_due") : `${least}–${most}`;
}
