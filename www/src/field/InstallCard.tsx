/** Adding Doorstep to the home screen: asked for once on the first screen, always in the settings. */
import { MonitorSmartphone } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { askToInstall, dismissed, dismissInstall, wayToInstall } from "./installPrompt";

/**
 * On the first screen, where the browser lets a page ask or the phone needs to be told how. A card
 * that came when the list is drawn already would push it away from under a thumb: a browser that
 * says so later is believed when the screen is opened the next time.
 */
export function InstallCard(): JSX.Element | null {
  const way = wayToInstall();
  const possible = !dismissed.value && (way === "ask" || way === "by_hand_apple");
  const [inTime] = useState(possible);
  if (!inTime || !possible) return null;
  return (
    <section class="card-plain flex flex-col gap-3" aria-label={t("install/title")}>
      <div class="flex gap-3">
        <MonitorSmartphone class="text-primary mt-0.5 size-6 shrink-0" aria-hidden="true" />
        <div>
          <h2 class="section-title">{t("install/title")}</h2>
          <p class="muted text-sm">{t("install/why")}</p>
          {way === "by_hand_apple" && <p class="pt-1 text-sm">{t("install/by_hand_apple")}</p>}
        </div>
      </div>
      <div class="flex flex-wrap justify-end gap-2">
        <button type="button" class="btn btn-ghost" onClick={dismissInstall}>
          {t("app/later")}
        </button>
        {way === "ask" && <InstallButton />}
      </div>
    </section>
  );
}

export function InstallState(): JSX.Element {
  const way = wayToInstall();
  return (
    <>
      <p>{t(way === "installed" ? "install/done" : "install/why")}</p>
      {way === "ask" && <InstallButton />}
      {(way === "by_hand" || way === "by_hand_apple") && <p class="muted text-sm">{t(`install/${way}`)}</p>}
    </>
  );
}

function InstallButton(): JSX.Element {
  return (
    <button type="button" class="btn btn-primary" onClick={askToInstall}>
      {t("install/add")}
    </button>
  );
}
