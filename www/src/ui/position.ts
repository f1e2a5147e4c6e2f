/** How good a position is as evidence, in words. */
import type { PositionCheck } from "../wasm/doorstep";
import { t } from "../i18n";
import { formatDistance } from "./format";

export function positionText({ grade, doubts, from_address_m: metres }: PositionCheck): string {
  return [
    t(grade === "attested" ? "position/doubted" : "position/captured"),
    ...doubts.map((doubt) => t(`position/doubt/${doubt}`)),
    typeof metres === "number" && t("position/from_address", { distance: formatDistance(metres) }),
  ]
    .filter(Boolean)
    .join(" · ");
}
