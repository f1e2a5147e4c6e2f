/** Offers to add Doorstep to the home screen: once on the first page, always in the settings. */
import { MonitorSmartphone } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { promptInstall, dismissed, dismissInstall, installMethod } from "./installPrompt";

/**
 * On the first page, if the browser has a prompt or the user needs instructions. A card that appears
 * after the list is rendered would move the rows under the user's thumb, so a prompt that becomes
 * available later is offered the next time the page opens.
 */
export function InstallCard(): JSX.Element | null {
  const method = installMethod();
  const possible = !dismissed.value && (method === "ask" || method === "by_hand_apple");
  const [shownAtStart] = useState(possible);
  if (!shownAtStart || !possible) return null;
  return (
    <section class="card-plain flex flex-col gap-3" aria-label={t("install/title")}>
      <div class="flex gap-3">
        <MonitorSmartphone class="text-primary mt-0.5 size-6 shrink-0" aria-hidden="true" />
        <div>
          <h2 class="section-title">{t("install/title")}</h2>
          <p class="muted text-sm">{t("install/why")}</p>
          {method === "by_hand_apple" && <p class="pt-1 text-sm">{t("install/by_hand_apple")}</p>}
        </div>
      </div>
      <div class="flex flex-wrap justify-end gap-2">
        <button type="button" class="btn btn-ghost" onClick={dismissInstall}>
          {t("app/later")}
        </button>
        {method === "ask" && <InstallButton />}
      </div>
    </section>
  );
}

export function InstallSettings(): JSX.Element {
  const method = installMethod();
  return (
    <>
      <p>{t(method === "installed" ? "install/done" : "install/why")}</p>
      {method === "ask" && <InstallButton />}
      {(method === "by_hand" || method === "by_hand_apple") && <p class="muted text-sm">{t(`install/${method}`)}</p>}
    </>
  );
}

function InstallButton(): JSX.Element {
  return (
    <button type="button" class="btn btn-primary" onClick={promptInstall}>
      {t("install/add")}
    </button>
  );
}
