/** The sign-in page, also shown over an open page after its session has ended. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { OpenIdButton } from "../ui/OpenIdButton";
import { Alert, Field, useBusy } from "../ui/components";
import { AppearanceSettings } from "../ui/AppearanceSettings";
import { expired, explain, me, signIn } from "./state";

export function SignIn(): JSX.Element {
  const [name, setName] = useState(me.value?.user ?? "");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  useEffect(() => {
    document.title = `${t("sign_in/title")} · ${t("office/title")}`;
  });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setError(null);
    void run(async () => {
      try {
        await signIn(name.trim(), password);
      } catch (cause) {
        setError(explain(cause));
      }
    });
  };
  return (
    <main class="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-6 p-6">
      <h1 class="flex items-center justify-center gap-3 text-2xl font-bold">
        <img src="/icons/icon.svg" alt="" class="size-12" />
        {t("office/title")}
      </h1>
      {expired.value && <Alert tone="warning">{t("office/expired")}</Alert>}
      <form class="card-plain flex flex-col gap-4" onSubmit={submit}>
        <Field label={t("sign_in/name")}>
          {(id) => (
            <input
              id={id}
              class="input w-full"
              autocomplete="username"
              autocapitalize="none"
              spellcheck={false}
              required
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={t("sign_in/password")}>
          {(id) => (
            <input
              id={id}
              class="input w-full"
              type="password"
              autocomplete="current-password"
              required
              value={password}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          )}
        </Field>
        {error && <Alert tone="error">{error}</Alert>}
        <button type="submit" class="btn btn-primary" disabled={busy}>
          {busy ? t("sign_in/working") : t("sign_in/submit")}
        </button>
        <OpenIdButton door="office" />
      </form>
      <details class="card-plain">
        <summary class="min-h-6 cursor-pointer text-sm font-medium">
          {t("app/language")} · {t("app/theme")}
        </summary>
        <div class="pt-4">
          <AppearanceSettings />
        </div>
      </details>
    </main>
  );
}
