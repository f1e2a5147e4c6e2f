/** Says that the quarantine fills up before phones have to keep their refused work. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import { t } from "../i18n";
import { formatBytes } from "../ui/format";
import { Alert } from "../ui/components";
import { api, type QuarantineUsage } from "./api";

/** How full the quarantine is; asked again when the page comes to the front. */
export function useUsage(): { usage: QuarantineUsage | null; again: () => void } {
  const [usage, setUsage] = useState<QuarantineUsage | null>(null);
  // A page works without it, and says itself when the office can't be reached.
  const again = (): void => void api.quarantineUsage().then(setUsage, () => undefined);
  useEffect(() => {
    again();
    addEventListener("focus", again);
    return () => removeEventListener("focus", again);
  }, []);
  return { usage, again };
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
