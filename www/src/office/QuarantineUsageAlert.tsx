/** Warns before the quarantine is so full that phones have to keep their refused work. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import { t } from "../i18n";
import { formatBytes } from "../ui/format";
import { Alert } from "../ui/components";
import { api, type QuarantineUsage } from "./api";

/** The usage of the quarantine, refreshed when the window gets the focus. */
export function useUsage(): { usage: QuarantineUsage | null; reload: () => void } {
  const [usage, setUsage] = useState<QuarantineUsage | null>(null);
  // Optional for the page, which reports itself if the office can't be reached.
  const reload = (): void => void api.quarantineUsage().then(setUsage, () => undefined);
  useEffect(() => {
    reload();
    addEventListener("focus", reload);
    return () => removeEventListener("focus", reload);
  }, []);
  return { usage, reload };
}

export function QuarantineUsageAlert({ usage }: { usage: QuarantineUsage | null }): JSX.Element | null {
  const [place] = useLocation();
  if (!usage || (usage.fullness === "fine" && usage.users.length === 0)) return null;
  const { fullness, open, decided, most, users } = usage;
  const bytes = formatBytes(open.bytes + decided.bytes);
  const pieces = open.pieces + decided.pieces;
  return (
    <div data-testid="quarantine-alarm" data-fullness={fullness} class="flex flex-col gap-2">
      {fullness !== "fine" && (
        <Alert tone={fullness === "full" ? "error" : "warning"}>
          {t(`office/room/${fullness}`, { bytes, pieces, most: formatBytes(most.bytes), most_pieces: most.pieces })}
        </Alert>
      )}
      {users.length > 0 && (
        <Alert tone="warning">{t("office/room/users", { users: users.map(({ user }) => user).join(", ") })}</Alert>
      )}
      {place !== "/quarantine" && (
        <Link href="/quarantine" class="link self-start">
          {t("office/room/open")}
        </Link>
      )}
    </div>
  );
}
