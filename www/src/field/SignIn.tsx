/** The sign-in page. After one sign-in online the app works offline for days. */
import { WifiOff } from "lucide-preact";
import type { JSX } from "preact";
import { t } from "../i18n";
import { OpenIdButton } from "../ui/OpenIdButton";
import { SignInForm as PasswordSignIn } from "../ui/SignInForm";
import { AppearanceSettings } from "../ui/AppearanceSettings";
import { beginPractice } from "./practiceMode";
import { client, enterSession, expired, explain, online } from "./state";

export function SignIn(): JSX.Element {
  return (
    <main class="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-5 px-5 pt-6 pb-24">
      <header class="flex flex-col items-center gap-2 text-center">
        <img src="/icons/icon.svg" alt="" width="72" height="72" class="size-[4.5rem]" />
        <h1 class="pt-1 text-2xl font-bold">{t("app/name")}</h1>
        <p class="muted text-balance">{t("app/tagline")}</p>
      </header>
      <div class="card-plain flex flex-col gap-4 p-5">
        <h2 class="text-lg font-semibold">{t("sign_in/title")}</h2>
        <SignInForm />
        <p class="muted text-sm">{t("sign_in/lead")}</p>
      </div>
      <details class="card-plain py-1">
        <summary class="flex min-h-11 cursor-pointer items-center justify-center text-sm font-medium">
          {t("app/language")} · {t("app/theme")}
        </summary>
        <div class="pt-2 pb-3">
          <AppearanceSettings />
        </div>
      </details>
      <button type="button" class="btn btn-ghost" onClick={beginPractice}>
        {t("practice/begin")}
      </button>
    </main>
  );
}

/** Also shown when a session has ended, then with a fixed name. */
export function SignInForm(props: { name?: string; onDone?: () => void }): JSX.Element {
  const signIn = async (name: string, password: string): Promise<void> => {
    const next = await client.signIn(name, password);
    expired.value = false;
    await enterSession(next);
    props.onDone?.();
  };
  return (
    <PasswordSignIn
      class="flex flex-col gap-4"
      name={props.name}
      fixedName={props.name !== undefined}
      signIn={signIn}
      explain={explain}
      hint={
        !online.value && (
          <p class="muted flex items-center gap-2 text-sm" role="status">
            <WifiOff class="size-5 shrink-0" aria-hidden="true" />
            {t("sign_in/no_network")}
          </p>
        )
      }
    >
      <OpenIdButton door="field" enrolled={() => client.enrolled()} />
    </PasswordSignIn>
  );
}
