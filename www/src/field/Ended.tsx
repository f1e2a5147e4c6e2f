/** The office shut this phone out: what happened, what became of the work, and what to do. */
import { ShieldOff } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import { client, enter } from "./state";

export function Ended({ code }: { code: string }): JSX.Element {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // Addresses name records: none of them stays in sight.
    history.replaceState(null, "", "/");
    title.current?.focus();
  }, []);
  const why = code === "user_disabled" ? "ended/user_disabled" : "ended/device_revoked";
  return (
    <main
      data-testid="ended"
      data-code={code}
      class="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-4 p-6"
    >
      <ShieldOff class="muted size-12" aria-hidden="true" />
      <h1 ref={title} tabIndex={-1} class="text-2xl font-bold outline-none">
        {t("ended/title")}
      </h1>
      <p>{t(why)}</p>
      <p>{t("ended/kept")}</p>
      <p>{t("ended/erased")}</p>
      <button type="button" class="btn btn-primary mt-2" onClick={() => void client.acknowledgeErasure().then(enter)}>
        {t("ended/go_on")}
      </button>
    </main>
  );
}
