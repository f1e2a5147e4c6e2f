/** The button "Sign in with …" and the error of a failed attempt. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { errorText, t } from "../i18n";
import type { EnrolledDevice } from "../core/api";
import { loadProvider, redirectError, redirectToProvider, provider } from "./openid";
import { Alert, useBusy } from "./components";

export function OpenIdButton(props: {
  door: "field" | "office";
  enrolled?: () => Promise<EnrolledDevice | undefined>;
}): JSX.Element {
  const [error, setError] = useState(redirectError.value);
  const [busy, run] = useBusy();
  useEffect(() => {
    redirectError.value = null;
    void loadProvider();
  }, []);
  const go = (): Promise<void> =>
    run(async () => {
      setError(null);
      const code = await redirectToProvider(props.door, await props.enrolled?.());
      if (code) setError(code);
    });
  return (
    <>
      {error && <Alert tone="error">{errorText(error)}</Alert>}
      {provider.value !== null && (
        <button type="button" class="btn btn-outline" disabled={busy} onClick={() => void go()}>
          {t("sign_in/with", { provider: provider.value })}
        </button>
      )}
    </>
  );
}
