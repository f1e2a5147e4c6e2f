/** Shown after the office revoked this phone and its data was erased. */
import { ShieldOff } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import { client, enterSession } from "./state";

export function RevokedPage({ code }: { code: string }): JSX.Element {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // The address may contain a record id.
    history.replaceState(null, "", "/");
    title.current?.focus();
  }, []);
  const why = code === "user_disabled" ? "revoked/user_disabled" : "revoked/device_revoked";
  return (
    <main
      data-testid="revoked"
      data-code={code}
      class="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-4 p-6"
    >
      <ShieldOff class="muted size-12" aria-hidden="true" />
      <h1 ref={title} tabIndex={-1} class="text-2xl font-bold outline-none">
        {t("revoked/title")}
      </h1>
      <p>{t(why)}</p>
      <p>{t("revoked/kept")}</p>
      <p>{t("revoked/erased")}</p>
      <button
        type="button"
        class="btn btn-primary mt-2"
        onClick={() => void client.acknowledgeErasure().then(enterSession)}
      >
        {t("revoked/sign_in")}
      </button>
    </main>
  );
}
