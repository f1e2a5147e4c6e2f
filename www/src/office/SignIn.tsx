/** The sign-in page, also shown over an open page after its session has ended. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import { OpenIdButton } from "../ui/OpenIdButton";
import { SignInForm } from "../ui/SignInForm";
import { Alert } from "../ui/components";
import { AppearanceSettings } from "../ui/AppearanceSettings";
import { expired, explain, me, signIn } from "./state";

export function SignIn(): JSX.Element {
  useEffect(() => {
    document.title = `${t("sign_in/title")} · ${t("office/title")}`;
  });
  return (
    <main class="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-6 p-6">
      <h1 class="flex items-center justify-center gap-3 text-2xl font-bold">
        <img src="/icons/icon.svg" alt="" class="size-12" />
        {t("office/title")}
      </h1>
      {expired.value && <Alert tone="warning">{t("office/expired")}</Alert>}
      <SignInForm class="card-plain flex flex-col gap-4" name={me.value?.user} signIn={signIn} explain={explain}>
        <OpenIdButton door="office" />
      </SignInForm>
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
