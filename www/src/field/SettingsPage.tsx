/** Settings: how the app looks, what it keeps on this phone, and what helps when something is wrong. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { StorageState } from "../core/api";
import { t } from "../i18n";
import { formatBytes } from "../ui/format";
import { Settings } from "../ui/settings";
import { LockSettings } from "./Lock";
import { InstallState } from "./Install";
import { usePlace } from "./place";
import { beginPractice, practising } from "./practice";
import { diagnostics, VERSION } from "./diagnostics";
import { SidePage } from "./SidePage";
import { client, rows, showToast } from "./state";
import { updateHeld, updateNow, updateOffered, updateWaits } from "./updates";

export function SettingsPage(): JSX.Element {
  usePlace(true, () => 0, "h1");
  return (
    <SidePage title={t("set/title")}>
      <Section title={t("set/look")}>
        <Settings />
      </Section>
      {!practising && (
        <Section title={t("lock/settings")}>
          <LockSettings />
        </Section>
      )}
      <Section title={t("set/storage")}>
        <Kept />
      </Section>
      <Section title={t("install/title")}>
        <InstallState />
      </Section>
      {!practising && (
        <Section title={t("practice/title")}>
          <p>{t("practice/text")}</p>
          <button type="button" class="btn btn-tonal" onClick={beginPractice}>
            {t("practice/begin")}
          </button>
        </Section>
      )}
      <Section title={t("set/help")}>
        <Diagnostics />
      </Section>
      <Section title={t("set/about")}>
        <p>
          {t("app/name")} <span class="tabular-nums">{VERSION}</span>
        </p>
        {updateWaits.value && !updateOffered.value && <PutOff />}
        <p class="muted text-sm">{t("set/about_text")}</p>
      </Section>
    </SidePage>
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

/** The new version that was put off. */
function PutOff(): JSX.Element {
  return (
    <>
      <p role="status">{t(updateHeld.value ? `app/update_held_${updateHeld.value}` : "app/update")}</p>
      <button type="button" class="btn btn-primary" onClick={() => void updateNow()}>
        {t("app/update_now")}
      </button>
    </>
  );
}

/** What stands on this phone, and whether the browser may clear it. */
function Kept(): JSX.Element {
  const [storage, setStorage] = useState<StorageState | null>(null);
  const read = (): void => void client.storage().then(setStorage, () => undefined);
  useEffect(read, []);
  const ask = async (): Promise<void> => {
    const granted = await navigator.storage.persist().catch(() => false);
    read();
    if (!granted) showToast({ text: t("set/persist_denied") });
  };
  return (
    <>
      <p>{t("set/records", { n: (rows.value ?? []).length })}</p>
      {storage && (
        <>
          <p>{t("set/used", { used: formatBytes(storage.usage), quota: formatBytes(storage.quota) })}</p>
          <p class="muted text-sm">{t(storage.persisted ? "sync/persisted" : "sync/not_persisted")}</p>
          {!storage.persisted && (
            <button type="button" class="btn btn-quiet" onClick={() => void ask()}>
              {t("set/persist_ask")}
            </button>
          )}
        </>
      )}
      <p class="muted text-sm">{t("set/free_text")}</p>
    </>
  );
}

/** Facts for whoever helps; none of them is about a person. */
function Diagnostics(): JSX.Element {
  const [text, setText] = useState<string | null>(null);
  const show = (): void => void diagnostics().then(setText);
  const copy = async (): Promise<void> => {
    if (text === null) return;
    const copied = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    showToast({ text: t(copied ? "set/copied" : "set/not_copied") });
  };
  return (
    <>
      <p>{t("set/help_text")}</p>
      {text === null ? (
        <button type="button" class="btn btn-quiet" onClick={show}>
          {t("set/help_show")}
        </button>
      ) : (
        <>
          <pre
            class="bg-base-200 rounded-field max-h-64 overflow-auto p-3 text-xs whitespace-pre-wrap select-all"
            tabIndex={0}
            aria-label={t("set/help")}
            data-testid="diagnostics"
          >
            {text}
          </pre>
          <button type="button" class="btn btn-tonal" onClick={() => void copy()}>
            {t("set/help_copy")}
          </button>
        </>
      )}
    </>
  );
}
