/** Settings: appearance, screen lock, storage, installation, practice, diagnostics and version. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { StorageState } from "../core/api";
import { requestPersistence } from "../core/store/quota";
import { t } from "../i18n";
import { formatBytes } from "../ui/format";
import { AppearanceSettings } from "../ui/AppearanceSettings";
import { LockSettings } from "./LockPage";
import { InstallSettings } from "./InstallCard";
import { NoticeSettings } from "./NoticeSettings";
import { usePagePosition } from "./pagePosition";
import { beginPractice, practising } from "./practiceMode";
import { VERSION } from "./diagnostics";
import { SubPage } from "./SubPage";
import { SupportBundle } from "./SupportBundle";
import { client, rows, showToast } from "./state";
import { offlineReady, updateBlocked, updateNow, updateOffered, updateWaiting } from "./updates";

export function SettingsPage(): JSX.Element {
  usePagePosition(true, () => 0, "h1");
  return (
    <SubPage title={t("settings/title")}>
      <Section title={t("settings/appearance")}>
        <AppearanceSettings />
      </Section>
      {!practising && (
        <Section title={t("lock/settings")}>
          <LockSettings />
        </Section>
      )}
      {!practising && (
        <Section title={t("notices/title")}>
          <NoticeSettings />
        </Section>
      )}
      <Section title={t("settings/storage")}>
        <StorageSettings />
      </Section>
      <Section title={t("install/title")}>
        <InstallSettings />
      </Section>
      {!practising && (
        <Section title={t("practice/title")}>
          <p>{t("practice/text")}</p>
          <button type="button" class="btn btn-tonal" onClick={beginPractice}>
            {t("practice/begin")}
          </button>
        </Section>
      )}
      <Section title={t("settings/help")}>
        <SupportBundle />
      </Section>
      <Section title={t("settings/about")}>
        <p>
          {t("app/name")} <span class="tabular-nums">{VERSION}</span>
        </p>
        {updateWaiting.value && !updateOffered.value && <PostponedUpdate />}
        <p class="muted text-sm">{t("settings/about_text")}</p>
      </Section>
    </SubPage>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="card-plain flex flex-col gap-3" aria-label={title}>
      <h2 class="section-title">{title}</h2>
      {children}
    </section>
  );
}

/** The update that was postponed. */
function PostponedUpdate(): JSX.Element {
  return (
    <>
      <p role="status">{t(updateBlocked.value ? `app/update_blocked_${updateBlocked.value}` : "app/update")}</p>
      <button type="button" class="btn btn-primary" onClick={() => void updateNow()}>
        {t("app/update_now")}
      </button>
    </>
  );
}

/** Storage in use, and whether the browser may delete it. */
function StorageSettings(): JSX.Element {
  const [storage, setStorage] = useState<StorageState | null>(null);
  const read = (): void => void client.storage().then(setStorage, () => undefined);
  useEffect(read, []);
  const ask = async (): Promise<void> => {
    const granted = await requestPersistence();
    read();
    if (!granted) showToast({ text: t("settings/persist_denied") });
  };
  return (
    <>
      <p>{t("settings/records", { n: (rows.value ?? []).length })}</p>
      {offlineReady.value && <p>{t("app/offline_ready")}</p>}
      {storage && (
        <>
          {storage.room && (
            <p>
              {t("settings/used", { used: formatBytes(storage.room.usage), quota: formatBytes(storage.room.quota) })}
            </p>
          )}
          <p class="muted text-sm">{t(`sync/persistence_${storage.persistence}`)}</p>
          {storage.persistence === "not_granted" && (
            <button type="button" class="btn btn-quiet" onClick={() => void ask()}>
              {t("settings/persist_ask")}
            </button>
          )}
        </>
      )}
      <p class="muted text-sm">{t("settings/free_text")}</p>
    </>
  );
}
