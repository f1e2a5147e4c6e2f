/** User name, password and the identity provider's button: the sign-in of both apps. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { Alert, Field, useBusy } from "./components";

export function SignInForm(props: {
  class: string;
  name?: string | undefined;
  /** Only this user may sign in. */
  fixedName?: boolean;
  signIn: (name: string, password: string) => Promise<void>;
  explain: (cause: unknown) => string;
  /** Shown above the button, unless an error is. */
  hint?: JSX.Element | false;
  children: JSX.Element;
}): JSX.Element {
  const [name, setName] = useState(props.name ?? "");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setError(null);
    void run(async () => {
      try {
        await props.signIn(name.trim(), password);
      } catch (cause) {
        setError(props.explain(cause));
      }
    });
  };
  return (
    <form class={props.class} onSubmit={submit}>
      <Field label={t("sign_in/name")}>
        {(id) => (
          <input
            id={id}
            class="input w-full"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            readOnly={props.fixedName}
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
      {error ? <Alert tone="error">{error}</Alert> : props.hint}
      <button type="submit" class="btn btn-primary" disabled={busy}>
        {busy ? t("sign_in/working") : t("sign_in/submit")}
      </button>
      {props.children}
    </form>
  );
}
